"""Drift: how far what a network is asked, and what it answers, lies from what it was trained on. Pure numpy.

Of each *feature* (a channel of an input at its newest step, an output) the training set leaves ten bins with a tenth
of its rows each, and live rows are counted into them. The population stability index adds up, over bins, the
difference of the two shares times the logarithm of their ratio (Siddiqi, "Credit Risk Scorecards", 2006). By
common rule 0.1 is a shift to look into, 0.25 a large one; equal shares of n rows give about 9 / n (Yurdakul 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Name of an input or output, what the manifest says of it, and its rows ``(B, …)``.
Told = Sequence[tuple[str, Mapping[str, Any], NDArray[Any]]]

BINS: Final = 10
#: Live rows between two looks, and how many are remembered: at twice that many all count half.
LOOK: Final = 1_000
MEMORY: Final = 10_000
#: The least share of a bin, so that an empty one is far and not infinitely far.
LEAST: Final = 1e-4


class Drift:
    """Counts what one network sees and says, against the ``reference`` of :func:`reference_of`. One thread."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        features = reference["features"]
        self.names = list(features)
        self._edges = np.full((len(features), BINS - 1), np.inf)
        self._share = np.zeros((len(features), BINS))
        for row, feature in enumerate(features.values()):
            self._edges[row, : len(feature["edges"])] = feature["edges"]
            self._share[row, : len(feature["share"])] = feature["share"]
        self._bins = np.array([len(feature["share"]) for feature in features.values()])
        self._counts = np.zeros_like(self._share)
        self._rows, self._told = 0.0, 0.0

    def add(self, inputs: Told, outputs: Told) -> dict[str, float] | None:
        """Count a call's rows; every :data:`LOOK` rows the index of each feature by name.

        Raises ``ValueError`` where these are not the features of the reference.
        """
        names, values = features_of(inputs, outputs)
        if names != self.names:
            raise ValueError(f"the reference is of other features: {sorted({*names} ^ {*self.names})}")
        # Bin of each value, (B, F): as many edges as lie below it.
        at = (values[:, :, None] > self._edges).sum(axis=2)
        flat = (np.arange(len(names)) * BINS + at).ravel()
        self._counts += np.bincount(flat, minlength=self._counts.size).reshape(self._counts.shape)
        self._rows += len(values)
        if self._rows - self._told < LOOK:
            return None
        found = dict(zip(names, self.index().tolist(), strict=True))
        if self._rows >= 2 * MEMORY:
            self._counts /= 2
            self._rows /= 2
        self._told = self._rows
        return found

    def index(self) -> Floats:
        """Population stability index of each feature, ``(F,)``; 0 before there are rows."""
        if not self._rows:
            return np.zeros(len(self.names))
        there = np.arange(BINS) < self._bins[:, None]
        live = np.maximum(self._counts / self._rows, LEAST)
        trained = np.maximum(self._share, LEAST)
        return np.asarray(np.where(there, (live - trained) * np.log(live / trained), 0.0).sum(axis=1))


def reference_of(inputs: Told, outputs: Told) -> dict[str, Any]:
    """What the training set's rows leave behind: of each feature the ``edges`` of its bins and their ``share``."""
    names, values = features_of(inputs, outputs)
    features = {}
    for name, column in zip(names, values.T, strict=True):
        edges = _edges(column)
        at = np.searchsorted(edges, column, side="left")
        share = np.bincount(at, minlength=len(edges) + 1) / len(column)
        features[name] = {"edges": edges.tolist(), "share": np.round(share, 6).tolist()}
    return {"rows": len(values), "features": features}


def _edges(column: Floats) -> Floats:
    """Upper ends of all bins but the last; a value that fills more than a bin has one of its own."""
    deciles, count = np.unique(
        np.quantile(column, np.arange(1, BINS) / BINS, method="lower"), return_counts=True
    )
    spikes = deciles[count > 1]
    return np.unique([*deciles, *(spikes - 1e-6 * np.maximum(1, np.abs(spikes)))])


def features_of(inputs: Told, outputs: Told) -> tuple[list[str], Floats]:
    """Names ``F`` and values ``(B, F)``: channels at the newest step; outputs, where they are a course its mean."""
    names, columns = [], []
    for name, about, rows in inputs:
        newest = np.asarray(rows, np.float64)[:, -1] if rows.ndim > 2 else np.asarray(rows, np.float64)
        names += [f"{name}.{channel}" for channel in channels_of(about, newest.shape[1])]
        columns.append(newest)
    for name, about, rows in outputs:
        answers = np.asarray(rows, np.float64)
        if "labels" in about:
            names += [f"{name}.{label}" for label in about["labels"]]
        elif answers.ndim > 2:
            answers = answers.mean(axis=tuple(range(2, answers.ndim)))
            names += [f"{name}.{k}" for k in range(answers.shape[1])]
        else:
            answers = answers.mean(axis=1, keepdims=True)
            names.append(name)
        columns.append(answers)
    return names, np.concatenate(columns, axis=1)


def channels_of(about: Mapping[str, Any], count: int) -> list[str]:
    """Names of an input's channels; where the manifest has none of them, numbers."""
    channels = list(about.get("channels", ()))
    if "then" in about:
        channels += [f"{channel}_present" for channel in channels]
    return channels if len(channels) == count else [str(k) for k in range(count)]
