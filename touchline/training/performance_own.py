"""What an athlete gives as somebody, for training: efficiencies out of all the athlete's other sessions.

As :mod:`stream.efficiency` keeps them live, but of all telling sessions at once. A session never tells of itself:
whoever has one session only is anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.efficiency import FRESH_S, LEAST, weight
from stream.infer import LEAST_EXPECTED, OUTPUTS
from touchline.training.performance_data import Efforts
from touchline.training.windows import Float32

Floats = NDArray[np.float64]

#: The network: ``effort (B, 120, 4)``, ``static (B, S)`` to quantiles ``(B, Q)``, and what efficiencies count from.
Network = Callable[[Float32, Float32], tuple[Float32, Float32]]

ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Own:
    """Of each session and kind of output ``(sessions, 3)``: mean logarithm of efficiency elsewhere, its seconds."""

    mean: Floats
    seconds: Floats


def anybody(found: Efforts) -> Own:
    """Efficiencies where nobody's is known yet: everybody gives what is expected of anybody."""
    none = np.zeros((len(found.athlete), len(OUTPUTS)))
    return Own(none, none + 1)


def own_elsewhere(found: Efforts, network: Network) -> Own:
    """Efficiencies from the fresh seconds of an athlete's other sessions that tell, as ``network`` finds them."""
    fresh = found.take((found.table.within[found.at] < FRESH_S) & found.tells[found.session])
    over_expected = fresh.actual / np.maximum(quantiles(network, fresh)[1], LEAST_EXPECTED)
    where = fresh.session, fresh.kind
    total, seconds = np.zeros((2, len(found.athlete), len(OUTPUTS)))
    np.add.at(total, where, np.log(np.maximum(over_expected, LEAST)))
    np.add.at(seconds, where, 1.0)
    others, others_s = (_of_athlete(found, values) - values for values in (total, seconds))
    return Own(others / np.maximum(others_s, 1), others_s)


def quantiles(network: Network, found: Efforts) -> tuple[Float32, Float32]:
    """Quantiles for each second ``(N, Q)``, and what efficiencies are counted from, ``(N,)``."""
    parts = np.array_split(np.arange(len(found)), 1 + len(found) // ROWS_AT_ONCE)
    told = [network(*found.take(part).inputs()) for part in parts]
    return np.concatenate([q for q, _ in told]), np.concatenate([usual for _, usual in told])


def _of_athlete(found: Efforts, values: Floats) -> Floats:
    """Sums over all sessions of each session's athlete."""
    sums = np.zeros((found.athlete.max() + 1, values.shape[1]))
    np.add.at(sums, found.athlete, values)
    return np.asarray(sums[found.athlete])


def known(found: Efforts, own: Own, share: Floats | None = None) -> Efforts:
    """The seconds with efficiencies in them: weighed as live, or by ``share (N,)`` where anything is known."""
    seconds, mean = own.seconds[found.session], own.mean[found.session]  # (N, 3)
    weights = weight(seconds) if share is None else np.where(seconds > 0, share[:, None], 0.0)
    efficiency = np.exp(weights * mean)
    over_own = found.actual / efficiency[np.arange(len(found)), found.kind]
    person = replace(found.person, efficiency=efficiency, known=weights)
    return replace(found, person=person, actual=over_own)
