"""The benchmarks run and say what the contract names. How fast is no test's business."""

from __future__ import annotations

import json

import pytest

from stream.settings import load_settings
from touchline.bench.dispatch import DispatchConfig, run_dispatch
from touchline.bench.live import LiveConfig, run_live
from touchline.bench.meter import Meter

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("raw", [True, False])
def test_contenders_get_records(raw: bool) -> None:
    config = DispatchConfig(records=60_000, seconds=1.0, runs=1, raw=raw, names=("touchline", "aiokafka"))
    found = run_dispatch(config, None, lambda _: None)
    assert set(found["records_per_s"]) == set(config.names)
    for name, rate in found["records_per_s"].items():
        low, high = found["spread"][name]
        assert 0 < low <= rate <= high
    assert found["decoded"] is not raw


async def test_a_small_load_is_kept_up_with_and_nothing_is_lost() -> None:
    found = await run_live(LiveConfig(athletes=5, seconds=5), load_settings(), lambda _: None)
    assert found["kept_up"] is True
    assert found["lost"] == 0
    assert found["scores"] >= 5 * 5
    assert found["worker_cpu_s"] > 0
    assert found["rss_bytes_per_athlete"] is not None
    assert json.dumps(found, allow_nan=False)


def test_the_first_records_start_the_clock_and_do_not_count() -> None:
    ended: list[int] = []

    class Watched(Meter):
        def end(self) -> None:
            ended.append(self._after_first)

    meter = Watched(count=10, seconds=60)
    meter.add(7)
    assert not ended
    meter.add(3)
    assert ended == [3]
