"""Sizing: what a deployment needs on paper, from what a core was measured to do. Writes the tables of scaling.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

#: Athletes at full load and watches that a core of worker keeps up with.
PER_CORE: Final = 1200
WATCHES_PER_CORE: Final = 2000
#: Memory of a worker, GB, and of each athlete, kB.
WORKER_GB: Final = 1.0
ATHLETE_KB: Final = 150
#: An athlete's share of traffic, kB/s: full frames, a watch's frames, scores, snapshots every 10 s. A snapshot, kB.
FRAMES: Final = 4.3
WATCH_FRAMES: Final = 0.4
SCORE: Final = 2.0
STATE: Final = 1.9
SNAPSHOT_KB: Final = 19
#: Scores a second that a core of sink serialises, that an InfluxDB takes, that a page's process reads.
SINK_CORE: Final = 5000
INFLUX: Final = 2000
INFLUX_CORES: Final = 2
PAGE: Final = 10_000
#: Viewers of a squad that a process of the page serves.
VIEWERS: Final = 2500
#: Values of a score, and what InfluxDB keeps of one, bytes.
VALUES: Final = 107
VALUE_BYTES: Final = 3
#: 99 % of latencies: so much, and so much for each athlete of a worker, ms. What is aimed at.
LATENCY_MS: Final = 150.0
LATENCY_PER_ATHLETE_MS: Final = 0.4
AIM_MS: Final = 250.0
#: Copies of everything in Kafka; writes that a broker of so many cores takes, MB/s; what Kafka keeps, days.
REPLICAS: Final = 3
BROKER_MB: Final = 100.0
BROKER_CORES: Final = 4
KEPT_DAYS: Final = 7
#: The most partitions of a topic that the settings allow.
MOST_PARTITIONS: Final = 1024
#: An hour of a core, a GB of disk for a month, a GB between zones, in any currency: assumptions.
CORE_HOUR: Final = 0.04
DISK_MONTH: Final = 0.08
ZONE_GB: Final = 0.01
MONTH_H: Final = 730.0
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Deployment:
    """``athletes`` at once at the peak, with full frames or those of a ``watch``; ``about`` them in words.

    ``day_s`` and ``kept_s``: seconds at the peak's load in the busiest day, and in the days that Kafka keeps.
    ``priced``: for what; ``machine_h``, ``peak_h``, ``disk_h``: hours of machines, of the peak's load, of disk in it.
    """

    name: str
    about: str
    athletes: int
    watch: bool
    day_s: float
    kept_s: float
    priced: str
    machine_h: float
    peak_h: float
    disk_h: float


DEPLOYMENTS: Final = (
    Deployment(
        "league", "ten matches at once, three sessions of two hours a week", 500, watch=False,
        day_s=7200, kept_s=3 * 7200, priced="a year", machine_h=8760, peak_h=3 * 2 * 52, disk_h=8760,
    ),
    Deployment(
        "marathon", "one race of five hours", 50_000, watch=True, day_s=5 * 3600, kept_s=5 * 3600,
        priced="a race, eight hours of machines", machine_h=8, peak_h=5, disk_h=7 * 24,
    ),
    Deployment(
        "vendor of wearables", "10 million devices, 3 % at the peak, a third of that on average", 300_000, watch=True,
        day_s=DAY_S / 3, kept_s=7 * DAY_S / 3, priced="an hour at the peak", machine_h=1, peak_h=1, disk_h=1,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Needs:
    """What a deployment needs; rates at the peak in MB/s, disk and traffic between zones in GB."""

    worker_cores: float
    workers: int
    workers_for_latency: int
    partitions: int
    worker_gb: float
    broker_in: float
    broker_out: float
    brokers: int
    broker_disk_gb: float
    sink_cores: float
    influx: int
    shard_gb: float
    pages: int
    cores: int
    zone_gb: float
    price: float


def needs(asked: Deployment) -> Needs:
    """By the formulas of scaling.md."""
    n, frames = asked.athletes, WATCH_FRAMES if asked.watch else FRAMES
    worker_cores = n / (WATCHES_PER_CORE if asked.watch else PER_CORE)
    workers = ceil(worker_cores) + 1
    for_latency = max(workers, ceil(n * LATENCY_PER_ATHLETE_MS / (AIM_MS - LATENCY_MS)) + 1)
    broker_in = n * (frames + SCORE + STATE) / 1000
    brokers = max(3, ceil(REPLICAS * broker_in / BROKER_MB))
    disk_gb = REPLICAS * n * ((frames + SCORE) * asked.kept_s + SNAPSHOT_KB) / 1e6
    sink_cores, influx, pages = n / SINK_CORE, ceil(n / INFLUX), ceil(n / PAGE)
    cores = BROKER_CORES * brokers + workers + ceil(sink_cores) + pages + INFLUX_CORES * influx
    zone_gb = broker_in * (REPLICAS - 1) * asked.peak_h * 3.6
    machines, disk = cores * asked.machine_h * CORE_HOUR, disk_gb * asked.disk_h / MONTH_H * DISK_MONTH
    return Needs(
        worker_cores=worker_cores,
        workers=workers,
        workers_for_latency=for_latency,
        partitions=min(MOST_PARTITIONS, 4 * for_latency),
        worker_gb=workers * WORKER_GB + n * ATHLETE_KB / 1e6,
        broker_in=broker_in,
        broker_out=n * (frames + 2 * SCORE) / 1000,
        brokers=brokers,
        broker_disk_gb=disk_gb,
        sink_cores=sink_cores,
        influx=influx,
        shard_gb=n * VALUES * VALUE_BYTES * asked.day_s / 1e9,
        pages=pages,
        cores=cores,
        zone_gb=zone_gb,
        price=machines + disk + zone_gb * ZONE_GB,
    )


def deployments() -> str:
    """The table of deployments."""
    found = [(one, needs(one)) for one in DEPLOYMENTS]
    rows: list[tuple[str, Callable[[Deployment, Needs], str]]] = [
        ("who", lambda d, _: d.about),
        ("athletes at once", lambda d, _: f"{d.athletes:,}"),
        ("what they send", lambda d, _: "a frame a second" if d.watch else "full load"),
        ("worker cores", lambda _, f: f"{f.worker_cores:,.1f}"),
        ("workers, one to spare", lambda _, f: f"{f.workers:,}"),
        (f"workers for {AIM_MS:g} ms", lambda _, f: f"{f.workers_for_latency:,}"),
        ("partitions", lambda _, f: f"{f.partitions:,}"),
        ("worker memory, GB", lambda _, f: f"{f.worker_gb:,.0f}"),
        ("into the brokers, MB/s", lambda _, f: f"{f.broker_in:,.1f}"),
        ("out of them, MB/s", lambda _, f: f"{f.broker_out:,.1f}"),
        (f"brokers of {BROKER_CORES} cores, {REPLICAS} copies", lambda _, f: f"{f.brokers:,}"),
        ("broker disk, GB", lambda _, f: f"{f.broker_disk_gb:,.0f}"),
        ("sink cores", lambda _, f: f"{f.sink_cores:,.1f}"),
        ("values into InfluxDB a second", lambda d, _: f"{d.athletes * VALUES:,}"),
        (f"InfluxDB servers of {INFLUX_CORES} cores", lambda _, f: f"{f.influx:,}"),
        ("a day's shards, GB", lambda _, f: f"{f.shard_gb:,.1f}"),
        ("page processes, if all are watched", lambda _, f: f"{f.pages:,}"),
        ("GPUs", lambda *_: "0"),
        ("cores in all", lambda _, f: f"{f.cores:,}"),
        ("between zones, GB", lambda _, f: f"{f.zone_gb:,.0f}"),
        ("price", lambda d, f: f"{f.price:,.0f} {d.priced}"),
    ]
    lines = [["", *(one.name for one, _ in found)], ["---"] * (len(found) + 1)]
    lines += [[told, *(say(*pair) for pair in found)] for told, say in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def constants() -> str:
    """The table of constants."""
    rows = [
        ("athletes that one core of worker keeps up with, of watches", "`A`", f"{PER_CORE:,}, {WATCHES_PER_CORE:,}"),
        ("memory of a worker without athletes, and for each", "`M0`, `m`", f"{WORKER_GB:g} GB, {ATHLETE_KB} kB"),
        ("telemetry of an athlete, of a watch", "`b_in`", f"{FRAMES}, {WATCH_FRAMES} kB/s"),
        ("scores", "`b_score`", f"{SCORE} kB/s"),
        ("snapshots, every 10 s", "`b_state`", f"{STATE} kB/s, {SNAPSHOT_KB} kB each"),
        ("99 % of latencies of a worker with `n` athletes", "`p99`",
         f"{LATENCY_MS:g} ms, and {LATENCY_PER_ATHLETE_MS} ms for each"),
        ("scores that a core of sink serialises", "`S`", f"{SINK_CORE:,}/s"),
        ("scores that an InfluxDB takes", "`I`", f"{INFLUX:,}/s, of {VALUES} values"),
        ("scores that a process of the page reads; decoding alone 40,000", "`P`", f"{PAGE:,}/s"),
        ("viewers that it serves, of squads of 22", "", f"{VIEWERS:,}"),
    ]  # fmt: skip
    lines = [("what", "symbol", "taken here"), ("---",) * 3, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
