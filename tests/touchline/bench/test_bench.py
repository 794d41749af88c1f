"""The benchmarks run and say what the contract names. How fast is no test's business."""

from __future__ import annotations

import json

import pytest

from stream.settings import load_settings
from touchline.bench.dispatch import DispatchConfig, run_dispatch
from touchline.bench.infer import InferConfig, run_infer
from touchline.bench.live import LiveConfig, run_live
from touchline.bench.meter import Meter
from touchline.bench.push import PushConfig, run_push
from touchline.bench.store import StoreConfig, run_store

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
    least, most = found["athletes_per_core_spread"]
    assert 0 < least <= found["athletes_per_core"] <= most
    assert found["rss_bytes_per_athlete"] is not None
    assert json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("engine", ["aiokafka", "faust_stock"])
async def test_a_peer_scores_the_same_load(engine: str) -> None:
    config = LiveConfig(athletes=3, seconds=5, engine=engine)
    found = await run_live(config, load_settings(), lambda _: None)
    assert found["lost"] == 0
    assert found["scores"] >= 3 * 5
    assert found["engine"] == engine


def test_inference_is_measured_beside_the_others_on_the_same_answers() -> None:
    config = InferConfig(sizes=(1, 30), seconds=0.05, runs=1)
    found = run_infer(config, lambda _: None)
    assert set(found["ratio"]) == {"tf_function", "onnxruntime", "model_predict"}
    assert all(rate > 0 for of in found["windows_per_s"].values() for rate in of.values())
    assert json.dumps(found, allow_nan=False)


def test_a_store_is_measured_in_lines_and_values() -> None:
    found = run_store(StoreConfig(scores=1_000, batch=300, runs=1), load_settings(), lambda _: None)
    assert found["lines_per_s"]["influx"] is None
    assert found["values_per_line"] > 90
    for name in ("serialised", "sqlite"):
        assert found["values_per_s"][name] > found["lines_per_s"][name] > 0


async def test_every_viewer_is_told() -> None:
    config = PushConfig(viewers=5, athletes=3, seconds=3)
    found = await run_push(config, load_settings(), lambda _: None)
    assert found["gone"] == 0
    assert found["frames_per_viewer_s"] > 0.5
    assert found["delay_ms"]["p50"] is not None


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
