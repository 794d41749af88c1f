"""Follow: versions that get a role are loaded beside the running ones and swapped in between two chunks.

What is newest counts: the labels on disk when the worker starts, then every record of the topic ``models`` that
tells of a later move. A version that cannot be taken is named in the log and nothing changes. A canary that left
its band is taken back on disk, and all workers are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import structlog

from models.watch import Verdict
from stream import metrics
from stream.control import ControlFollower
from stream.errors import MissingError, ModelRefused
from stream.infer import Engine
from stream.labels import Labels, labels_message
from stream.lineup import VersionLineup
from stream.publish import Message
from stream.trial import Canary

log = structlog.get_logger(__name__)

Policy = Literal["label", "latest", "pinned"]
ROLES: Final = ("stable", "canary", "shadow")
#: After so many steps, of a second, a version that could not be loaded is tried again: it may have come in pieces.
AGAIN: Final = 60


class Fleet(Protocol):
    """The registry as a worker needs it. Its methods may take seconds: none is called in the event loop."""

    def start(self) -> tuple[Engine, Mapping[str, Labels]]:
        """The stable versions, warm, and what the labels were then. Raises ModelRefused or ModelMissing."""

    def labels(self) -> Mapping[str, Labels]:
        """What the registry says now: of each model, by the worker's policy. Raises ModelMissing."""

    def load(self, engine: Engine, name: str, version: str) -> Engine:
        """``engine`` with another version of one model, proven and warm. Raises ModelRefused or ModelMissing."""

    def take_back(self, name: str, labels: Labels) -> Labels:
        """Take the canary label from the canary of ``labels``, if it still has it; the labels then."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a follower reaches the rest of the worker: ``between`` runs a change between two chunks."""

    topic: ControlFollower
    between: Callable[[Callable[[], None]], Awaitable[None]]
    send: Callable[[Sequence[Message]], Awaitable[None]]
    verdicts: Callable[[], Sequence[tuple[Canary, Verdict]]]


