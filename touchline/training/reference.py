"""What drift is measured from: how a network's inputs and answers are spread over the rows it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Manifest
from models.batched import Batched
from models.drift import reference_of

#: Rows of the training set that are looked at, and rows of a call.
ROWS: Final = 8_000


def reference(model: Any, manifest: Manifest, inputs: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """The reference of rows ``(B, …)`` of every input, in the network's order."""
    network = Batched(model)
    outputs = network(*inputs)
    given = zip(network.input_names, inputs, strict=True)
    told = zip(network.output_names, outputs, strict=True)
    return reference_of(
        [(name, manifest.inputs[name], rows) for name, rows in given],
        [(name, manifest.outputs[name], rows) for name, rows in told],
    )


def evenly(rows: int, most: int = ROWS) -> NDArray[np.int64]:
    """At most so many of ``rows`` rows, as far apart as they can be."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))
