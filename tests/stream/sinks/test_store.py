"""The contract every store keeps. Each test runs over SQLite and over a real InfluxDB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from stream.errors import UsageError
from stream.sinks.flatten import FIELDS, flatten
from stream.sinks.store import MAX_TIME_US, HistoryQuery, Store, StoredAthlete
from tests.stream.sinks.examples import NOON, SECOND, alert, score

HOUR = 3600 * SECOND
HOSTILE = [
    'x") |> drop(columns: ["_value"]) //', "${1 + 1}", "back\\", "a,b=c d", "new\nline", "tab\t", "re\rturn",
    "quote'\"", "%41", "ünï ☃", "'; DROP TABLE scores; --", "*",
]  # fmt: skip


def since_noon(athlete: str, *fields: str, every_s: int | None = None, seconds: int = 3600) -> HistoryQuery:
    return HistoryQuery(athlete, NOON, NOON + seconds * SECOND, fields, every_s)


def test_an_empty_store_answers_with_nothing(store: Store) -> None:
    history = store.history(since_noon("ann", "live_speed"))
    assert store.count_scores() == 0
    assert store.athletes() == []
    assert store.alerts(None, 0, MAX_TIME_US) == []
    assert history.times_us.tolist() == []
    assert history.times_us.dtype == np.int64
    assert history.fields["live_speed"].dtype == np.float64


def test_writing_nothing_is_fine(store: Store) -> None:
    store.write([], [])
    assert store.count_scores() == 0


def test_a_score_comes_back_field_by_field(store: Store) -> None:
    store.write([score("ann", 5)], [])
    history = store.history(since_noon("ann", *FIELDS))
    expected = flatten(score("ann", 5))
    assert history.times_us.tolist() == [NOON + 5 * SECOND]
    for field in FIELDS:
        assert history.fields[field].tolist() == pytest.approx(
            [expected.get(field, math.nan)], rel=0, nan_ok=True
        )


def test_history_is_in_order_and_half_open(store: Store) -> None:
    store.write([score("ann", second) for second in (3, 1, 2, 0, 4)], [])
    history = store.history(HistoryQuery("ann", NOON + SECOND, NOON + 4 * SECOND, ("live_heart_rate",)))
    assert ((history.times_us - NOON) // SECOND).tolist() == [1, 2, 3]
    assert history.fields["live_heart_rate"].tolist() == [151.0, 152.0, 153.0]


def test_history_is_of_one_athlete(store: Store) -> None:
    store.write([score("ann", 1), score("bea", 2)], [])
    assert store.history(since_noon("bea", "final")).times_us.tolist() == [NOON + 2 * SECOND]
    assert store.history(since_noon("cleo", "final")).times_us.tolist() == []


def test_a_score_without_a_value_is_a_row_with_nan(store: Store) -> None:
    store.write([score("ann", 1), score("ann", 2, live={"speed": math.nan}), score("ann", 3, live={})], [])
    speeds = store.history(since_noon("ann", "live_speed")).fields["live_speed"]
    np.testing.assert_array_equal(speeds, [4.5, np.nan, np.nan])


def test_a_score_with_nothing_in_it_is_counted(store: Store) -> None:
    bare = {key: score("ann", 1)[key] for key in ("v", "athlete", "session", "window_end_us")}
    store.write([bare], [])
    assert store.count_scores() == 1
    assert store.history(since_noon("ann", "performance_score")).times_us.tolist() == [NOON + SECOND]


def test_writing_again_changes_nothing(store: Store) -> None:
    """Seconds 1 2 3, then 2 3 4, leave 1 2 3 4."""
    store.write([score("ann", second) for second in (1, 2, 3)], [alert(1), alert(2)])
    store.write([score("ann", second) for second in (2, 3, 4)], [alert(2), alert(3)])
    assert store.count_scores() == 4
    assert len(store.history(since_noon("ann", "final")).times_us) == 4
    assert store.alerts("ann", 0, MAX_TIME_US) == [alert(1), alert(2), alert(3)]


def test_the_same_id_overwrites_what_it_carries_and_leaves_the_rest(store: Store) -> None:
    store.write([score("ann", 1)], [])
    store.write([score("ann", 1, live={"heart_rate": 99.0, "speed": None})], [])
    history = store.history(since_noon("ann", "live_heart_rate", "live_speed"))
    assert store.count_scores() == 1
    assert history.fields["live_heart_rate"].tolist() == [99.0]
    assert history.fields["live_speed"].tolist() == [4.5]


def test_the_last_of_two_with_one_id_in_one_batch_stays(store: Store) -> None:
    store.write(
        [score("ann", 1, live={"speed": 1.0}), score("ann", 1, live={"speed": 2.0})], [alert(1), alert(1)]
    )
    assert store.history(since_noon("ann", "live_speed")).fields["live_speed"].tolist() == [2.0]
    assert store.alerts(None, 0, MAX_TIME_US) == [alert(1)]


def test_a_window_is_one_id_whatever_session_it_names(store: Store) -> None:
    store.write([score("ann", 1, session="match")], [])
    store.write([score("ann", 1, session="cup")], [])
    assert store.count_scores() == 1
    assert len(store.history(since_noon("ann", "final")).times_us) == 1


def test_history_by_buckets_is_the_mean_at_their_starts(store: Store) -> None:
    """Seconds 1 2 | 5 . . 8 | . . . 13 . in buckets of five."""
    store.write([score("ann", second) for second in (1, 2, 5, 8, 13)], [])
    history = store.history(since_noon("ann", "live_heart_rate", "live_power", every_s=5))
    assert ((history.times_us - NOON) // SECOND).tolist() == [0, 5, 10]
    assert history.fields["live_heart_rate"].tolist() == [151.5, 156.5, 163.0]
    assert np.isnan(history.fields["live_power"]).all()


def test_buckets_are_whole_where_the_range_is_not(store: Store) -> None:
    store.write([score("ann", second) for second in range(20)], [])
    asked = HistoryQuery("ann", NOON + 7 * SECOND, NOON + 12 * SECOND, ("live_heart_rate",), every_s=5)
    history = store.history(asked)
    assert ((history.times_us - NOON) // SECOND).tolist() == [5, 10]
    assert history.fields["live_heart_rate"].tolist() == [157.0, 162.0]


def test_a_mean_leaves_out_what_is_missing(store: Store) -> None:
    live: list[dict[str, Any]] = [{"speed": 2.0}, {"speed": None}, {"speed": 4.0}]
    store.write([score("ann", second, live=values) for second, values in enumerate(live)], [])
    assert store.history(since_noon("ann", "live_speed", every_s=60)).fields["live_speed"].tolist() == [3.0]


def test_scores_are_counted_by_athlete_and_window(store: Store) -> None:
    store.write([score(athlete, second) for athlete in ("ann", "bea") for second in range(30)], [])
    assert store.count_scores() == 60


def test_athletes_are_known_by_their_latest_session(store: Store) -> None:
    store.write([score("bea", 1, session="early"), score("bea", 9, session="late"), score("ann", 4)], [])
    store.write([score("bea", 5, session="between")], [])
    assert store.athletes() == [
        StoredAthlete("ann", "match", NOON + 4 * SECOND),
        StoredAthlete("bea", "late", NOON + 9 * SECOND),
    ]


def test_alerts_come_back_whole_and_in_order(store: Store) -> None:
    bare = alert(2, "bea", value=None, threshold=None, unit=None, inputs=())
    store.write([], [alert(3), bare, alert(1)])
    assert store.alerts(None, 0, MAX_TIME_US) == [alert(1), bare, alert(3)]


def test_alerts_are_of_one_athlete_and_half_open_in_time(store: Store) -> None:
    store.write([], [alert(number, athlete) for athlete in ("ann", "bea") for number in range(4)])
    found = store.alerts("ann", alert(1).event_us, alert(3).event_us)
    assert found == [alert(1), alert(2)]


def test_two_transitions_at_one_instant_are_two_alerts(store: Store) -> None:
    up = alert(1, id="up", from_state="pending", state="firing")
    again = alert(1, id="again", from_state="stale", state="firing")
    store.write([], [up, again])
    assert sorted(one.id for one in store.alerts("ann", 0, MAX_TIME_US)) == ["again", "up"]


@pytest.mark.parametrize("athlete", HOSTILE)
def test_an_id_is_data_and_never_part_of_a_question(store: Store, athlete: str) -> None:
    store.write([score("ann", 1), score(athlete, 2, session=athlete)], [alert(1), alert(2, athlete)])
    assert store.history(since_noon(athlete, "live_speed")).fields["live_speed"].tolist() == [4.5]
    assert store.alerts(athlete, 0, MAX_TIME_US) == [alert(2, athlete)]
    assert StoredAthlete(athlete, athlete, NOON + 2 * SECOND) in store.athletes()
    assert store.count_scores() == 2


def test_windows_that_do_not_end_on_whole_seconds_keep_their_time(store: Store) -> None:
    end_us = NOON + SECOND + 250_001
    store.write([score("ann", 3), score("ann", 1, window_end_us=end_us)], [])
    assert store.history(since_noon("ann", "final")).times_us.tolist() == [end_us, NOON + 3 * SECOND]


def test_a_large_batch_is_kept_whole(store: Store) -> None:
    """More lines than one request to InfluxDB takes."""
    store.write([score(f"athlete {n:02}", second) for n in range(11) for second in range(500)], [])
    assert store.count_scores() == 5_500
    assert len(store.history(since_noon("athlete 10", "final")).times_us) == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": ("live_speed; --",)},
        {"fields": ()},
        {"start_us": NOON + HOUR},
        {"start_us": -1},
        {"end_us": MAX_TIME_US + 1},
        {"every_s": 0},
    ],
)
def test_a_query_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {
        "athlete": "ann",
        "start_us": NOON,
        "end_us": NOON + HOUR,
        "fields": ("live_speed",),
    }
    with pytest.raises(UsageError):
        HistoryQuery(**asked | wrong)
