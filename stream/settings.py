"""Settings from flags, environment (``TOUCHLINE_…``) and a TOML file, in that order.

The only file that reads the environment.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from stream.clock import Clock
from stream.errors import SettingsError

PREFIX = "TOUCHLINE_"
#: Environment names with the prefix that are not settings: the file itself, and the tests' own.
NOT_SETTINGS = frozenset({"TOUCHLINE_CONFIG", "TOUCHLINE_REQUIRE_SERVERS"})


class Settings(BaseSettings):
    """Everything a Touchline process can be told.

    Field names are the TOML keys and, in capitals with the prefix, the environment's.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    broker: str | None = Field(
        None, description="Kafka bootstrap `host:port`; none starts the embedded broker"
    )
    partitions: int = Field(
        4, ge=1, le=1024, description="partitions of every telemetry, scores, alerts and state topic"
    )
    replication: int = Field(1, ge=1, le=5, description="replicas of a topic that `topics create` makes")
    group: str = Field("touchline", min_length=1, description="prefix of the Kafka consumer groups")

    influx_url: str | None = Field(None, description="InfluxDB 2 address; none stores in SQLite")
    influx_token: str = Field("", repr=False, description="InfluxDB token")
    influx_org: str = Field("touchline", description="InfluxDB organisation")
    influx_bucket: str = Field("touchline", description="InfluxDB bucket")
    store: Path = Field(Path("touchline.sqlite"), description="SQLite file of the embedded store")

    lateness_ms: int = Field(
        500, ge=0, le=60_000, description="how long a window waits behind the newest event, ms"
    )
    future_ms: int = Field(
        2_000, ge=0, le=3_600_000, description="a stamp further ahead of ingest time is clamped, ms"
    )
    silent_after_s: float = Field(
        10.0, gt=0, le=3_600, description="an athlete without frames for this long is stale, s"
    )
    snapshot_every_s: float = Field(10.0, gt=0, le=10.0, description="at most this long between snapshots, s")
    rebalance_timeout_s: float = Field(
        4.0, ge=1.0, le=300.0, description="how long a group waits for its members to rejoin, s"
    )
    delivery: Literal["chunks", "stock"] = Field(
        "chunks",
        description="how records come from Faust: many at once, or one by one as it comes, to compare",
    )
    chunk_max: int = Field(2_000, ge=1, le=100_000, description="records of one poll at most")
    chunk_within_ms: int = Field(
        50, ge=0, le=1_000, description="how long what comes gathers for a worker with nothing to do, ms"
    )

    shuffle: int | None = Field(
        None, description="cut chunks at random places by this seed, to verify replays"
    )

    model_dir: Path | None = Field(None, description="model registry; none takes the shipped models")
    model_policy: Literal["label", "latest", "pinned"] = Field(
        "label",
        description="which versions a worker runs: labelled, newest, or for good what was stable at start",
    )
    keys: Path = Field(
        Path("~/.config/touchline/keys"),
        description="signing key of this machine, and public keys trusted here",
    )
    model_passphrase: Path | None = Field(
        None, description="file whose first line seals the weights of new versions, and opens sealed ones"
    )
    rules: Path | None = Field(None, description="alert rules TOML; none takes the shipped rules")

    web_host: str = Field("127.0.0.1", description="address the page listens on")
    web_port: int = Field(8080, ge=0, le=65_535, description="port of the page; 0 takes a free one")
    web_token: str = Field(
        "", repr=False, description="token of the login link; empty makes a new one at start"
    )
    web_ticks: bool = Field(False, description="the web process writes the once-a-second ticks")
    serving_host: str = Field("127.0.0.1", description="address the model service listens on")
    serving_port: int = Field(
        8501, ge=0, le=65_535, description="port of the model service; 0 takes a free one"
    )
    serving_policy: Literal["label", "latest", "pinned"] = Field(
        "label", description="which version the model service takes where a request names none"
    )
    serving_poll_s: float = Field(
        5.0, gt=0, le=3_600, description="how often the model service looks at the registry, s"
    )
    serving_named: int = Field(
        2, ge=0, le=64, description="versions kept in service only because a request named them"
    )
    serving_rows: int = Field(256, ge=1, le=1_024, description="rows of one batch and of one request")
    serving_queue_rows: int = Field(
        1_024, ge=1, le=1_000_000, description="rows that may wait for one network; beyond them answer 429"
    )
    serving_delay_ms: float = Field(
        2.0, ge=0, le=100, description="how long a batch waits for further requests, ms"
    )
    serving_timeout_s: float = Field(
        10.0, gt=0, le=600, description="deadline of a request that names none, and the longest one, s"
    )
    serving_body_bytes: int = Field(
        1 << 24, ge=1 << 10, le=1 << 30, description="largest body of a request to the model service, bytes"
    )
    serving_frames: int = Field(
        50_000, ge=1, le=1_000_000, description="most frames of one request to score raw frames"
    )
    serving_seconds: int = Field(
        7_200, ge=1, le=100_000, description="most seconds scored for one such request, over its athletes"
    )

    metrics_host: str = Field("127.0.0.1", description="address of Prometheus metrics")
    metrics_port: int | None = Field(
        None, ge=0, le=65_535, description="port of Prometheus metrics; none: no port, 0: a free one"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")
    log_json: bool = Field(False, description="log lines as JSON")

    data: Path = Field(Path("../shared/data"), description="folder of real recordings for training and tests")
    cache: Path = Field(Path("~/.cache/touchline"), description="where test servers are built and kept")

    def clock(self) -> Clock:
        """How time is judged."""
        return Clock(
            lateness_us=self.lateness_ms * 1000,
            future_us=self.future_ms * 1000,
            silent_us=round(self.silent_after_s * 1e6),
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the TOML file named by ``TOUCHLINE_CONFIG``."""
        config = os.environ.get("TOUCHLINE_CONFIG")
        file = (TomlConfigSettingsSource(settings_cls, Path(config)),) if config else ()
        return (init_settings, env_settings, *file)


def load_settings(**flags: Any) -> Settings:
    """Settings with the ``flags`` that are not None on top.

    Raises :class:`~stream.errors.SettingsError` with one line that names the key.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | NOT_SETTINGS
    unknown = sorted(n for n in os.environ if n.upper().startswith(PREFIX) and n.upper() not in known)
    if unknown:
        raise SettingsError(f"unknown setting in the environment: {', '.join(unknown)}")
    config = os.environ.get("TOUCHLINE_CONFIG")
    if config and not Path(config).is_file():
        raise SettingsError(f"TOUCHLINE_CONFIG names {config}, which is not a file")
    try:
        return Settings(**{key: value for key, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_said(dict(e), config) for e in error.errors())) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{config}: {error}") from None


def _said(error: dict[str, Any], config: str | None) -> str:
    """One validation error in words."""
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{config}: unknown setting {name!r}"
    return f"setting {name}: {error['msg']}"
