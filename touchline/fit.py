"""Fit: whether a version was trained on what the stages of this release hand it. Weights alone do not show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.artefact import Manifest
from stream import days, earlier, infer, normalise
from stream.errors import ModelRefused

#: Channels of each input of the models that the stages ask; other models are asked by others.
INPUTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "forecast": {"x": normalise.CHANNELS, "earlier": earlier.EARLIER},
    "performance": {"effort": infer.EFFORT, "static": infer.PERSONAL},
    "injury": {"days": days.CHANNELS},
}
#: Models whose inputs stand against the prior's centres and spreads.
NORMALISED: Final = ("forecast", "performance")
#: Until how long ago, s, the output was averaged that the performance model was trained on, as its manifest says.
ENDED: Final = "ended_s_ago"


def check_fit(manifest: Manifest) -> None:
    """See that a version's inputs are ours. Raises ModelRefused saying which are not."""
    who = f"model {manifest.name} version {manifest.version}"
    for name, channels in INPUTS.get(manifest.name, {}).items():
        trained = manifest.inputs.get(name, {}).get("channels")
        if trained != list(channels):
            raise ModelRefused(
                f"{who}: trained on {name} {trained}, here it is {list(channels)}; train it anew"
            )
    if manifest.name in NORMALISED:
        for channel, terms in manifest.normalisation.items():
            if tuple(terms) != normalise.PRIOR[channel]:
                ours = list(normalise.PRIOR[channel])
                raise ModelRefused(
                    f"{who}: trained with {channel} against {terms}, here it is against {ours}"
                )
    if manifest.name == "performance":
        ended = manifest.outputs.get("quantiles", {}).get(ENDED, 0)
        if ended != infer.ANSWER_S:
            raise ModelRefused(
                f"{who}: trained on output until {ended} s ago, here it is {infer.ANSWER_S} s; train it anew"
            )
