"""Doctor: what Touchline would connect to with these settings, and whether it can."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from stream.admin import check_topics
from stream.alert import load_rules
from stream.errors import StoreUnavailable, TouchlineError
from stream.settings import Settings
from stream.sinks.open_store import open_store
from stream.web.app import STATIC
from touchline.embedded import EmbeddedBroker
from touchline.fleet import RegistryFleet


async def examine(settings: Settings) -> dict[str, Any]:
    """The JSON object of ``doctor --json``: ``ok`` and ``checks`` with ``name``, ``ok`` and ``detail``."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("python", _python),
        ("broker", _broker),
        ("store", _store),
        ("models", _models),
        ("rules", _rules),
        ("page", _page),
        ("recordings", _recordings),
    ]
    found = [await _tried(name, check, settings) for name, check in checks]
    return {"ok": all(entry["ok"] for entry in found), "checks": found}


async def _tried(
    name: str, check: Callable[[Settings], Awaitable[str]], settings: Settings
) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": await check(settings)}
    except TouchlineError as error:
        return {"name": name, "ok": False, "detail": str(error)}


async def _python(_: Settings) -> str:
    return f"{sys.version.split()[0]} at {sys.executable}"


async def _broker(settings: Settings) -> str:
    if settings.broker is None:
        with EmbeddedBroker() as broker:
            return f"none named: an embedded one starts in memory (tried on {broker.bootstrap})"
    partitions, differences = await check_topics(settings.broker)
    return f"{settings.broker}, {partitions} partitions" + "".join(f"; {text}" for text in differences)


async def _store(settings: Settings) -> str:
    def count() -> int:
        store = open_store(settings)
        try:
            return store.count_scores()
        finally:
            store.close()

    if settings.influx_url is None and not settings.store.exists():
        if not os.access(settings.store.resolve().parent, os.W_OK):
            raise StoreUnavailable(
                f"SQLite {settings.store}: its folder cannot be written; name another with --store"
            )
        return f"SQLite {settings.store}, not there yet"
    where = settings.influx_url or f"SQLite {settings.store}"
    return f"{where}, {await asyncio.to_thread(count)} scores"


async def _models(settings: Settings) -> str:
    return ", ".join(RegistryFleet(settings).check().values())


async def _rules(settings: Settings) -> str:
    return ", ".join(rule.name for rule in load_rules(settings.rules))


async def _page(_: Settings) -> str:
    built = (STATIC / "index.html").is_file()
    return f"built in {STATIC}" if built else "not built: `make setup` builds it; the API works without"


async def _recordings(settings: Settings) -> str:
    there = settings.data.is_dir()
    return (
        f"{settings.data}" if there else f"none at {settings.data}: needed to train and for some tests only"
    )
