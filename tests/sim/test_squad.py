"""Who the simulated athletes are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.squad import athlete_ids, athlete_records, draw_squad


def test_ids_count_from_one_and_keep_their_width() -> None:
    assert athlete_ids(3) == ("A01", "A02", "A03")
    assert athlete_ids(120)[0] == "A001"
    assert len({len(athlete) for athlete in athlete_ids(120)}) == 1


@given(size=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_traits_are_those_of_trained_adults(size: int, seed: int) -> None:
    squad = draw_squad(size, np.random.default_rng(seed))
    assert np.all((squad.rest_bpm >= 40) & (squad.rest_bpm <= 70))
    assert np.all((squad.max_bpm >= 175) & (squad.max_bpm <= 212))
    assert np.all(squad.critical_w_kg < squad.aerobic_w_kg)
    assert np.all((squad.aerobic_speed > 3) & (squad.aerobic_speed < 5.5))
    assert np.all((squad.mass_kg > 40) & (squad.mass_kg < 110))


def test_masters_are_the_same_people_with_bodies_that_nobody_is_drawn_with() -> None:
    young, old = (draw_squad(200, np.random.default_rng(3), kind) for kind in ("trained", "masters"))
    assert old.ids == young.ids
    assert (old.mass_kg == young.mass_kg).all()
    assert old.birth_year.max() < young.birth_year.min()
    assert old.rise_s.mean() > young.rise_s.max()
    assert old.max_bpm.mean() < young.max_bpm.mean() - 13
    assert (old.rest_bpm < old.max_bpm - 80).all()
    assert (old.critical_w_kg < old.aerobic_w_kg).all()


def test_the_first_eleven_and_the_second_play_against_each_other() -> None:
    squad = draw_squad(22, np.random.default_rng(0))
    assert squad.side.tolist() == [1.0] * 11 + [-1.0] * 11
    assert squad.role.tolist() == [*range(11), *range(11)]


def test_a_squad_is_mixed_and_of_no_special_population() -> None:
    squad = draw_squad(40, np.random.default_rng(0))
    records = athlete_records(squad, [[] for _ in squad.ids])
    assert {record["profile"]["sex"] for record in records} == {"female", "male"}
    assert {record["population"] for record in records} == {None}


def test_records_have_every_key_of_the_athlete_record() -> None:
    squad = draw_squad(1, np.random.default_rng(0))
    (record,) = athlete_records(squad, [[{"date": "2026-01-01"}]], population="elite women footballers")
    assert set(record) == {"v", "athlete", "name", "squad", "profile", "baselines", "population", "days"}
    assert set(record["profile"]) == {
        "birth_year", "sex", "mass_kg", "height_m", "heart_rate_rest", "heart_rate_max",
        "critical_power_w", "w_prime_j",
    }  # fmt: skip
    assert record["population"] == "elite women footballers"
    assert record["days"] == [{"date": "2026-01-01"}]
    assert 150 < record["profile"]["critical_power_w"] < 420