class Follower:
    """Keeps a lineup as the labels say. ``told``: newest record of each model on the topic."""

    def __init__(
        self, fleet: Fleet, lineup: VersionLineup, began: Mapping[str, Labels], policy: Policy = "label"
    ) -> None:
        self.told: dict[str, Labels] = {}
        self._fleet, self._lineup, self._policy = fleet, lineup, policy
        self._runs = {name: Labels(labels.stable) for name, labels in began.items()}
        self._wants, self._done = dict(began), dict(self._runs)
        self._refused: dict[str, int] = {}  # of which model, how many steps ago

    async def step(self, ways: Ways) -> None:
        """Once a second: what canaries have come to, then what the labels say now."""
        for canary, verdict in ways.verdicts():
            await self._take_back(canary, verdict, ways)
        if self._policy == "label":
            await ways.topic.catch_up()
            newer = {
                n: new for n, new in self.told.items() if n in self._wants and _later(new, self._wants[n])
            }
            self._wants |= newer
        elif self._policy == "latest":
            await self._look()
        self._refused = {name: ago + 1 for name, ago in self._refused.items()}
        for name, wanted in self._wants.items():
            if wanted != self._done[name] or self._refused.get(name) == AGAIN:
                self._done[name] = wanted
                await self._take(name, wanted, ways)

    async def _look(self) -> None:
        try:
            self._wants |= await asyncio.to_thread(self._fleet.labels)
        except (MissingError, OSError) as error:
            log.warning("the registry cannot be read; what runs goes on", error=str(error))

    async def _take(self, name: str, wanted: Labels, ways: Ways) -> None:
        """One model's versions. What is refused is named once a minute, and what ran before runs on."""
        before, after, loaded = self._runs[name], wanted, dict[str, Engine | None]()
        self._refused.pop(name, None)
        for role in ROLES:
            version, runs = getattr(wanted, role), getattr(before, role)
            if version is None:
                loaded[role] = None
            elif version != runs or (role == "canary" and wanted.share != before.share):
                try:
                    loaded[role] = await self._load(name, version)
                except (ModelRefused, MissingError) as error:
                    self._refuse(name, role, f"{error}; what ran before runs on")
                    self._refused[name] = 0
                    after = _with(after, role, before)
        for role in self._misfits(name, loaded):
            self._refuse(
                name, role, f"version {getattr(after, role)}: other quantile levels than the stable one"
            )
            loaded[role], after = None, _with(after, role, Labels(after.stable))
        await ways.between(lambda: self._swap(name, after, loaded))
        self._runs[name] = after
        self._tell(name, before)

    async def _load(self, name: str, version: str) -> Engine:
        with metrics.LOADING.labels(name).time():
            return await asyncio.to_thread(self._fleet.load, self._lineup.stable, name, version)

    def _misfits(self, name: str, loaded: Mapping[str, Engine | None]) -> Iterator[str]:
        """Roles whose answers cannot be laid beside those of the stable version to be, as they differ in levels."""
        if name != "performance":
            return
        canary, shadow = self._lineup.canaries.get(name), self._lineup.shadows.get(name)
        run = {"canary": canary.engine if canary else None, "shadow": shadow[1] if shadow else None}
        stable = loaded.get("stable") or self._lineup.stable
        for role, running in run.items():
            engine = loaded.get(role, running)
            if engine is not None and engine.quantile_levels != stable.quantile_levels:
                yield role

    def _refuse(self, name: str, role: str, why: str) -> None:
        metrics.REFUSED.labels(name).inc()
        log.error("a version is refused", model=name, role=role, error=why)

    def _swap(self, name: str, wanted: Labels, loaded: Mapping[str, Engine | None]) -> None:
        """Between two chunks, in the thread of the networks."""
        lineup = self._lineup
        stable, canary, shadow = (loaded.get(role) for role in ROLES)
        if stable is not None:
            lineup.stable = stable
        if canary is not None and wanted.canary is not None:
            lineup.canaries[name] = Canary(name, wanted.canary, canary, wanted.share)
        elif "canary" in loaded:
            lineup.canaries.pop(name, None)
        if shadow is not None and wanted.shadow is not None:
            lineup.shadows[name] = (wanted.shadow, shadow)
        elif "shadow" in loaded:
            lineup.shadows.pop(name, None)

    def _tell(self, name: str, before: Labels) -> None:
        runs = self._runs[name]
        log.info("versions", model=name, stable=runs.stable, canary=runs.canary, shadow=runs.shadow)
        for role in ROLES:
            for version, there in ((getattr(before, role), 0), (getattr(runs, role), 1)):
                if version is not None:
                    metrics.ROLE.labels(name, version, role).set(there)
        for version in {before.stable, before.canary, before.shadow} - {
            runs.stable,
            runs.canary,
            runs.shadow,
            None,
        }:
            metrics.forget_drift(name, str(version))

    async def _take_back(self, canary: Canary, verdict: Verdict, ways: Ways) -> None:
        """A canary left its band: its label goes, here and for everybody. It scores nobody any more already."""
        name, version, before = canary.name, canary.version, self._runs[canary.name]
        metrics.ROLLBACKS.labels(name, verdict.measure).inc()
        log.warning(
            "a canary left its band and is taken back",
            model=name,
            version=version,
            measure=verdict.measure,
            difference=round(verdict.difference, 4),
            windows=verdict.window,
        )
        if before.canary != version:
            return  # another has been put in its place meanwhile
        labels = await asyncio.to_thread(
            self._fleet.take_back, name, replace(self._wants[name], canary=version)
        )
        self._runs[name] = replace(before, canary=None, share=0.0)
        self._wants[name] = labels
        await ways.send([labels_message(name, labels)])
        self._tell(name, before)


def _with(labels: Labels, role: str, other: Labels) -> Labels:
    """The labels with one role as ``other`` has it."""
    if role == "canary":
        return replace(labels, canary=other.canary, share=other.share)
    return replace(labels, stable=other.stable) if role == "stable" else replace(labels, shadow=other.shadow)


def _later(one: Labels, other: Labels) -> bool:
    return one.moved_us > other.moved_us
