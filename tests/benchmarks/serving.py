"""One-row predictions over HTTP: one after the other, many at once, and the network called directly.

``python -m tests.benchmarks.serving`` starts ``touchline models serve`` on a free port, prints medians and their
ratios as one JSON object, and stops it. Not a test: machines are noisy.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np

from models.artefact import SHIPPED
from models.labels import find_labelled
from models.servable import load_servable

REQUESTS = 400
AT_ONCE = 32
PATH = "/v1/models/injury:predict"
BODY: dict[str, Any] = {"instances": [np.zeros((14, 17)).tolist()]}


@contextmanager
def serving() -> Iterator[str]:
    """The model service in a process of its own; its address."""
    command = [sys.executable, "-m", "touchline.cli", "models", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://[\d.]+:\d+", line):
                    yield found[0]
                    return
            raise RuntimeError("the service ended before it served")
        finally:
            process.terminate()


async def ask(client: httpx.AsyncClient) -> float:
    """Seconds of one request."""
    began = time.perf_counter()
    (await client.post(PATH, json=BODY)).raise_for_status()
    return time.perf_counter() - began


async def measure(url: str) -> dict[str, Any]:
    """Latencies one after the other, and of many at once."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for _ in range(20):
            await ask(client)
        alone = [await ask(client) for _ in range(REQUESTS)]
        began = time.perf_counter()
        gate = asyncio.Semaphore(AT_ONCE)

        async def gated() -> float:
            async with gate:
                return await ask(client)

        beside = await asyncio.gather(*(gated() for _ in range(4 * REQUESTS)))
        took = time.perf_counter() - began
    return {
        "alone_ms": {"p50": 1e3 * statistics.median(alone), "p99": 1e3 * float(np.quantile(alone, 0.99))},
        "alone_per_s": len(alone) / sum(alone),
        "at_once": AT_ONCE,
        "at_once_ms": {"p50": 1e3 * statistics.median(beside), "p99": 1e3 * float(np.quantile(beside, 0.99))},
        "at_once_per_s": len(beside) / took,
    }


def direct_ms() -> float:
    """Median of the network called without a service, ms."""
    servable = load_servable(find_labelled(SHIPPED, "injury"), None)
    servable.warm_up()
    days = {"days": np.zeros((1, 14, 17), np.float32)}
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        servable(days)
        took.append(time.perf_counter() - began)
    return 1e3 * statistics.median(took)


def main() -> None:
    """Measure and print one JSON object."""
    with serving() as url:
        found = asyncio.run(measure(url))
    found["direct_ms"] = direct_ms()
    found["alone_over_direct"] = found["alone_ms"]["p50"] / found["direct_ms"]
    found["at_once_over_alone"] = found["at_once_per_s"] / found["alone_per_s"]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
