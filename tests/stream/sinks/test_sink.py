"""The sink as a process on a broker: killed, without its database, fed with rubbish. Nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.settings import load_settings
from stream.sinks.decode import decode_score
from stream.sinks.sink import create_sink
from stream.sinks.sqlite import SqliteStore
from stream.sinks.store import MAX_TIME_US, HistoryQuery, Store
from stream.topics import ALERTS, SCORES
from tests.servers import InfluxServer, KafkaServer, kafka_libs
from tests.stream.sinks.examples import NOON, SECOND, alert, score
from tests.stream.sinks.fakes import MemoryStore
from tests.stream.sinks.running import SinkProcess, Topics, until
from touchline.embedded import EmbeddedBroker

ATHLETES = [f"athlete {number}" for number in range(7)]


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """An Apache Kafka of this test's own, because the sink's topics have fixed names."""
    request.getfixturevalue("kafka_server")
    libs = kafka_libs()
    assert libs is not None
    with KafkaServer(libs) as server:
        yield server.bootstrap


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    """The test's own view of the file the sink writes."""
    opened = SqliteStore(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def some_scores(count: int, start: int = 0) -> list[dict[str, object]]:
    """``count`` distinct ids over a few athletes."""
    return [score(ATHLETES[n % len(ATHLETES)], n) for n in range(start, start + count)]


async def unwritten(topics: Topics, store: Store) -> list[tuple[str, int, int]]:
    """Records below a committed offset that the store does not hold: (topic, partition, offset)."""
    committed = await topics.committed()
    known = {one.id for one in store.alerts(None, 0, MAX_TIME_US)}
    times = {
        athlete: set(store.history(HistoryQuery(athlete, 0, MAX_TIME_US, ("final",))).times_us.tolist())
        for athlete in ATHLETES
    }
    missing = []
    for partition, records in (await topics.records()).items():
        for record in records[: committed.get(partition, 0)]:
            if record.topic == ALERTS:
                there = dict(record.headers)["ce_id"].decode() in known
            else:
                one = decode_score(record.value)
                there = one["window_end_us"] in times[one["athlete"]]
            if not there:
                missing.append((record.topic, record.partition, record.offset))
    return missing


async def all_committed(topics: Topics) -> bool:
    ends = {partition: len(records) for partition, records in (await topics.records()).items() if records}
    return await topics.committed() == ends


@pytest.mark.slow
async def test_a_sink_killed_midway_goes_on_where_it_was_and_loses_nothing(
    bootstrap: str, sqlite: SqliteStore, tmp_path: Path
) -> None:
    alerts = [alert(number, ATHLETES[number % 7]) for number in range(30)]
    async with Topics(bootstrap) as topics:
        await topics.send(some_scores(100))
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            await until(lambda: sqlite.count_scores() == 100, sink)
        assert await all_committed(topics)
        await topics.send(some_scores(400, start=100), alerts)
        small = {"chunk_max": "1"}  # many batches, so that there is a middle
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite"), **small) as sink:
            await until(lambda: sqlite.count_scores() > 100, sink)
            sink.process.send_signal(signal.SIGKILL)
            sink.process.wait()
        assert sqlite.count_scores() < 500
        assert await unwritten(topics, sqlite) == []
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            await until(lambda: sqlite.count_scores() == 500, sink)
            await until(lambda: len(sqlite.alerts(None, 0, MAX_TIME_US)) == 30, sink)
        assert sorted(sqlite.alerts(None, 0, MAX_TIME_US), key=lambda one: one.id) == sorted(
            alerts, key=lambda one: one.id
        )


@pytest.mark.slow
async def test_while_the_store_is_away_nothing_is_committed_and_afterwards_everything(
    bootstrap: str, sqlite: SqliteStore, tmp_path: Path
) -> None:
    async with Topics(bootstrap) as topics:
        await topics.send(some_scores(200), [alert()])
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            sink.trouble.touch()
            await until(lambda: sink.log.count("store is away") >= 3, sink)
            assert await topics.committed() == {}
            sink.trouble.unlink()
            await until(lambda: sqlite.count_scores() == 200, sink)
            sink.trouble.touch()
            seen = sink.log.count("store is away")
            await topics.send(some_scores(100, start=200))
            await until(lambda: sink.log.count("store is away") > seen, sink)
            assert sum((await topics.committed()).values()) <= 201
            assert await unwritten(topics, sqlite) == []
            sink.trouble.unlink()
            await until(lambda: sqlite.count_scores() == 300, sink)
            sink.process.terminate()
            assert sink.process.wait(20) == 0
        assert await all_committed(topics)


@pytest.mark.slow
async def test_rubbish_is_passed_over_and_acknowledged(
    bootstrap: str, sqlite: SqliteStore, tmp_path: Path
) -> None:
    async with Topics(bootstrap) as topics:
        for topic in (SCORES, ALERTS):
            for rubbish in (b"\xc1", b"{", None, b"\x80"):
                await topics.send_raw(topic, rubbish)
        await topics.send(some_scores(50), [alert()])
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            await until(lambda: sqlite.count_scores() == 50, sink)
            await until(lambda: len(sqlite.alerts(None, 0, MAX_TIME_US)) == 1, sink)
            sink.process.terminate()
            assert sink.process.wait(20) == 0
            assert sink.log.count("unreadable record") == 8
        assert await all_committed(topics)


@pytest.mark.slow
async def test_a_signal_ends_a_sink_that_waits_for_its_store(bootstrap: str, tmp_path: Path) -> None:
    async with Topics(bootstrap) as topics:
        await topics.send(some_scores(10))
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            sink.trouble.touch()
            await until(lambda: "store is away" in sink.log, sink)
            sink.process.terminate()
            assert sink.process.wait(20) == 0
        assert await topics.committed() == {}


@pytest.mark.slow
async def test_a_fault_of_ours_ends_the_process_and_commits_nothing(bootstrap: str, tmp_path: Path) -> None:
    async with Topics(bootstrap) as topics:
        await topics.send(some_scores(10))
        with SinkProcess(tmp_path, broker=bootstrap, store=str(tmp_path / "store.sqlite")) as sink:
            sink.trouble.write_text("fault")
            assert sink.process.wait(60) != 0
            assert "a fault of ours" in sink.log
        assert await topics.committed() == {}


@pytest.mark.slow
@pytest.mark.influx
async def test_influxdb_stopped_and_started_gets_everything(
    bootstrap: str, influx_server: InfluxServer, influx_bucket: str, influx_store: Store, tmp_path: Path
) -> None:
    flags = {
        "broker": bootstrap, "influx_url": influx_server.url, "influx_token": influx_server.token,
        "influx_org": influx_server.org, "influx_bucket": influx_bucket,
    }  # fmt: skip
    async with Topics(bootstrap) as topics:
        await topics.send(some_scores(300))
        with SinkProcess(tmp_path, **flags) as sink:
            await until(lambda: influx_store.count_scores() >= 60, sink)
            influx_server.kill()
            await topics.send(some_scores(100, start=300))
            await until(lambda: sink.log.count("store is away") >= 2, sink)
            while_away = await topics.committed()
            influx_server.start()
            assert sum(while_away.values()) < 400
            await until(lambda: influx_store.count_scores() == 400, sink)
        assert await unwritten(topics, influx_store) == []
        assert (
            len(
                influx_store.history(
                    HistoryQuery(ATHLETES[0], NOON, NOON + 400 * SECOND, ("final",))
                ).times_us
            )
            == 58
        )


@pytest.mark.slow
@pytest.mark.kafka
async def test_on_apache_kafka_one_of_two_sinks_is_killed_and_the_other_takes_over(
    kafka: str, sqlite: SqliteStore, tmp_path: Path
) -> None:
    flags = {"broker": kafka, "store": str(tmp_path / "store.sqlite")}
    (tmp_path / "second").mkdir()
    async with Topics(kafka) as topics:
        with SinkProcess(tmp_path, **flags) as first, SinkProcess(tmp_path / "second", **flags) as second:
            await topics.send(some_scores(400))
            await until(lambda: "Worker ready" in first.log and "Worker ready" in second.log, second)
            await until(lambda: sqlite.count_scores() >= 100, first)
            await topics.send(some_scores(600, start=400))
            await until(lambda: sqlite.count_scores() >= 450, first)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            assert sqlite.count_scores() < 1_000
            assert await unwritten(topics, sqlite) == []
            await until(lambda: sqlite.count_scores() == 1_000, second)
            second.process.terminate()
            assert second.process.wait(20) == 0
        assert await all_committed(topics)


def test_a_sink_without_a_broker_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="TOUCHLINE_BROKER"):
        create_sink(load_settings(), MemoryStore())
