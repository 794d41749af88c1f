"""Losses of the three networks. Masked: what is missing weighs nothing. Shapes as the networks give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np

from models.forecast import HORIZONS, ForecastConfig

ops = keras.ops

#: Weight of the bands beside the medians, and of the acceleration head's own error and of its inconsistency.
BAND: Final = 0.5
ACCELERATION: Final = 0.1
CONSISTENCY: Final = 0.1
#: How much more an error at a horizon that gets a band counts than at the seconds between.
BANDED: Final = 20.0
#: Weight of heart rate, speed and yaw rate: what can be forecast counts more than what hardly can.
HEAD: Final = (4.0, 2.0, 1.0)


def pinball(error: Any, level: Any) -> Any:
    """Loss whose least is the quantile ``level`` (Koenker & Bassett 1978); ``error`` = actual - predicted."""
    return ops.maximum(level * error, (level - 1) * error)


def masked_mean(value: Any, mask: Any) -> Any:
    """Mean where the mask is 1; 0 where it is nowhere."""
    return ops.sum(value * mask) / ops.maximum(ops.sum(mask), 1.0)


class ForecastLoss:
    """``targets``: actual ``(B, 3, 60)`` and acceleration ``(B, 60)``, 0 where missing, then their masks.

    Every head's error counts in units of a typical change at that horizon, the horizons that get a band
    :data:`BANDED` times as much as the seconds between. The acceleration head is held to the difference of the median
    speed head. ``heads``: which of heart rate, speed, yaw rate and acceleration count; others are left to chance.
    """

    def __init__(self, config: ForecastConfig, heads: Sequence[int] = (0, 1, 2, 3)) -> None:
        self.scale = config.scales()[None]  # (1, 3, 60)
        self._picked = [h - 1 for h in HORIZONS]
        self._heads = tuple(k for k in heads if k < self.scale.shape[1])
        self._moving = ACCELERATION * (self.scale.shape[1] in heads)
        self._consistent = CONSISTENCY * ({1, 3} <= set(heads))
        weight = np.ones(self.scale.shape[2], np.float32)
        weight[self._picked] = BANDED
        self.weight = weight / weight.mean()  # (60,)

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Loss of a batch."""
        actual, acceleration, mask, moving = targets
        median, accelerated, bands = outputs
        loss = sum(
            HEAD[k]
            * masked_mean(self.weight * pinball((actual - median)[:, k] / self.scale[:, k], 0.5), mask[:, k])
            for k in self._heads
        )
        return (
            loss
            + BAND * self._band(actual, mask, bands)
            + self._moving * masked_mean(ops.abs(acceleration - accelerated), moving)
            + self._consistent
            * ops.mean(ops.abs(accelerated[:, 1:] - (median[:, 1, 1:] - median[:, 1, :-1])))
        )

    def _band(self, actual: Any, mask: Any, bands: Any) -> Any:
        picked = np.asarray(self._picked)
        scale = self.scale[:, :, picked, None]  # (1, 3, 6, 1)
        error = (ops.take(actual, picked, axis=2)[..., None] - bands) / scale  # (B, 3, 6, 2)
        counted = np.isin(np.arange(self.scale.shape[1]), self._heads).astype(np.float32)[:, None, None]
        there = ops.take(mask, picked, axis=2)[..., None] * counted * ops.ones_like(error)
        return masked_mean(pinball(error, np.array([0.1, 0.9], np.float32)), there)


class LikenessLoss:
    """How far answers are from another network's: ``targets`` and outputs alike, median, acceleration, bands.

    In the units and with the weights of :class:`ForecastLoss`; every answer counts, nothing is missing.
    """

    def __init__(self, config: ForecastConfig) -> None:
        like = ForecastLoss(config)
        self._scale, self._weight = like.scale, like.weight
        self._banded = self._scale[:, :, [h - 1 for h in HORIZONS], None]  # (1, 3, 6, 1)
        self._head = np.asarray(HEAD, np.float32)[None, :, None]  # (1, 3, 1)

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Loss of a batch."""
        (median, acceleration, bands), (own, accelerated, around) = targets, outputs
        return (
            ops.mean(self._head * self._weight * ops.abs(median - own) / self._scale)
            + BAND * ops.mean(ops.abs(bands - around) / self._banded)
            + ACCELERATION * ops.mean(ops.abs(acceleration - accelerated))
        )


class QuantileLoss:
    """``targets``: actual ``(B, 1)``; output: quantiles ``(B, Q)`` at ``levels``."""

    def __init__(self, levels: Sequence[float]) -> None:
        self._levels = np.asarray(levels, np.float32)

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Loss of a batch."""
        return ops.mean(pinball(targets[0] - outputs[0], self._levels))


class SameLoss:
    """How far answers are from those of other networks: ``targets`` and outputs alike, one after the other."""

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Loss of a batch."""
        return sum(ops.mean(ops.abs(wanted - given)) for wanted, given in zip(targets, outputs, strict=True))


@dataclass(frozen=True, slots=True)
class Rare:
    """How a loss meets a rare class: ``gamma`` and ``positive`` of :class:`LogLoss`."""

    gamma: float = 0.0
    positive: float = 1.0


class LogLoss:
    """``targets``: label ``(B, 1)`` and weight ``(B, 1)``; output: probability ``(B, 1)``.

    For rare classes: a positive row counts ``positive`` times, and what is answered well already counts less by the
    power ``gamma`` of the error (focal loss, Lin et al. 2017, arXiv 1708.02002). Both move the probabilities off the
    base rate, which calibration sets right.
    """

    def __init__(self, gamma: float = 0.0, positive: float = 1.0) -> None:
        self._gamma, self._positive = gamma, positive

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Loss of a batch."""
        label, weight = targets
        p = ops.clip(outputs[0], 1e-6, 1 - 1e-6)
        hit, miss = (1 - p) ** self._gamma * ops.log(p), p**self._gamma * ops.log(1 - p)
        return masked_mean(-(self._positive * label * hit + (1 - label) * miss), weight)


class HeadsLoss:
    """``targets``: one-hot labels ``(R, C)`` of each head; head k is judged on its own ``rows[k]`` of the batch only.

    The heads' rows follow one another in the batch. Output: probabilities ``(B, C)`` of each head.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        self._rows = np.cumsum([0, *rows])

    def __call__(self, targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Sum of the heads' mean cross-entropies."""
        total = 0.0
        for head, (target, output) in enumerate(zip(targets, outputs, strict=True)):
            # A device's part of a batch has its part of each head's rows.
            begin, end = (self._rows[head : head + 2] * output.shape[0] // self._rows[-1]).tolist()
            total -= ops.mean(ops.sum(target * ops.log(ops.clip(output[begin:end], 1e-6, 1.0)), axis=-1))
        return total
