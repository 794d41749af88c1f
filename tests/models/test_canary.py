"""Which athletes a canary scores."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.canary import canary_athletes, places

NAMES = st.lists(st.text(max_size=12), max_size=30)
SHARE = st.floats(0, 1)
#: Where anna lies: it may never change, or canaries would change athletes at an upgrade.
KNOWN = 0.8841769730289406


@given(names=NAMES, shares=st.tuples(SHARE, SHARE), salt=st.text(max_size=8))
def test_raising_the_share_keeps_everyone_who_is_in(
    names: list[str], shares: tuple[float, float], salt: str
) -> None:
    few, many = (canary_athletes(names, share, salt) for share in sorted(shares))
    assert not np.any(few & ~many)


@given(names=NAMES, share=SHARE, salt=st.text(max_size=8))
def test_an_athlete_is_told_the_same_alone_as_among_others(names: list[str], share: float, salt: str) -> None:
    alone = [bool(canary_athletes([name], share, salt)[0]) for name in names]
    assert canary_athletes(names, share, salt).tolist() == alone


@given(names=NAMES, salt=st.text(max_size=8))
def test_nobody_is_in_at_0_and_everybody_at_1(names: list[str], salt: str) -> None:
    assert not canary_athletes(names, 0.0, salt).any()
    assert canary_athletes(names, 1.0, salt).all()


def test_the_share_is_met_and_salts_are_independent() -> None:
    names = [f"athlete-{i}" for i in range(20_000)]
    one, other = canary_athletes(names, 0.1, "forecast/2"), canary_athletes(names, 0.1, "forecast/3")
    spread = 4 * np.sqrt(0.1 * 0.9 / len(names))
    assert abs(one.mean() - 0.1) < spread
    assert abs((one & other).mean() - 0.01) < spread


def test_salt_and_name_do_not_run_into_each_other() -> None:
    assert places(["bc"], "a") != places(["c"], "ab")


def test_another_process_comes_to_the_same_places() -> None:
    code = "from models.canary import places; print(places(['anna', 'bo'], 'forecast/2').tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(places(["anna", "bo"], "forecast/2").tolist())
    assert places(["anna"], "forecast/2")[0] == pytest.approx(KNOWN)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        canary_athletes(["anna"], share, "")
