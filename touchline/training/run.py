"""Which models there are to train: tuned first where that is wanted, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.encoders import ENCODERS, OWN
from stream.errors import UsageError
from touchline.training import forecast, injury, movement, performance
from touchline.training.course import forget
from touchline.training.tuning import Problem, search, select
from touchline.training.workshop import Workshop

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

TRAINERS: Final[Mapping[str, Callable[[Workshop], Path]]] = {
    "injury": injury.train_injury,
    "performance": performance.train_performance,
    "forecast": forecast.train_forecast,
    "movement": movement.train_movement,
}
PROBLEMS: Final[Mapping[str, Callable[[Workshop], Problem]]] = {
    "injury": injury.problem,
    "performance": performance.problem,
    "forecast": forecast.problem,
    "movement": movement.problem,
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """``trials`` of a search over settings (0: none), and whether channels are selected."""

    trials: int = 0
    select: bool = False


def train(names: Iterable[str], shop: Workshop, tuning: Tuning = Tuning()) -> Iterator[Path]:
    """Train the named models; the folder of each new version as it is done, its checkpoints gone then."""
    for name in names:
        own = shop if shop.checkpoints is None else replace(shop, checkpoints=shop.checkpoints / name)
        if not own.resume:
            forget(own.checkpoints)
        yield TRAINERS[name](tuned(name, own, tuning))
        forget(own.checkpoints)


def tuned(name: str, shop: Workshop, tuning: Tuning) -> Workshop:
    """The workshop with the choices that tuning finds."""
    if not tuning.trials and not tuning.select:
        return shop
    problem = PROBLEMS[name](shop)
    if tuning.trials:
        shop = search(problem, shop, tuning.trials)
    return select(problem, shop) if tuning.select else shop


#: Settings that may be chosen, by name, with their kind.
SETTINGS: Final[Mapping[str, type]] = {
    "network": str,
    **dict.fromkeys(("rate", "decay", "average", "clip", "l1", "l2", "dropout", "gamma", "positive"), float),
    **dict.fromkeys(("steps", "warm", "units", "hidden", "memory", "image", "signal", "patch"), int),
}


#: What the settings of each model are fields of. The rounds of performance have steps of their own.
_PLACES: Final[Mapping[str, tuple[DataclassInstance, ...]]] = {
    "injury": (injury.CONFIG, injury.PLAN, injury.RARE),
    "performance": (performance.CONFIG, performance.PLAN),
    "forecast": (forecast.CONFIG, forecast.PLAN),
    "movement": (movement.CONFIG, movement.PLAN),
}
_NOWHERE: Final = ("performance", "steps")


def choices_of(texts: Iterable[str], models: Sequence[str]) -> dict[str, Any]:
    """Choices from ``NAME=VALUE`` for ``models``. Raises UsageError naming what is none, or has no place in them."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in SETTINGS:
            raise UsageError(f"--set {text}: there is no setting {name!r}; there is {', '.join(SETTINGS)}")
        try:
            found[name] = SETTINGS[name](value)
        except ValueError:
            raise UsageError(f"--set {text}: {value!r} is not of the right kind") from None
        if name == "network" and value not in {OWN, *ENCODERS}:
            raise UsageError(
                f"--set {text}: there is no such network; there is {', '.join([OWN, *ENCODERS])}"
            )
        if not any(_has_place(name, model) for model in models):
            raise UsageError(f"--set {text}: {name!r} is no setting of {', '.join(models)}")
    return found


def _has_place(name: str, model: str) -> bool:
    names = {entry.name for place in _PLACES[model] for entry in fields(place)}
    return name in names and (model, name) != _NOWHERE


def train_all(shop: Workshop) -> list[Path]:
    """Train every model."""
    return list(train(TRAINERS, shop))
