"""Which models there are to train, and all of them one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from touchline.training.forecast import train_forecast
from touchline.training.injury import train_injury
from touchline.training.movement import train_movement
from touchline.training.performance import train_performance
from touchline.training.workshop import Workshop

TRAINERS: Final[Mapping[str, Callable[[Workshop], Path]]] = {
    "injury": train_injury,
    "performance": train_performance,
    "forecast": train_forecast,
    "movement": train_movement,
}


def train(names: Iterable[str], shop: Workshop) -> Iterator[Path]:
    """Train the named models; the folder of each new version as it is done."""
    for name in names:
        yield TRAINERS[name](shop)


def train_all(shop: Workshop) -> list[Path]:
    """Train every model."""
    return list(train(TRAINERS, shop))
