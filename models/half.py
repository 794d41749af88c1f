"""A network that computes in bfloat16 and keeps its weights in float32, for GPUs.

UNVERIFIED on a GPU: none was at hand. On a CPU it was seen to answer alike. bfloat16 and not float16, because it has
float32's range, so that nothing overflows that did not before.
"""

from __future__ import annotations

from typing import Final

from models.artefact import Artefact
from models.lean import keras
from models.restore import build, set_weights

POLICY: Final = "mixed_bfloat16"


def in_half(artefact: Artefact) -> keras.Model:
    """The network of an artefact that :func:`models.restore.restore` has proven; off by bfloat16's rounding."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICY)
    try:
        model = build(artefact.manifest.name, artefact.manifest.config)
    finally:
        keras.config.set_dtype_policy(before)
    set_weights(model, artefact.weights)
    return model
