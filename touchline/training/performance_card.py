"""The card of the performance model."""

from __future__ import annotations

from typing import Final

from models.artefact import Manifest
from touchline.training.workshop import table

CARD: Final = """\
# performance {version}

The output an athlete gives at an effort *when fresh*, as quantiles: two minutes of heart-rate reserve and heat, the
kind of activity, age and sex, to the mean output of the last minute over the athlete's own centre (mechanical power
where measured, else metabolic power, else speed). The score is where the actual output lies among the quantiles.
LSTM ({units} units). Recent output, time into the session and load so far are no inputs: with them it would learn
the fade and hide it.

**Trained on** the first thirds only of one runner's runs (`hr_forecast_rikluost`, MIT), FIT and TCX workouts, and
simulated sessions of several intensities.

**Not for** comparing athletes with each other: without a baseline of one's own, output is over the squad's prior, and
the score then tells fitness as much as freshness. Metabolic power is an estimate whose validity is disputed
(PMC9729919), and on a bicycle it is none at all.

## Figures

Split: {split}. Output is over the athlete's own centre: the mean over all the athlete's seconds at hand (a FIT file:
of the session; simulated: of the sessions at full intensity).

Fresh thirds, how often the output lies below each level (right: the level itself):

{fresh}

Mean score (percentile times 100, before the median over a minute) by third of the session:

{thirds}

The real sessions' drift is reported and nothing is claimed of it. Whether the score follows an injected fade is not
measured yet.
"""


def performance_card(manifest: Manifest) -> str:
    """The model card."""
    metrics = manifest.metrics
    fresh = [(name, found["seconds"], *found["below"]) for name, found in metrics["fresh"].items()]
    return CARD.format(
        version=manifest.version,
        units=manifest.config["units"],
        split=metrics["split"],
        fresh=table(("", "seconds", *(str(level) for level in metrics["levels"])), fresh),
        thirds=table(
            ("", "first", "second", "last"), [(name, *means) for name, means in metrics["thirds"].items()]
        ),
    )
