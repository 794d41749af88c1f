"""Two logs into one order: whatever arrives when, the sequence is the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.merge import PartitionMerge
from stream.records import Record

BEGIN = (0, -1)


def log(stamps: list[int], *, venue: bool) -> list[Record]:
    return [Record(venue, 0, offset, at_us, None, b"") for offset, at_us in enumerate(stamps)]


def place(record: Record) -> tuple[bool, int]:
    return record.venue, record.offset


def one_by_one_until_the_end(merge: PartitionMerge, arrivals: list[list[Record]]) -> list[Record]:
    """Push batch by batch; only at the end say that both logs are at their ends."""
    out = [record for batch in arrivals for record in merge.push(batch)]
    for venue in (False, True):
        out += merge.drained(venue=venue, end=merge.received(venue=venue))
    return out


def merged(wearable: list[Record], venue: list[Record]) -> list[Record]:
    """The order by definition: running maximum of the stamps, the venue first on ties."""

    def lifted(records: list[Record]) -> list[tuple[int, bool, int, Record]]:
        seen, out = -1, []
        for record in records:
            seen = max(seen, record.at_us)
            out.append((seen, not record.venue, record.offset, record))
        return out

    return [entry[-1] for entry in sorted(lifted(wearable) + lifted(venue), key=lambda e: e[:3])]


def batches(records: dict[bool, list[Record]], takes: list[tuple[bool, int]]) -> list[list[Record]]:
    """Each take is a batch of one log; what no take reached comes last."""
    left = {venue: list(log) for venue, log in records.items()}
    out = []
    for venue, count in takes:
        out.append(left[venue][:count])
        left[venue] = left[venue][count:]
    return [*out, left[False] + left[True]]


stamps = st.lists(st.integers(0, 20), max_size=12)
takes = st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=8)


@settings(max_examples=100, deadline=None)
@given(stamps, stamps, takes)
def test_however_two_logs_arrive_the_order_is_the_same(
    a: list[int], b: list[int], cuts: list[tuple[bool, int]]
) -> None:
    wearable, venue = log(a, venue=False), log(b, venue=True)
    out = one_by_one_until_the_end(
        PartitionMerge(BEGIN, BEGIN), batches({False: wearable, True: venue}, cuts)
    )
    assert [place(r) for r in out] == [place(r) for r in merged(wearable, venue)]


@settings(max_examples=60, deadline=None)
@given(stamps, stamps, st.integers(0, 12), st.integers(0, 12), st.integers(0, 3))
def test_a_new_owner_goes_on_where_the_old_one_released(
    a: list[int], b: list[int], have_a: int, have_b: int, again: int
) -> None:
    wearable, venue = log(a, venue=False), log(b, venue=True)
    first = PartitionMerge(BEGIN, BEGIN)
    done = first.push(wearable[:have_a] + venue[:have_b])
    points = [(first.released[v], first.released_us[v]) for v in (False, True)]
    redelivered = wearable[max(0, points[0][0] - again) :]
    rest = one_by_one_until_the_end(PartitionMerge(*points), [redelivered, venue[points[1][0] :]])
    assert [place(r) for r in done + rest] == [place(r) for r in merged(wearable, venue)]


def test_the_venue_goes_first_on_ties() -> None:
    out = one_by_one_until_the_end(
        PartitionMerge(BEGIN, BEGIN), [log([5], venue=False) + log([5], venue=True)]
    )
    assert [record.venue for record in out] == [True, False]


def test_a_record_waits_for_the_other_log_and_says_for_which() -> None:
    merge = PartitionMerge(BEGIN, BEGIN)
    assert merge.push(log([5], venue=False)) == []
    assert merge.blocked_on() is True
    assert merge.waiting == 1
    assert [r.offset for r in merge.push(log([6], venue=True))] == [0]
    assert merge.blocked_on() is False  # now the venue's record waits for the wearable log


def test_the_end_of_a_log_releases_what_waits_for_it() -> None:
    merge = PartitionMerge(BEGIN, BEGIN)
    merge.push(log([5, 7], venue=False))
    assert merge.drained(venue=True, end=1) == []  # one more is known to be there
    assert [r.offset for r in merge.drained(venue=True, end=0)] == [0, 1]
    assert merge.blocked_on() is None
    assert merge.released == {False: 2, True: 0}


def test_redelivered_offsets_are_skipped() -> None:
    merge = PartitionMerge((1, 5), BEGIN)
    records = log([5, 6, 7], venue=False)
    merge.push(records[:2])
    merge.push(records)
    out = merge.drained(venue=True, end=0)
    assert [record.offset for record in out] == [1, 2]


def test_the_end_of_a_log_is_old_news_when_the_other_log_has_moved_on() -> None:
    """A worker that stalled reads minutes of one log first; the other one's end was seen before that."""
    merge = PartitionMerge(BEGIN, BEGIN)
    merge.drained(venue=False, end=0)
    assert merge.push(log([30], venue=True)) == []
    assert [r.venue for r in merge.push(log([10, 40], venue=False))] == [False, True]


def test_stamps_that_go_back_are_lifted_to_partition_time() -> None:
    merge = PartitionMerge((0, 4), BEGIN)
    merge.push(log([9, 3, 10], venue=False))
    out = merge.drained(venue=True, end=0)
    assert [record.at_us for record in out] == [9, 9, 10]


@settings(max_examples=60, deadline=None)
@given(stamps, stamps, st.integers(0, 14), st.integers(0, 14))
def test_what_kafka_deleted_unread_is_counted_and_not_waited_for(
    a: list[int], b: list[int], gone_a: int, gone_b: int
) -> None:
    wearable, venue = log(a, venue=False), log(b, venue=True)
    merge = PartitionMerge(BEGIN, BEGIN)
    out = merge.push(wearable[gone_a:] + venue[gone_b:])
    for late, begin, end in ((False, gone_a, len(a)), (True, gone_b, len(b))):
        out += merge.kept(venue=late, begin=min(begin, end), end=end)
    assert [place(r) for r in out] == [place(r) for r in merged(wearable[gone_a:], venue[gone_b:])]
    assert merge.take_lost(venue=False) == min(gone_a, len(a))
    assert merge.take_lost(venue=True) == min(gone_b, len(b))
    assert merge.take_lost(venue=False) == merge.take_lost(venue=True) == 0
    assert merge.waiting == 0


def test_a_log_that_is_kept_and_not_yet_read_is_waited_for() -> None:
    merge = PartitionMerge(BEGIN, BEGIN)
    assert merge.push(log([5], venue=True)) == []
    assert merge.kept(venue=False, begin=0, end=3) == []
    assert merge.blocked_on() is False
    assert merge.take_lost(venue=False) == 0
