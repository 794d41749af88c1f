"""All benchmarks one after the other, and ``docs/performance.md`` of what they say.

``python -m tests.benchmarks.report`` measures; ``--from FILE`` writes the page from figures that were kept.

Every figure on the page is of one run of this on one machine; what is met and what is missed is worked out of them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template

from tests.servers import InfluxServer, influxd_binary

PAGE = Path(__file__).parents[2] / "docs/performance.md"
#: Athletes and workers; the last one is also what the peers get, and measured for longer.
GROWTH = ((100, 1), (1000, 1), (1000, 2), (1000, 4), (10_000, 1), (2000, 1))
LONGER_S = 15
#: Latency is told at this share of the largest load that one worker keeps up with.
BELOW = 0.8
#: What the dispatch commands are asked for.
RUNS = 2
SECONDS = 6
PACKAGES = (
    "faust-streaming",
    "aiokafka",
    "quixstreams",
    "bytewax",
    "confluent-kafka",
    "tensorflow",
    "onnxruntime",
)


def bench(loops_s: list[float], *arguments: str, **environment: str) -> dict[str, Any]:
    """One ``touchline bench`` command's JSON; before it the machine's speed of the moment is noted."""
    loops_s.append(plain_loop_s())
    sys.stderr.write(f"bench {' '.join(arguments)}\n")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "touchline.cli", "bench", *arguments, "--json"],
        stdout=subprocess.PIPE, env=os.environ | environment, text=True, check=True,
    )  # fmt: skip
    sys.stderr.write(f"  {time.monotonic() - began:.0f} s\n")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure() -> dict[str, Any]:
    """Run everything."""
    loops_s: list[float] = []
    with ExitStack() as stack:
        influx = {}
        if (binary := influxd_binary()) is not None:
            server = stack.enter_context(InfluxServer(binary))
            influx = {
                "TOUCHLINE_INFLUX_URL": server.url, "TOUCHLINE_INFLUX_TOKEN": server.token,
                "TOUCHLINE_INFLUX_ORG": server.org, "TOUCHLINE_INFLUX_BUCKET": server.bucket,
            }  # fmt: skip
        store = bench(loops_s, "store", **influx)
    infer = bench(loops_s, "infer", "--runs", "2")
    push = bench(loops_s, "push")
    raw = bench(loops_s, "dispatch", "--runs", str(RUNS), "--raw")
    decoded = bench(loops_s, "dispatch", "--runs", str(RUNS))
    live: list[dict[str, Any]] = []
    for athletes, workers in GROWTH:
        load = ["--athletes", str(athletes), "--workers", str(workers)]
        last = (athletes, workers) == GROWTH[-1]
        how = ["--seconds", str(LONGER_S), "--peers"] if last else ["--seconds", str(SECONDS)]
        live.append(bench(loops_s, "live", *load, *how))
    if below := round(BELOW * ceiling(live)):
        live.insert(1, bench(loops_s, "live", "--athletes", str(below), "--seconds", str(SECONDS)))
    loops_s.append(plain_loop_s())
    found = {"raw": raw, "decoded": decoded, "live": live, "infer": infer, "store": store, "push": push}
    return found | {"loops_s": loops_s}


def plain_loop_s() -> float:
    """What a plain Python loop takes, s: the yardstick between machines, and between days on one."""
    began = time.perf_counter()
    total = 0
    for each in range(5_000_000):
        total += each
    return round(time.perf_counter() - began, 2)


def machine() -> str:
    """What this ran on, in a sentence."""
    about = Path("/proc/cpuinfo").read_text()
    name = next(line.split(":")[1].strip() for line in about.splitlines() if line.startswith("model name"))
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"{name}, {os.cpu_count()} cores that broker, load and worker share, {gib:.0f} GiB, no GPU; "
        f"{platform.system()}, Python {platform.python_version()}; {packages}. "
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}."
    )


def commit() -> str:
    """The commit that was measured."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 0) -> str:
    """With thousands set apart; words for what was not measured."""
    return "not measured" if value is None else f"{value:,.{digits}f}"


