"""Dispatch: records per second from broker to agent, ours beside what others would build with."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from stream.errors import BrokerUnavailable, MissingError, TouchlineError
from touchline.bench.contenders import CONTENDERS
from touchline.bench.load import FIRST_T0_US, FRAME_US, Load
from touchline.bench.meter import NOTHING
from touchline.embedded import EmbeddedBroker

PARTITIONS: Final = 4
ATHLETES: Final = 1000
#: A contender may take so long to begin, s.
BEGIN_S: Final = 60.0
FLUSH_S: Final = 60.0

Tell = Callable[[str], None]


class ContenderFailed(TouchlineError):
    """A contender ended without figures; the message carries the end of what it said."""


@dataclass(frozen=True, slots=True)
class DispatchConfig:
    """``records`` in the topic; each of the contenders ``names`` reads them once a run, for ``seconds`` at most."""

    records: int = 300_000
    seconds: float = 4.0
    runs: int = 3
    raw: bool = False
    names: tuple[str, ...] = tuple(CONTENDERS)


def run_dispatch(config: DispatchConfig, broker: str | None, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench dispatch --json``. Raises MissingError without confluent-kafka."""
    with ExitStack() as stack:
        bootstrap = broker or stack.enter_context(EmbeddedBroker()).bootstrap
        topic = f"bench-{uuid.uuid4().hex[:8]}"
        fill(bootstrap, topic, config.records, tell)
        found: dict[str, list[float]] = {name: [] for name in config.names}
        for run in range(config.runs):
            for name, rates in found.items():
                tell(f"run {run + 1} of {config.runs}: {name}")
                if (rate := _rate(name, bootstrap, topic, config)) is not None:
                    rates.append(rate)
    medians = {name: round(statistics.median(rates)) if rates else None for name, rates in found.items()}
    stock, ours = medians.get("faust_stock"), medians.get("touchline")
    return {
        "records_per_s": medians,
        "spread": {name: [round(min(r)), round(max(r))] if r else None for name, r in found.items()},
        "ratio_vs_faust_stock": round(ours / stock, 2) if ours and stock else None,
        "decoded": not config.raw,
        "runs": config.runs,
        "partitions": PARTITIONS,
    }


def fill(bootstrap: str, topic: str, records: int, tell: Tell) -> None:
    """Make a topic and put frames in it."""
    try:
        from confluent_kafka import KafkaException, Producer  # noqa: PLC0415 (only benchmarks send with it)
        from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415
    except ImportError:
        raise MissingError("benchmarks send with confluent-kafka: pip install 'touchline[dev]'") from None
    tell(f"sending {records} frames")
    admin = AdminClient({"bootstrap.servers": bootstrap})
    try:
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(timeout=FLUSH_S)
    except KafkaException as error:
        raise BrokerUnavailable(f"no Kafka broker answers at {bootstrap} ({error}); is it running?") from None
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 1_000_000,
                         "queue.buffering.max.messages": 2 * records})  # fmt: skip
    load, sent = Load(ATHLETES), 0
    while sent < records:
        number = sent // ATHLETES
        for key, value in load.tick(number, FIRST_T0_US + number * FRAME_US):
            producer.produce(topic, value, key)
            sent += 1
        producer.poll(0)
    if left := producer.flush(FLUSH_S):
        raise BrokerUnavailable(f"{left} of {sent} frames were not taken by {bootstrap} in {FLUSH_S:.0f} s")


def _rate(name: str, bootstrap: str, topic: str, config: DispatchConfig) -> float | None:
    """Records per second of one contender in a process of its own; None where its engine is not installed."""
    command = [sys.executable, "-m", "touchline.bench.contenders", name, bootstrap, topic]
    # The first poll does not count, and how much it brings is the engine's choice: stop well before the end.
    command += ["--count", str(config.records * 9 // 10), "--seconds", str(config.seconds)]
    try:
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
            ended = subprocess.run(  # noqa: S603 (our own interpreter and module)
                [*command, "--raw"] if config.raw else command,
                cwd=folder,  # some engines keep files where they stand
                capture_output=True, text=True, timeout=BEGIN_S + config.seconds, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ContenderFailed(f"{name} got no records in {BEGIN_S:.0f} s") from None
    if ended.returncode == NOTHING:
        return None
    lines = [line[line.index("{") :] for line in ended.stdout.splitlines() if "{" in line]
    if ended.returncode or not lines:
        raise ContenderFailed(f"{name} ended with {ended.returncode}: {ended.stderr[-800:]}")
    rate = json.loads(lines[-1])["records_per_s"]
    if rate is None:
        raise ContenderFailed(f"{name} got all records at once: put more in the topic with --records")
    return float(rate)
