"""Which store the settings mean. The only place that knows every store."""

from __future__ import annotations

from stream.settings import Settings
from stream.sinks.influx import InfluxStore
from stream.sinks.sqlite import SqliteStore
from stream.sinks.store import Store


def open_store(settings: Settings) -> Store:
    """InfluxDB where an address is set, else SQLite.

    Raises :class:`~stream.errors.StoreUnavailable` when the SQLite file cannot be written; InfluxDB may be away.
    """
    if settings.influx_url is None:
        return SqliteStore(settings.store)
    return InfluxStore(
        settings.influx_url, settings.influx_token, settings.influx_org, settings.influx_bucket
    )
