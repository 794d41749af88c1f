"""Replay: recorded files through the whole path, and the proof that two runs of it are the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sim.delivery import Session
from sim.readers import read
from sim.recording import Recording, deliveries
from sim.send import SendReport, SendSettings, send
from stream.admin import check_topics, create_topics
from stream.errors import TouchlineError
from stream.settings import Settings
from touchline.collect import Collected, Collector, athlete_rows, compare, digest
from touchline.embedded import EmbeddedBroker
from touchline.processes import Processes, environment

#: Without any new record for this long, a run that is not complete is given up, s.
PATIENCE_S: Final = 60.0
#: Seeds of the random cuts that the verifying run makes.
SHUFFLES: Final = (1, 2)

Progress = Callable[[str], None]


class Incomplete(TouchlineError):
    """Frames were sent that neither a score nor a refusal accounts for."""


@dataclass(frozen=True, slots=True)
class Run:
    """How to run: ``workers`` of our own, each cutting chunks at random by its seed in ``shuffles`` if any.

    ``bootstrap``: a broker to use, None for an embedded one.
    """

    workers: int
    shuffles: tuple[int, ...] = ()
    bootstrap: str | None = None


def read_all(
    files: Sequence[Path], vendor: str | None = None, companion: Path | None = None
) -> list[Recording]:
    """All recordings of all files. Raises UnreadableFile or MissingError naming the file."""
    return [recording for file in files for recording in read(file, vendor, companion)]


async def replay(
    recordings: Sequence[Recording], settings: Settings, run: Run, tell: Progress
) -> tuple[SendReport, Collected]:
    """Send recordings as fast as the broker takes them, on a throwaway one as strangers; see :func:`run_through`."""
    session = as_session(recordings)
    return await run_through(session if run.bootstrap else strangers(session), settings, run, tell)


async def run_through(
    session: Session, settings: Settings, run: Run, tell: Progress, speed: float | None = None
) -> tuple[SendReport, Collected]:
    """Send a session and gather what comes of it.

    Raises Incomplete when frames stay unaccounted for, BrokerUnavailable, TopicMismatch or ChildFailed.
    """
    async with AsyncExitStack() as stack:
        bootstrap = run.bootstrap or stack.enter_context(EmbeddedBroker()).bootstrap
        if run.bootstrap is None:
            await create_topics(bootstrap, settings.partitions)
        await check_topics(bootstrap)
        processes = stack.enter_context(Processes(throwaway=run.bootstrap is None))
        tell("starting broker and workers" if run.bootstrap is None else "starting")
        start_workers(processes, settings, bootstrap, run)
        collector = Collector(bootstrap)
        await collector.start()
        stack.push_async_callback(collector.stop)
        await processes.wait_ready()
        how = SendSettings(bootstrap, speed=speed, tail_s=15)
        return await _send_and_collect(session, how, collector, (processes, tell)), collector.seen


def start_workers(processes: Processes, settings: Settings, bootstrap: str, run: Run) -> None:
    """Start the run's workers."""
    for number in range(run.workers):
        shuffle = run.shuffles[number] if run.shuffles else None
        group = f"{settings.group}-replay" if run.bootstrap else settings.group
        child = environment(
            settings, broker=bootstrap, group=group, shuffle=shuffle, metrics_port=0, rebalance_timeout_s=2.0
        )
        processes.start(f"worker-{number + 1}", "worker", child)


async def _send_and_collect(
    session: Session, how: SendSettings, collector: Collector, around: tuple[Processes, Progress]
) -> SendReport:
    processes, tell = around

    def progress(_at: float, frames: int) -> None:
        tell(f"sent {frames} frames, {len(collector.seen.scores)} scores")

    sending = asyncio.create_task(send(session, how, progress))
    last = time.monotonic()
    try:
        while not sending.done() or collector.seen.accounted() < sending.result().frames_sent:
            processes.check()
            last = time.monotonic() if await collector.step() or not sending.done() else last
            tell(f"{len(collector.seen.scores)} scores")
            if time.monotonic() - last > PATIENCE_S:
                raise Incomplete(_what_is_missing(sending.result(), collector.seen))
    finally:
        sending.cancel()
    await _settle(collector)
    return sending.result()


async def _settle(collector: Collector) -> None:
    """Frames are all accounted for; the alerts of the last ticks may still be on their way."""
    quiet = 0
    while quiet < 3:
        quiet = 0 if await collector.step(500) else quiet + 1


def _what_is_missing(report: SendReport, seen: Collected) -> str:
    lost = report.frames_sent - seen.accounted()
    return f"{lost} of {report.frames_sent} frames are in no score and not refused; is a worker running?"


def as_session(recordings: Sequence[Recording]) -> Session:
    """Recordings as something to be sent."""
    merged = deliveries(recordings)
    return Session(merged.sessions, merged.athletes, merged.start_us, merged.deliveries)


def strangers(session: Session) -> Session:
    """The same, of athletes without a squad.

    Days pass in seconds here: whether a mate's last session is known when one begins would be chance.
    """
    return replace(session, athletes=[athlete | {"squad": None} for athlete in session.athletes])


def report_of(files: Sequence[Path], report: SendReport, seen: Collected) -> dict[str, Any]:
    """The JSON object of ``replay --json``."""
    return {
        "files": [str(file) for file in files],
        "frames_sent": report.frames_sent,
        "frames_rejected": seen.frames_rejected,
        "frames_late": seen.reasons["late"],
        "frames_duplicate": seen.reasons["duplicate"],
        "scores": len(seen.scores),
        "athletes": athlete_rows(seen),
        "digest": digest(seen),
    }


async def verify(recordings: Sequence[Recording], settings: Settings, tell: Progress) -> dict[str, Any]:
    """One worker against two with chunks cut at random, each on a fresh embedded broker.

    The one worker has the delivery that ``settings`` name, the two always have chunks.
    """
    _, one = await replay(recordings, settings, Run(1), lambda text: tell(f"one worker: {text}"))
    chunks = settings.model_copy(update={"delivery": "chunks"})
    _, two = await replay(recordings, chunks, Run(2, SHUFFLES), lambda text: tell(f"two workers: {text}"))
    digests = digest(one), digest(two)
    agree, largest = compare(one, two)
    return {
        "equal": agree and digests[0] == digests[1],
        "digest_a": digests[0],
        "digest_b": digests[1],
        "max_abs_diff": largest,
        "scores": len(one.scores),
        "workers": [1, 2],
    }