def dispatch_table(raw: Mapping[str, Any], decoded: Mapping[str, Any]) -> str:
    """Records per second of each contender, and how many times that ours is."""
    rows = []
    for name in raw["records_per_s"]:
        row = [f"`{name}`"]
        for found in (raw, decoded):
            theirs, ours = found["records_per_s"][name], found["records_per_s"]["touchline"]
            spread = found["spread"][name]
            told = "" if spread is None else f" ({number(spread[0])} to {number(spread[1])})"
            row += [number(theirs) + told, number(ours / theirs, 2) if theirs else "not measured"]
        rows.append(row)
    return table(
        [
            "engine",
            "bytes, records/s",
            "ours is so many times that",
            "decoded, records/s",
            "ours is so many times that",
        ],
        rows,
    )


def live_table(live: list[dict[str, Any]]) -> str:
    """How cost grows with the athletes of one worker."""
    rows = [
        [
            number(one["athletes"]), str(one["workers"]), "yes" if one["kept_up"] else "no",
            per_core(one), *(number(one["latency_ms"][p]) for p in ("p50", "p95", "p99")),
            number(one["rss_bytes_per_athlete"] / 1000),
            number(one["lost"]) if one["kept_up"] else "some still waited",
        ]
        for one in sorted(live, key=lambda one: (one["workers"], one["athletes"]))
    ]  # fmt: skip
    head = [
        "athletes",
        "workers",
        "kept up",
        "athletes per core",
        "p50, ms",
        "p95",
        "p99",
        "kB per athlete",
        "frames lost",
    ]
    return table(head, rows)


def per_core(one: Mapping[str, Any]) -> str:
    """Athletes per core, and the least and the most of the parts of the time that was measured."""
    spread = one["athletes_per_core_spread"]
    told = "" if spread is None else f" ({number(spread[0])} to {number(spread[1])})"
    return number(one["athletes_per_core"]) + told


def ceiling(live: list[dict[str, Any]]) -> int:
    """The most athletes that one worker kept up with, 0 where it never did."""
    return max((one["athletes"] for one in live if one["workers"] == 1 and one["kept_up"]), default=0)


def below_the_ceiling(live: list[dict[str, Any]]) -> dict[str, Any]:
    """The measurement that latency is told of: four fifths of the ceiling, or else the smallest load."""
    alone = [one for one in live if one["workers"] == 1]
    below = round(BELOW * ceiling(alone))
    return next((one for one in alone if one["athletes"] == below), alone[0])


def peers_table(live: list[dict[str, Any]]) -> str:
    """The same stages behind other engines."""
    ours = live[-1]
    rows = [["`touchline`", number(ours["athletes"]), "yes" if ours["kept_up"] else "no",
             per_core(ours), "1", number(ours["latency_ms"]["p99"])]]  # fmt: skip
    for name, one in ours["peers"].items():
        each = one["athletes_per_core"]
        times = number(ours["athletes_per_core"] / each, 1) if each else "not measured"
        rows.append([f"`{name}`", number(one["athletes"]), "yes" if one["kept_up"] else "no", per_core(one), times,
                     number(one["latency_ms"]["p99"])])  # fmt: skip
    return table(
        ["engine", "athletes", "kept up", "athletes per core", "ours is so many times that", "p99, ms"], rows
    )


def infer_table(infer: Mapping[str, Any]) -> str:
    """Windows per second by size of batch."""
    sizes = list(infer["windows_per_s"]["touchline"])
    rows = []
    for name, rates in infer["windows_per_s"].items():
        ratios = infer["ratio"].get(name, {})
        cells = [f"{number(rates[s])} ({infer['latency_ms'][name][s]} ms)" for s in sizes]
        if ratios:
            cells = [f"{cell}, {ratios[s]} times ours" for cell, s in zip(cells, sizes, strict=True)]
        rows.append([f"`{name}`", *cells])
    return table(["engine", *(f"{size} windows" for size in sizes)], rows)


def store_table(store: Mapping[str, Any]) -> str:
    """Lines and values per second."""
    names = {"serialised": "line protocol alone", "sqlite": "SQLite", "influx": "InfluxDB"}
    rows = [
        [told, number(store["lines_per_s"][name]), number(store["values_per_s"][name])]
        for name, told in names.items()
    ]
    return table(["into", "scores/s", "values/s"], rows)


