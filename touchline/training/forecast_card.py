"""The card of the forecast model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from models.artefact import Manifest
from models.forecast import HORIZONS
from touchline.training.workshop import table

CARD: Final = """\
# forecast {version}

The next minute of an athlete from the last two and what was before: heart rate, speed, yaw rate (heading change
above 1 m/s) and acceleration for every second, with the 10th and 90th percentile of the first three at 5, 10, 20, 30,
40 and 60 s. LSTM ({units} units) over patches of {patch} s, with attention over time, and beside it heart rate,
speed and climb of the twelve minutes before in half-minute means. Changes are forecast from the last value seen.
Beside every channel stands whether it is there and how long ago it was last seen. {members} such nets were trained
with sensor groups gone or lost at random, so that any subset works; this one then learned to answer as their mean
does.

**Trained on** one runner's runs (`hr_forecast_rikluost`, MIT), FIT and TCX workouts, the first half of one broadcast-
tracked match (SkillCorner, MIT) and simulated sessions, all cut by the serving stages.

**Not for** medical use. Heart rate was learned from very few people: expect other athletes to be forecast worse than
the figures say.

## Figures

Split: {split}. Mean absolute errors at the horizons in seconds. Test origins: {origins}.

Heart rate (bpm), {runs} kept back, of somebody new; of somebody known, in whose own terms values stand; and where a
sensor was lost some time before, or never there. Changes are told from the newest value seen, which is as old as the
loss. A heart rate seen in fewer than 30 of the 120 s is not forecast at all:

{heart}

A simulated squad that was not trained on, which has all sensors (bodies of the simulator that was learnt from: this
tells what the loss of one costs, not how well real athletes are forecast):

{squad}

On the match's second half, speed (m/s), yaw rate (deg/s), acceleration (m/s²). What changes sign at random is best
forecast by 0 and little else can be said of it:

{match}

Training the heads together against a net for each head alone, the same in size, seed, steps and sessions, on the
match's second half: *all heads* is one of the nets that taught this one; *this network* has learnt for twice as many
steps from all of them:

{alone}

Bands hold 80 % of outcomes by intention; widened on sessions that the first of those nets left out, none of
them counted here:

{coverage}

Distance of the acceleration head from the difference of the median speed head: {inconsistency:.3f} m/s² on the match.
"""


def forecast_card(manifest: Manifest) -> str:
    """The model card."""
    metrics = manifest.metrics
    runs, match = metrics["figures"]["runs"], metrics["figures"]["match"]
    return CARD.format(
        version=manifest.version,
        members=manifest.training["taught_by"],
        units=manifest.config["units"],
        patch=manifest.config["patch"],
        split=metrics["split"],
        origins=", ".join(f"{name} {count}" for name, count in metrics["origins"].items()),
        runs="the same runner's runs",
        heart=_heart_rate(metrics, runs),
        squad=_by_horizon(
            [
                (f"{name}, {case}", errors[name])
                for name in ("heart_rate", "speed")
                for case, errors in metrics["squad_missing"].items()
            ]
        ),
        match=_by_horizon(
            [
                (f"{name}, {label}", match[name][key])
                for name in ("speed", "yaw_rate", "acceleration")
                for key, label in (
                    ("mae", "this network"),
                    ("last_value", "last value"),
                    ("zero", "always 0"),
                    ("ridge", "ridge"),
                    ("gradient boosting", "gradient boosting"),
                )
                if name != "speed" or key != "zero"
            ]
        ),
        alone=_by_horizon(
            [
                (f"{name}, {how}", errors)
                for name, both in metrics["alone"].items()
                for how, errors in {**both, "this network": match[name]["mae"]}.items()
            ]
        ),
        coverage=_by_horizon(
            [
                ("heart rate, runs", runs["heart_rate"]["coverage_80"]),
                ("speed, match", match["speed"]["coverage_80"]),
                ("yaw rate, match", match["yaw_rate"]["coverage_80"]),
            ]
        ),
        inconsistency=match["inconsistency"],
    )


def _heart_rate(metrics: Any, runs: Any) -> str:
    rows = [("this network", runs["heart_rate"]["mae"])]
    rows.append(("in terms of the other runs", metrics["heart_rate_in_own_terms"]))
    rows += list(metrics["heart_rate_missing"].items())
    return _by_horizon([*rows, *metrics["baselines"].items()])


def _by_horizon(rows: Sequence[tuple[str, Sequence[float | None]]]) -> str:
    return table(("", *(f"{h} s" for h in HORIZONS)), [(name, *errors) for name, errors in rows])
