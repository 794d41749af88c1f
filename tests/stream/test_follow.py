"""The labels say what runs: on disk first, then what the topic tells later; refused, tried again, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgpack
import pytest

from models.watch import Verdict
from stream import metrics
from stream.control import ControlFollower
from stream.errors import ModelMissing, ModelRefused
from stream.follow import AGAIN, Follower, Policy, Ways
from stream.infer import Engine
from stream.labels import Labels, check_labels, labels_message, labels_record
from stream.lineup import VersionLineup
from stream.publish import Message
from stream.trial import Canary
from tests.fakes import FakeEngine


class Version(FakeEngine):
    """An engine that says which versions it has."""

    def __init__(self, versions: Mapping[str, str], levels: tuple[float, ...] = (0.1, 0.5, 0.9)) -> None:
        self.versions, self.quantile_levels = versions, levels


@dataclass
class FakeFleet:
    """A registry in memory: versions not ``there`` are refused; ``odd`` ones have other quantile levels."""

    there: set[str] = field(default_factory=lambda: {"1", "2", "3"})
    odd: set[str] = field(default_factory=set)
    now: dict[str, Labels] = field(default_factory=lambda: {"forecast": Labels("1", moved_us=10)})
    loads: list[tuple[str, str]] = field(default_factory=list)

    def start(self) -> tuple[Engine, Mapping[str, Labels]]:
        return Version({name: of.stable for name, of in self.now.items()}), dict(self.now)

    def labels(self) -> Mapping[str, Labels]:
        if not self.now:
            raise ModelMissing("no models")
        return self.now

    def load(self, engine: Engine, name: str, version: str) -> Engine:
        self.loads.append((name, version))
        if version not in self.there:
            raise ModelRefused(f"{name}/{version}/weights.npz: sha256 differs")
        levels = (0.5, 0.6) if version in self.odd else engine.quantile_levels
        return Version({**engine.versions, name: version}, levels)

    def take_back(self, name: str, labels: Labels) -> Labels:
        assert labels.canary in self.there
        self.now[name] = Labels(self.now[name].stable, moved_us=self.now[name].moved_us + 1)
        return self.now[name]


class Topic(ControlFollower):
    """A topic whose records are put straight into what a follower was told."""

    def __init__(self) -> None:
        """Connects to nothing."""

    async def catch_up(self) -> None:
        """Nothing to read."""


class Worker:
    """The rest of a worker: changes happen at once, what is sent is kept."""

    def __init__(self, fleet: FakeFleet, policy: Policy = "label") -> None:
        engine, began = fleet.start()
        self.lineup = VersionLineup(engine)
        self.follower = Follower(fleet, self.lineup, began, policy)
        self.sent: list[Message] = []

    async def between(self, change: Callable[[], None]) -> None:
        change()

    async def send(self, messages: Sequence[Message]) -> None:
        self.sent += messages

    def step(self, **told: Labels) -> None:
        self.follower.told |= told
        ways = Ways(Topic(), self.between, self.send, self.lineup.take_verdicts)
        asyncio.run(self.follower.step(ways))

    def runs(self) -> tuple[str, str | None, str | None]:
        """Stable, canary and shadow of the forecast."""
        canary, shadow = self.lineup.canaries.get("forecast"), self.lineup.shadows.get("forecast")
        stable = self.lineup.stable.versions["forecast"]
        return stable, canary.version if canary else None, shadow[0] if shadow else None


def test_what_the_topic_tells_of_a_later_move_is_taken_and_of_an_earlier_one_not() -> None:
    worker = Worker(FakeFleet())
    worker.step(forecast=Labels("2", moved_us=9))
    assert worker.runs() == ("1", None, None)
    worker.step(forecast=Labels("2", "3", "1", 0.2, moved_us=11))
    assert worker.runs() == ("2", "3", "1")
    worker.step(forecast=Labels("2", moved_us=12))
    assert worker.runs() == ("2", None, None)


def test_labels_on_disk_at_the_start_are_taken_with_their_canary() -> None:
    worker = Worker(FakeFleet(now={"forecast": Labels("1", "2", share=0.5, moved_us=5)}))
    worker.step()
    assert worker.runs() == ("1", "2", None)
    assert worker.lineup.canaries["forecast"].share == 0.5


def test_what_runs_is_not_loaded_again_and_another_share_is_another_trial() -> None:
    fleet = FakeFleet()
    worker = Worker(fleet)
    worker.step(forecast=Labels("1", "2", share=0.2, moved_us=11))
    first = worker.lineup.canaries["forecast"]
    worker.step()
    assert fleet.loads == [("forecast", "2")]
    worker.step(forecast=Labels("1", "2", share=0.4, moved_us=12))
    assert worker.lineup.canaries["forecast"] is not first


def test_a_version_that_is_refused_is_named_once_and_what_ran_runs_on() -> None:
    fleet = FakeFleet(there={"1", "2"})
    worker = Worker(fleet)
    worker.step(forecast=Labels("9", "2", share=0.2, moved_us=11))
    worker.step()
    assert worker.runs() == ("1", "2", None)
    assert fleet.loads == [("forecast", "9"), ("forecast", "2")]
    worker.step(forecast=Labels("2", moved_us=12))
    assert worker.runs() == ("2", None, None)


def test_drift_is_told_of_versions_in_service() -> None:
    worker = Worker(FakeFleet())
    for version in ("1", "2"):
        metrics.tell_drift("forecast", version, {"speed": 0.3})
    worker.step(forecast=Labels("2", moved_us=11))
    told = [sample.labels for sample in next(iter(metrics.DRIFT.collect())).samples]
    assert [labels["version"] for labels in told if labels["model"] == "forecast"] == ["2"]


def test_a_version_that_could_not_be_loaded_is_tried_again_after_a_minute() -> None:
    fleet = FakeFleet(there={"1"})
    worker = Worker(fleet)
    worker.step(forecast=Labels("2", moved_us=11))
    for _ in range(2 * AGAIN - 1):
        worker.step()
    assert fleet.loads == [("forecast", "2")] * 2
    fleet.there.add("2")
    worker.step()
    assert worker.runs()[0] == "2"
    for _ in range(2 * AGAIN):
        worker.step()
    assert len(fleet.loads) == 3, "nothing is left to try"


def performance(**roles: str) -> Labels:
    share = 0.2 if "canary" in roles else 0.0
    return Labels(roles.pop("stable", "1"), **roles, share=share, moved_us=20)


def test_versions_with_other_quantile_levels_than_the_stable_one_are_refused() -> None:
    fleet = FakeFleet(odd={"2"}, now={"performance": Labels("1")})
    worker = Worker(fleet)
    worker.step(performance=performance(canary="2", shadow="2"))
    assert not worker.lineup.canaries
    assert not worker.lineup.shadows


def test_a_stable_version_with_other_levels_ends_the_trials_of_its_own_model_only() -> None:
    fleet = FakeFleet(odd={"2"}, now={"performance": Labels("1"), "forecast": Labels("1")})
    worker = Worker(fleet)
    worker.step(performance=performance(canary="3"), forecast=Labels("1", "3", share=0.2, moved_us=20))
    assert set(worker.lineup.canaries) == {"performance", "forecast"}
    worker.step(performance=replace(performance(stable="2", canary="3"), moved_us=21))
    assert worker.lineup.stable.versions["performance"] == "2"
    assert set(worker.lineup.canaries) == {"forecast"}
    worker.step(performance=replace(performance(stable="1", canary="3"), moved_us=22))
    assert set(worker.lineup.canaries) == {"forecast", "performance"}


def test_a_verdict_on_a_canary_that_another_has_replaced_changes_nothing() -> None:
    worker = Worker(FakeFleet())
    worker.step(forecast=Labels("1", "2", share=0.2, moved_us=11))
    old = worker.lineup.canaries["forecast"]
    worker.step(forecast=Labels("1", "3", share=0.2, moved_us=12))
    worker.lineup.verdicts.append((old, Verdict("outside", 7, 0.4)))
    worker.step()
    assert worker.runs() == ("1", "3", None)
    assert worker.sent == []


def test_a_canary_that_left_its_band_is_taken_back_and_everybody_is_told() -> None:
    worker = Worker(FakeFleet())
    worker.step(forecast=Labels("1", "2", share=0.2, moved_us=11))
    canary: Canary = worker.lineup.canaries.pop("forecast")
    worker.lineup.verdicts.append((canary, Verdict("outside", 7, 0.4)))
    worker.step()
    assert worker.runs() == ("1", None, None)
    (message,) = worker.sent
    assert (message.topic, message.key) == ("models", b"forecast")
    assert msgpack.unpackb(message.value)["labels"] == {"stable": "1"}
    worker.step()
    assert (worker.runs(), len(worker.sent)) == (("1", None, None), 1)


def test_latest_looks_at_the_registry_and_pinned_at_nothing() -> None:
    for policy, expected in (("latest", "2"), ("pinned", "1")):
        fleet = FakeFleet()
        worker = Worker(fleet, policy)  # type: ignore[arg-type]
        fleet.now = {"forecast": Labels("2")}
        worker.step(forecast=Labels("3", moved_us=99))
        assert worker.runs()[0] == expected
        fleet.now = {}
        worker.step()
        assert worker.runs()[0] == expected, "a registry that cannot be read changes nothing"


@pytest.mark.parametrize(
    "labels", [Labels("1"), Labels("12", "13", "14", 0.25, 1_700_000_000_000_000), Labels("2", shadow="3")]
)
def test_labels_go_through_their_record_unchanged(labels: Labels) -> None:
    packed = labels_message("forecast", labels).value
    assert packed is not None
    assert check_labels(msgpack.unpackb(packed)) == labels


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {}}, "labels.stable"),
        ({"labels": {"stable": "../1"}}, "labels.stable"),
        ({"labels": {"stable": "1", "canary": "2"}}, "canary_share"),
        ({"canary_share": 0.5}, "canary_share"),
        ({"labels": {"stable": "1", "canary": "2"}, "canary_share": 1.5}, "canary_share"),
        ({"moved_us": -1}, "moved_us"),
    ],
)
def test_a_record_that_is_none_is_refused_with_the_key(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_labels(labels_record("forecast", Labels("1")) | change)
    with pytest.raises(ValueError, match="not a map"):
        check_labels([])