def targets(found: Mapping[str, Any]) -> str:
    """What was aimed at, what was measured, met or missed."""
    raw, decoded = found["raw"]["records_per_s"], found["decoded"]["records_per_s"]
    live, infer, store = found["live"], found["infer"], found["store"]
    late, lines = below_the_ceiling(live), store["lines_per_s"]
    peers, top = live[-1]["peers"], live[-1]
    ours_raw = raw["touchline"]
    each = {name: one["athletes_per_core"] or 0 for name, one in peers.items()}
    rows: list[tuple[str, str, bool]] = [
        ("raw dispatch ≥ 20 times stock Faust", f"{ours_raw / raw['faust_stock']:.1f} times",
         ours_raw >= 20 * raw["faust_stock"]),
        ("raw dispatch ahead of Quix Streams and Bytewax",
         f"{ours_raw / raw['quixstreams']:.2f} and {ours_raw / raw['bytewax']:.2f} times",
         ours_raw > max(raw["quixstreams"], raw["bytewax"])),
        ("raw dispatch within 1.4 times of a plain aiokafka loop", f"{raw['aiokafka'] / ours_raw:.2f} times",
         raw["aiokafka"] <= 1.4 * ours_raw),
        ("decoded ≥ 8 times stock Faust", f"{decoded['touchline'] / decoded['faust_stock']:.1f} times",
         decoded["touchline"] >= 8 * decoded["faust_stock"]),
        ("≥ 3,000 athletes per core", number(top["athletes_per_core"]), top["athletes_per_core"] >= 3000),
        ("≥ 10 times stock Faust in athletes per core", f"{top['athletes_per_core'] / each['faust_stock']:.1f} times",
         top["athletes_per_core"] >= 10 * each["faust_stock"]),
        ("athletes per core ahead of every peer", ", ".join(f"{n} {number(v)}" for n, v in each.items()),
         top["athletes_per_core"] > max(each.values())),
        (f"p99 below 250 ms (at {number(late['athletes'])} athletes)", f"{late['latency_ms']['p99']:.0f} ms",
         late["latency_ms"]["p99"] < 250),
        (f"memory below 100 kB per athlete (at {number(late['athletes'])})",
         f"{late['rss_bytes_per_athlete'] / 1000:.0f} kB", late["rss_bytes_per_athlete"] < 100_000),
        ("inference ahead of ONNX Runtime at 1,024", f"{infer['ratio']['onnxruntime']['1024']} times",
         infer["ratio"]["onnxruntime"]["1024"] > 1),
        ("within 1.3 times of ONNX Runtime at 30", f"{1 / infer['ratio']['onnxruntime']['30']:.2f} times",
         infer["ratio"]["onnxruntime"]["30"] >= 1 / 1.3),
        ("≥ 20 times `model.predict` at 30", f"{infer['ratio']['model_predict']['30']} times",
         infer["ratio"]["model_predict"]["30"] >= 20),
        ("≥ 100,000 points/s serialised",
         (f"{number(lines['serialised'])} points of {number(store['values_per_line'])} values:"
          f" {number(store['values_per_s']['serialised'])} values/s"), lines["serialised"] >= 100_000),
        ("InfluxDB is the limit, not serialising",
         f"{lines['serialised'] / lines['influx']:.1f} times what it takes" if lines["influx"] else number(None),
         lines["serialised"] > (lines["influx"] or float("inf"))),
    ]  # fmt: skip
    return table(
        ["aimed at", "measured", ""], [[aim, told, "met" if met else "**missed**"] for aim, told, met in rows]
    )


def page(found: Mapping[str, Any]) -> str:
    """The whole page."""
    template = Template(
        (Path(__file__).parent / "performance.md.jinja").read_text(), undefined=StrictUndefined
    )
    written: str = template.render(
        found,
        machine=machine(),
        number=number,
        targets=targets(found),
        dispatch=dispatch_table(found["raw"], found["decoded"]),
        growth=live_table(found["live"]),
        peers=peers_table(found["live"]),
        windows=infer_table(found["infer"]),
        stores=store_table(found["store"]),
    )
    return written


def main() -> None:
    """Measure everything and write the page; with ``--from FILE`` from figures that were kept."""
    kept = sys.argv[2] if sys.argv[1:2] == ["--from"] else None
    found = measure() if kept is None else json.loads(Path(kept).read_text())
    PAGE.write_text(page(found) + "\n")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
