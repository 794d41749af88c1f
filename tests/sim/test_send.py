"""Sending: order, partitions, ticks, and a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import msgpack
import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner

from sim.delivery import Delivery, Session
from sim.faults import parse_faults
from sim.send import SendReport, SendSettings, send, send_through
from sim.sessions import SessionConfig, simulate_session
from stream import topics
from stream.errors import BrokerUnavailable, TopicMismatch, UsageError
from tests.sim.fakes import NoTopics, Sent, SlowProducer
from tests.sim.sessions import SECOND_US, START_US, simulate
from touchline.embedded import EmbeddedBroker, free_port

FAST = SendSettings("nowhere:1", speed=None, tail_s=2)
TELEMETRY = {topics.WEARABLE, topics.VENUE}


def _tick(sent: Sent) -> int | None:
    tick = msgpack.unpackb(sent.value).get("tick") if sent.topic == topics.VENUE else None
    return None if tick is None else int(tick)


async def _sent(producer: SlowProducer, **config: Any) -> SendReport:
    return await send_through(producer, simulate(**config), FAST)


async def test_control_records_are_acknowledged_before_the_first_frame() -> None:
    producer = SlowProducer(ack_s=0.01)
    await _sent(producer, athletes=2)
    first = next(i for i, sent in enumerate(producer.sent) if sent.topic in TELEMETRY)
    assert [(sent.topic, sent.key) for sent in producer.sent[:first]] == [
        (topics.ATHLETES, b"A01"), (topics.ATHLETES, b"A02"), (topics.SESSIONS, b"sim-match-0-1760000000"),
    ]  # fmt: skip
    assert producer.sent[first].acknowledged_before >= 3


async def test_a_frame_goes_to_the_partition_of_its_key_with_simulated_time() -> None:
    producer = SlowProducer(partitions=4)
    await _sent(producer, athletes=12)
    frames = [sent for sent in producer.sent if sent.topic == topics.WEARABLE]
    parts = [0, 1, 2, 3]
    assert all(sent.partition == DefaultPartitioner()(sent.key, parts, parts) for sent in frames)
    assert len({sent.partition for sent in frames}) > 1
    expected = [d for d in simulate(athletes=12).deliveries if d.topic == topics.WEARABLE]
    assert [(s.key, s.value, s.timestamp_ms) for s in frames] == [
        (d.key, d.value, d.at_us // 1000) for d in expected
    ]


async def test_venue_wide_frames_and_ticks_go_to_every_partition() -> None:
    producer = SlowProducer(partitions=3)
    report = await _sent(producer, seconds=12)
    venue = [sent for sent in producer.sent if sent.topic == topics.VENUE]
    for value in {sent.value for sent in venue}:
        assert [sent.partition for sent in venue if sent.value == value] == [0, 1, 2]
    assert {sent.key for sent in venue} == {None}
    assert report.venue_frames_sent == 2
    assert report.ticks_sent == len({_tick(sent) for sent in venue} - {None})


async def test_ticks_come_every_second_and_go_on_for_the_tail() -> None:
    producer = SlowProducer(partitions=1)
    report = await _sent(producer, seconds=3)
    ticks = [(_tick(sent), sent.timestamp_ms) for sent in producer.sent if _tick(sent) is not None]
    assert report.last_us is not None
    last = (report.last_us + 2 * SECOND_US) // SECOND_US
    expected = range(START_US // SECOND_US + 1, last + 1)
    assert ticks == [(second * SECOND_US, second * 1000) for second in expected]


@pytest.mark.parametrize("ack_s", [0.0, 0.02])
async def test_a_tick_waits_for_all_before_it_and_records_wait_for_the_tick_but_one(ack_s: float) -> None:
    producer = SlowProducer(partitions=3, ack_s=ack_s)
    await _sent(producer, athletes=4, seconds=5, faults=parse_faults(["late:0.2:0.8"]))
    frames = {i: s for i, s in enumerate(producer.sent) if s.topic in TELEMETRY and _tick(s) is None}
    ticks = {i: tick for i, s in enumerate(producer.sent) if (tick := _tick(s)) is not None}
    for index, tick in ticks.items():
        done = set(producer.acknowledged[: producer.sent[index].acknowledged_before])
        before = {i for i, s in frames.items() if (s.timestamp_ms or 0) * 1000 < tick}
        assert before <= done
    for index, sent in frames.items():
        done = set(producer.acknowledged[: sent.acknowledged_before])
        second = (sent.timestamp_ms or 0) // 1000
        assert {i for i, tick in ticks.items() if tick // SECOND_US <= second - 1} <= done
        assert index > max((i for i, tick in ticks.items() if tick // SECOND_US < second), default=-1)


async def test_the_report_counts_what_was_sent() -> None:
    seen: list[tuple[float, int]] = []
    session = simulate(athletes=3, seconds=10, faults=parse_faults(["dropout:A02:2:4", "duplicate:0.1"]))
    report = await send_through(SlowProducer(), session, FAST, lambda s, n: seen.append((s, n)))
    assert report.faults.dropped == 20
    assert report.frames_sent == 300 - 20 + report.faults.duplicated
    assert sum(report.by_athlete.values()) == report.frames_sent
    assert set(report.by_athlete) == {"A01", "A02", "A03"}
    assert report.venue_frames_sent == 1
    assert report.first_us == START_US + 15_000
    assert report.max_behind_s == 0
    assert seen[0][0] == 1.0
    assert seen[-1] == (float(report.ticks_sent), report.frames_sent)


async def test_a_session_without_deliveries_sends_its_records_only() -> None:
    producer = SlowProducer()
    empty = Session([{"session": "s"}], [], START_US, iter(()))
    report = await send_through(producer, empty, FAST)
    assert (report.frames_sent, report.ticks_sent, report.first_us, report.last_us) == (0, 0, None, None)
    assert [sent.topic for sent in producer.sent] == [topics.SESSIONS]


async def test_real_time_keeps_pace_and_ticks_through_silence() -> None:
    def sparse() -> Iterator[Delivery]:
        for at_s in (0.1, 0.2, 2.4):
            yield Delivery(START_US + round(at_s * SECOND_US), topics.WEARABLE, b"A01", b"\x80")

    producer = SlowProducer(partitions=1)
    session = Session([{"session": "s"}], [], START_US, sparse())
    began = time.monotonic()
    report = await send_through(producer, session, SendSettings("nowhere:1", speed=4.0, tail_s=1))
    assert 0.7 < time.monotonic() - began < 2
    assert report.ticks_sent == 3
    assert report.max_behind_s < 0.3


async def test_a_broker_that_fails_midway_ends_the_sending() -> None:
    with pytest.raises(KafkaTimeoutError):
        await _sent(SlowProducer(fails_at=40), seconds=10)


async def test_missing_topics_are_named() -> None:
    with pytest.raises(TopicMismatch, match=r"telemetry\.wearable.*touchline topics create"):
        await send_through(NoTopics(), simulate(), SendSettings("nowhere:1", connect_s=0.05))


def test_a_speed_below_zero_is_refused() -> None:
    with pytest.raises(UsageError):
        SendSettings("nowhere:1", speed=0)


async def test_no_broker_is_said_in_one_line_after_trying_for_a_while() -> None:
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable) as error:
        await send(simulate(), SendSettings(address, connect_s=1.0))
    assert 0.4 < time.monotonic() - began < 6
    assert address in str(error.value)
    assert "--broker" in str(error.value)
    assert "\n" not in str(error.value)


async def _make_topics(bootstrap: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(spec.name, partitions if spec.partitioned else 1, 1)
                for spec in topics.TOPICS
                if spec.name in TELEMETRY | {topics.ATHLETES, topics.SESSIONS}
            ]
        )
    finally:
        await admin.close()


async def _read(bootstrap: str, topic: str, partitions: int) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        wanted = [TopicPartition(topic, p) for p in range(partitions)]
        consumer.assign(wanted)
        await consumer.seek_to_beginning(*wanted)
        ends = await consumer.end_offsets(wanted)
        records: list[Any] = []
        async with asyncio.timeout(20):
            while len(records) < sum(ends.values()):
                batches = await consumer.getmany(timeout_ms=500)
                records += [record for batch in batches.values() for record in batch]
        return records
    finally:
        await consumer.stop()


@pytest.mark.slow
async def test_a_real_broker_holds_every_record_in_its_place() -> None:
    config = SessionConfig(athletes=5, seconds=8, start_us=START_US, faults=parse_faults(["dropout:A02:3:5"]))
    with EmbeddedBroker() as broker:
        await _make_topics(broker.bootstrap, partitions=3)
        session = simulate_session(config, np.random.default_rng(0))
        report = await send(session, SendSettings(broker.bootstrap, speed=None, tail_s=2))
        wearable = await _read(broker.bootstrap, topics.WEARABLE, 3)
        venue = await _read(broker.bootstrap, topics.VENUE, 3)
        athletes = await _read(broker.bootstrap, topics.ATHLETES, 1)
    expected = [
        d for d in simulate_session(config, np.random.default_rng(0)).deliveries if d.topic == topics.WEARABLE
    ]
    assert report.frames_sent == len(wearable) == len(expected) == 5 * 80 - 20
    assert sorted(r.value for r in wearable) == sorted(d.value for d in expected)
    parts = [0, 1, 2]
    assert all(r.partition == DefaultPartitioner()(r.key, parts, parts) for r in wearable)
    for key in {d.key for d in expected}:
        assert [(r.timestamp, r.value) for r in wearable if r.key == key] == [
            (d.at_us // 1000, d.value) for d in expected if d.key == key
        ]
    for part in parts:
        own = [msgpack.unpackb(r.value) for r in venue if r.partition == part]
        ticks = [record["tick"] for record in own if "tick" in record]
        assert ticks == [START_US + s * SECOND_US for s in range(1, report.ticks_sent + 1)]
        assert len(own) == len(ticks) + 1
    assert [record.key for record in athletes] == [f"A{i:02d}".encode() for i in range(1, 6)]


@pytest.mark.slow
async def test_real_time_against_a_real_broker_does_not_lag() -> None:
    with EmbeddedBroker() as broker:
        await _make_topics(broker.bootstrap, partitions=4)
        starts_at = float(round(time.time()) + 1)
        config = SessionConfig(athletes=22, seconds=4, start_us=round(starts_at) * SECOND_US)
        session = simulate_session(config, np.random.default_rng(0))
        report = await send(session, SendSettings(broker.bootstrap, starts_at=starts_at, tail_s=0))
    assert report.frames_sent == 22 * 40
    assert report.max_behind_s < 0.5


@pytest.mark.slow
async def test_a_broker_that_goes_away_is_said_in_one_line() -> None:
    with EmbeddedBroker() as broker:
        await _make_topics(broker.bootstrap, partitions=1)

        def gone(simulated_s: float, _: int) -> None:
            if simulated_s == 2:
                broker.stop()

        settings = SendSettings(broker.bootstrap, speed=None, connect_s=2)
        with pytest.raises(BrokerUnavailable, match=broker.bootstrap) as error:
            await send(simulate(seconds=60), settings, gone)
    assert "\n" not in str(error.value)
