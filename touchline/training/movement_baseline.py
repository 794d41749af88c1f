"""What the movement network is held against: gradient boosting on plain features of the same windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from touchline.training.movement_data import Recordings, windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def features(x: Floats) -> Floats:
    """``(W, 100, 6)`` to ``(W, 63)``: mean, spread, extremes, roughness, low spectrum's peak, correlations."""
    spectrum = np.abs(np.fft.rfft(x - x.mean(axis=1, keepdims=True), axis=1))
    centred = (x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + 1e-6)
    pairs = np.einsum("wsc,wsd->wcd", centred, centred)[:, *np.triu_indices(6, 1)] / x.shape[1]
    parts = [x.mean(1), x.std(1), x.min(1), x.max(1), np.median(x, 1), np.abs(np.diff(x, axis=1)).mean(1)]
    peak = spectrum.argmax(axis=1).astype(np.float64)
    return np.concatenate([*parts, spectrum[:, :10].mean(1), peak, pairs], axis=1)


def boosted(data: Recordings, train: Ints, test: Ints) -> Floats:
    """Probabilities ``(len(test), C)``, the mean over each recording's windows."""
    if data.label is None:
        raise ValueError("recordings without labels cannot be learnt from")
    rows = [features(windows(data.signals[i])) for i in train]
    label = np.concatenate([np.full(len(r), data.label[i]) for r, i in zip(rows, train, strict=True)])
    fit = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, max_bins=32, min_samples_leaf=5)
    fit.fit(np.concatenate(rows), label)
    out = np.zeros((len(test), len(data.of.labels)))
    for row, i in enumerate(test):
        out[row, fit.classes_] = fit.predict_proba(features(windows(data.signals[i]))).mean(axis=0)
    return out
