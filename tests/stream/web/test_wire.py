"""Tests of stream/web/wire.py, and that docs/reference/web.md says what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream.web.board import Board
from stream.web.columns import NAMES
from stream.web.messages import Batch, FeedStatus, Named
from stream.web.wire import Moment, encode_all, encode_some, snapshot
from tests.stream.web.fakes import SECOND_US, START_US
from tests.stream.web.scores import Squad, make_alert, make_score

MOMENT = Moment(START_US + SECOND_US, 10 * SECOND_US)
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/reference/web.md"


def full_board() -> Board:
    board = Board()
    board.take(
        Batch(
            [make_score()],
            [make_alert()],
            [Named("a1", "Ada", "First team")],
            FeedStatus("live"),
        )
    )
    return board


def test_everything_has_the_columns_and_a_row_for_each_athlete() -> None:
    message = json.loads(encode_all(full_board(), MOMENT))
    assert (message["kind"], message["v"], message["feed"]["state"]) == ("all", 1, "live")
    assert message["columns"] == list(NAMES)
    index, end_us, published_us, heard_us, *values = message["rows"][0]
    assert (index, end_us, published_us, heard_us) == (0, START_US, START_US, START_US)
    assert dict(zip(message["columns"], values, strict=True))["performance_score"] == 61.3


def test_what_changes_seldom_has_name_notes_and_alerts() -> None:
    (about,) = json.loads(encode_all(full_board(), MOMENT))["about"]
    assert (about["i"], about["id"], about["name"], about["silent"]) == (0, "a1", "Ada", False)
    assert about["alerts"][0]["state"] == "firing"
    assert about["notes"]["load_source"] == "reported"


def test_a_part_has_only_what_changed() -> None:
    board = full_board()
    board.changes()
    board.take(Batch([make_score(end_us=START_US + SECOND_US)]))
    message = json.loads(encode_some(board.changes(), 5))
    assert sorted(message) == ["kind", "now_us", "rows"]
    assert json.loads(encode_some(board.changes(), 6)) == {"kind": "some", "now_us": 6}


def test_the_messages_have_no_keys_that_the_reference_does_not_name() -> None:
    text = DOCUMENT.read_text()
    message = json.loads(encode_all(full_board(), MOMENT))
    keys = {*message, *message["about"][0], *message["about"][0]["alerts"][0], *message["about"][0]["notes"]}
    missing = [key for key in sorted({*keys, "gone", *NAMES}) if f"`{key}`" not in text]
    assert missing == []


def test_a_row_of_a_whole_squad_is_small() -> None:
    board, squad = Board(), Squad(20)
    board.take(squad.all())
    board.changes()
    board.take(squad.all())
    text = encode_some(board.changes(), START_US)
    assert len(text) < 22 * 150


def snapshot_of(*batches: Batch, now_us: int = MOMENT.now_us) -> dict[str, Any]:
    board = Board()
    for batch in batches:
        board.take(batch)
    found: dict[str, Any] = snapshot(board, Moment(now_us, MOMENT.silent_after_us))["athletes"][0]
    return found


def test_the_snapshot_names_values_and_says_how_old_they_are() -> None:
    athlete = snapshot_of(Batch([make_score()]))
    assert athlete["values"]["live_heart_rate"] == 162
    assert (athlete["age_s"], athlete["stale"]) == (1.0, False)


def test_an_athlete_is_stale_past_the_silence_in_the_snapshot() -> None:
    assert snapshot_of(Batch([make_score()]), now_us=START_US + 11 * SECOND_US)["stale"]


def test_an_athlete_with_a_silent_sensor_is_stale_in_the_snapshot() -> None:
    assert snapshot_of(Batch([make_score()], [make_alert(rule="sensor_silent")]))["stale"]


def test_an_athlete_whose_session_ended_is_not_stale() -> None:
    athlete = snapshot_of(Batch([make_score(final=True)]), now_us=START_US + 11 * SECOND_US)
    assert (athlete["final"], athlete["stale"]) == (True, False)
