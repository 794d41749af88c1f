"""The card of the performance model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.artefact import Manifest
from touchline.fit import ENDED
from touchline.training.workshop import table

CARD: Final = """\
# performance {version}

The output an athlete gives at an effort *when fresh*, as quantiles: two minutes of heart-rate reserve and heat, the
kind of activity and of output, age and sex, to the mean output of a minute (mechanical power where measured, else
metabolic power, else speed) over the prior's centre and over the athlete's own efficiency as far as that is known
(`stream/efficiency.py`). The minute ended {ended} s ago, because the heart answers late. The score is where the
actual output lies among the quantiles. LSTM ({units} units), taught by {taught_by} that were trained each for itself.
Recent output, time into the session and load so far are no inputs: with them it would learn the fade and hide it.
Efficiencies count from the median of somebody who is known.

**Trained on** the first thirds only of one runner's runs (`hr_forecast_rikluost`, MIT), FIT and TCX workouts, and
simulated sessions of bodies that do not tire, hard and easy, cold and hot.

**Not for** comparing athletes with each other: while nothing is known of somebody's efficiency, the score tells
fitness as much as freshness. Metabolic power is an estimate whose validity is disputed (PMC9729919), and on a
bicycle it is none at all.

## Figures

Split: {split}.

### Simulated squads it has not seen

{squads} squads of {athletes}, a match and a run of {session_s} s each, scored second by second by the stages of the
worker; {earlier} earlier sessions, hard and easy, with other play and other weather, say how efficient each athlete
is. Bodies of the same simulator, other athletes: how the score does on real fatigue is not known.
`touchline evaluate performance` repeats it.

{simulated}

Mean scores over sessions; of matches and runs apart: {by_kind}.
Spearman's correlation with the latent capacity is over all seconds of all sessions; within sessions its mean is
{within}. Without heart rates it abstains in {abstains} of the seconds. At half intensity hearts seldom reach the 40 %
of their reserve from which a score is given, and there a beat too many looks like an output too low.

### Bodies as none that it was trained on

{masters_squads} squads of masters, twenty years older: hearts that answer more slowly and do not go as high, less
aerobic power, dearer running. Sessions and states as above:

{masters}

Of matches and runs apart: {masters_by_kind}.

### Recorded sessions kept back

Every fifth; of athletes with other recorded sessions, whose efficiency comes from those, and of strangers, of whom
nothing is known. Fresh thirds, how often the output lies below each level:

{fresh}

Mean score (percentile times 100, before the median over a minute) by third, and from first to last:

{thirds}

Mean quantile loss on the fresh thirds, with something not known (without heart rate or output there is no score), and
of baselines that were fitted on the recorded sessions trained on and know the same of the athlete:

{losses}

The drift is reported and nothing is claimed of it. A stranger's score says how the athlete compares with others.
"""


def performance_card(manifest: Manifest) -> str:
    """The model card."""
    metrics, simulated = manifest.metrics, manifest.metrics["simulated"]
    real = {who: metrics["real"][who] for who in ("known", "strangers")}
    levels = [str(level) for level in metrics["levels"]]
    return CARD.format(
        version=manifest.version,
        split=metrics["split"],
        units=manifest.config["units"],
        ended=manifest.outputs["quantiles"][ENDED],
        taught_by=manifest.training["taught_by"],
        squads=simulated["squads"],
        athletes=simulated["athletes"],
        session_s=simulated["session_s"],
        earlier=simulated["earlier"],
        simulated=table(("", "figure", "asked for"), _accepted(simulated)),
        by_kind=_by_kind(simulated),
        masters_squads=metrics["masters"]["squads"],
        masters=table(("", "figure", "asked for"), _accepted(metrics["masters"])),
        masters_by_kind=_by_kind(metrics["masters"]),
        within=_number(simulated["fade"]["spearman_within"], 2),
        abstains=_number(simulated["no_heart_rate"]["abstains"], 3),
        losses=table(("", "loss"), _losses(metrics["real"])),
        fresh=table(
            ("", "seconds", *levels), [(who, one["seconds"], *one["below"]) for who, one in real.items()]
        ),
        thirds=table(
            ("", "first", "second", "last", "drift"),
            [(who, *map(_number, one["thirds"]), _number(one["drift"])) for who, one in real.items()],
        ),
    )


def _accepted(simulated: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The acceptance figures, a row each: what, how much, and how much is asked for."""
    rested, easy, fade = (simulated[name] for name in ("no_fatigue", "half_intensity", "fade"))
    return [
        ("no fatigue, mean", _number(rested["mean"]), "47 to 53"),
        ("no fatigue, by third", ", ".join(map(_number, rested["thirds"])), "45 to 55 each"),
        ("half intensity, difference of the mean", _number(easy["difference"]), "-5 to 5"),
        ("injected fade, by third", ", ".join(map(_number, fade["thirds"])), "-"),
        ("injected fade, Spearman", _number(fade["spearman"], 2), "at least 0.6"),
    ]


def _losses(real: Mapping[str, Any]) -> list[tuple[str, float]]:
    names = {"nothing": "this network", "heat": "heat not known", "profile": "profile not known"}
    return [(names[case], loss) for case, loss in real["without"].items()] + list(real["baselines"].items())


def _by_kind(simulated: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{words} {', '.join(_number(mean) for mean in simulated[name]['by_kind'].values())}"
        for name, words in (("no_fatigue", "without fatigue"), ("half_intensity", "at half intensity"))
    )


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
