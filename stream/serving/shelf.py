"""The shelf: which versions are in service, which one a request means, and what changes while we serve.

Follows the registry by policy. A version that is refused is told of once and named; what was in service stays so.
Loads one version at a time, in a thread of its own. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from stream.errors import MissingError, ModelRefused
from stream.serving import metrics
from stream.serving.batcher import Batcher, Lane, Limits
from stream.serving.network import Library, Listing
from stream.serving.refusals import NotReady, UnknownModel

log = structlog.get_logger(__name__)

Policy = Literal["label", "latest", "pinned"]
#: A model and its version.
Key = tuple[str, str]

STABLE: Final = "stable"


@dataclass(frozen=True, slots=True)
class Following:
    """How the registry is followed.

    ``label``: stable is served, and whatever else has a label. ``latest``: the newest that is whole.
    ``pinned``: what ``pins`` say, else what was stable at the start, whatever happens later. ``named``: how many
    versions beyond those are kept because a request named them.
    """

    policy: Policy = "label"
    poll_s: float = 5.0
    named: int = 2
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Model:
    """A model: versions on disk, label to version in service, and what a request without either means."""

    versions: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    default: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A version as clients see it; ``fault`` says why it is refused."""

    version: str
    loaded: bool
    fault: str | None


class Shelf:
    """Versions in service. :meth:`refresh` once before serving, then :meth:`run`."""

    def __init__(self, library: Library, following: Following, limits: Limits) -> None:
        self.ready = False
        self._library, self._following, self._limits = library, following, limits
        self._lane = Lane()
        self._models: dict[str, _Model] = {}
        self._served: dict[Key, Batcher] = {}
        self._faults: dict[Key, tuple[str, Hashable]] = {}
        self._named: list[Key] = []  # the one asked for last comes last
        self._loading: dict[Key, asyncio.Task[None]] = {}
        self._alone = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow the registry until cancelled."""
        while True:
            await asyncio.sleep(self._following.poll_s)
            try:
                await self.refresh()
            except (MissingError, OSError) as error:
                log.warning("the registry cannot be read; what is in service stays", error=str(error))

    async def refresh(self) -> None:
        """Take up what the registry has now. Raises ModelMissing where it has nothing."""
        for name, listing in (await asyncio.to_thread(self._library.listing)).items():
            await self._follow(name, listing)
        self.ready = any(model.default for model in self._models.values())

    async def close(self) -> None:
        """Take nothing new, answer what waits."""
        self.ready = False
        await asyncio.gather(*(batcher.close() for batcher in self._served.values()), *self._leaving)

    def check_ready(self) -> None:
        """Raise NotReady before the networks are warm and once they are going."""
        if not self.ready:
            raise NotReady("the networks are not warm yet, or this process is going")

    def names(self) -> list[str]:
        """Every model known."""
        return sorted(self._models)

    def faults(self) -> dict[Key, str]:
        """Versions that were refused, and why."""
        return {key: fault for key, (fault, _) in self._faults.items()}

    def labels(self, name: str) -> dict[str, str]:
        """Label to version in service. Raises UnknownModel."""
        return dict(self._model(name).labels)

    def states(self, name: str) -> list[State]:
        """Every version of a model, oldest first. Raises UnknownModel."""
        return [self._state((name, version)) for version in self._model(name).versions]

    def default(self, name: str) -> str | None:
        """The version that is meant where none is named. Raises UnknownModel."""
        return self._model(name).default

    async def find(self, name: str, version: str | None = None, label: str | None = None) -> Batcher:
        """The network a request means; a version that is only named is loaded now.

        Raises UnknownModel, or NotReady for a version that is refused.
        """
        key = (name, self.resolve(name, version, label))
        if key not in self._served:
            await self._load(key)
        if key not in self._served:
            raise NotReady(f"version {key[1]} of model {name!r} is refused: {self._faults[key][0]}")
        if key in self._named:
            self._named.append(self._named.pop(self._named.index(key)))
        elif key[1] not in self._wanted(name):
            self._keep_named(key)
        return self._served[key]

    def resolve(self, name: str, version: str | None = None, label: str | None = None) -> str:
        """The version meant by a version, a label or neither. Raises UnknownModel, NotReady."""
        model = self._model(name)
        if version is not None:
            if version not in model.versions:
                there = ", ".join(model.versions)
                raise UnknownModel(f"no version {version!r} of model {name!r}; there is {there}")
            return version
        if label is not None and label not in model.labels:
            there = ", ".join(sorted(model.labels)) or "none"
            raise UnknownModel(f"no label {label!r} of model {name!r}; there is {there}")
        found = model.labels[label] if label is not None else model.default
        if found is None:
            faults = [f"{v}: {fault}" for (n, v), fault in self.faults().items() if n == name]
            raise NotReady(f"no version of model {name!r} is in service; {'; '.join(faults) or 'not yet'}")
        return found

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            self.check_ready()
            raise UnknownModel(f"no model {name!r}; there is {', '.join(self.names())}")
        return self._models[name]

    def _state(self, key: Key) -> State:
        fault = self._faults.get(key)
        return State(key[1], key in self._served, fault[0] if fault else None)

    async def _follow(self, name: str, listing: Listing) -> None:
        model = self._models.setdefault(name, _Model())
        pinned = self._following.policy == "pinned" and model.default is not None
        meant = dict(model.labels) if pinned else self._meant(name, listing)
        model.versions = tuple(listing.versions)
        for version in dict.fromkeys(meant.values()):
            await self._load((name, version))
        if not pinned:
            model.labels = self._in_service(name, meant)
            model.default = await self._newest(name, model)
        self._retire(name)

    def _meant(self, name: str, listing: Listing) -> dict[str, str]:
        """Label to version by the policy, as the registry would have it."""
        pins = self._following.pins
        if self._following.policy == "pinned" and name in pins:
            return {**listing.labels, STABLE: pins[name]}
        return dict(listing.labels)

    def _in_service(self, name: str, meant: Mapping[str, str]) -> dict[str, str]:
        """Labels to versions that are served: where the new one is refused, the old one stays."""
        before = self._models[name].labels
        chosen = {label: v if (name, v) in self._served else before.get(label) for label, v in meant.items()}
        return {label: version for label, version in chosen.items() if version is not None}

    async def _newest(self, name: str, model: _Model) -> str | None:
        """The version meant where a request names none."""
        if self._following.policy != "latest":
            return model.labels.get(STABLE)
        for version in reversed(model.versions):
            await self._load((name, version))
            if (name, version) in self._served:
                return version
        return model.default

    async def _load(self, key: Key) -> None:
        """Into service, unless it is there or refused; together with whoever else waits for it."""
        if key in self._served:
            return
        if key not in self._loading:
            task = asyncio.create_task(self._take_up(key), name="loading {}:{}".format(*key))
            self._loading[key] = task
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        await asyncio.shield(self._loading[key])

    async def _take_up(self, key: Key) -> None:
        async with self._alone:
            mark = await asyncio.to_thread(self._library.fingerprint, *key)
            if key in self._faults and self._faults[key][1] == mark:
                return
            try:
                network = await asyncio.to_thread(self._library.load, *key)
            except (ModelRefused, MissingError) as error:
                self._faults[key] = (str(error), mark)
                metrics.REFUSED.labels(*key).inc()
                log.error("version refused", model=key[0], version=key[1], error=str(error))  # noqa: TRY400 (told)
                return
        self._faults.pop(key, None)
        batcher = Batcher(network, self._limits, self._lane)
        batcher.start()
        self._served[key] = batcher
        metrics.LOADED.labels(*key).set(1)
        log.info("version in service", model=key[0], version=key[1])

    def _wanted(self, name: str) -> set[str]:
        """Versions in service by policy."""
        model = self._models[name]
        return {*model.labels.values(), *filter(None, [model.default])}

    def _keep_named(self, key: Key) -> None:
        """Keep a version because a request named it; the one not asked for the longest goes."""
        self._named.append(key)
        while len(self._named) > self._following.named:
            self._put_away(self._named.pop(0))

    def _retire(self, name: str) -> None:
        """Put away what no label and no request wants any more."""
        wanted = self._wanted(name)
        self._named = [key for key in self._named if key[0] != name or key[1] not in wanted]
        for key in [key for key in self._served if key[0] == name]:
            if key[1] not in wanted and key not in self._named:
                self._put_away(key)

    def _put_away(self, key: Key) -> None:
        batcher = self._served.pop(key)
        metrics.LOADED.labels(*key).set(0)
        log.info("version out of service", model=key[0], version=key[1])
        task = asyncio.create_task(batcher.close(), name="closing {}:{}".format(*key))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
