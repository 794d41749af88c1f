"""Vendors' tracking through kloppy: a match in Metrica's CSV, made here."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from sim.readers import read
from sim.readers.source import UNDATED_US
from stream import topics
from stream.errors import MissingError, UnreadableFile
from tests.sim.readers.expand import expand, received

FRAMES = 60
GAP = (20, 25)


def metrica(team: str, number: int, offset: float) -> str:
    """One player who walks along the pitch, x from 0 to 1, out of sight for a moment, and a ball; 25 Hz.

    Kloppy reads 0.25 across as a quarter below the middle.
    """
    lines = [f",,,{team},,,", f",,,{number},,,", f"Period,Frame,Time [s],Player{number},,Ball,"]
    for frame in range(1, FRAMES + 1):
        seen = not GAP[0] <= frame < GAP[1]
        place = f"{offset + 0.001 * frame:.6f},0.25" if seen else "NaN,NaN"
        lines.append(f"1,{frame},{frame / 25:.2f},{place},0.5,0.5")
    return "\n".join(lines) + "\n"


@pytest.fixture
def match(tmp_path: Path) -> tuple[Path, Path]:
    home, away = tmp_path / "home.csv", tmp_path / "away.csv"
    home.write_text(metrica("Reds", 11, 0.5))
    away.write_text(metrica("Blues", 7, 0.2))
    return home, away


def test_positions_become_metres_from_the_centre_at_the_vendors_rate(match: tuple[Path, Path]) -> None:
    (recording,) = read(match[0], vendor="metrica", companion=match[1])
    samples = expand(recording.frames)["home_11", "metrica-home_11", "position"]
    seen = np.array([k for k in range(1, FRAMES + 1) if not GAP[0] <= k < GAP[1]])
    np.testing.assert_array_equal(samples.t_us, UNDATED_US + seen * 40_000)
    np.testing.assert_allclose(samples.columns["x"], 105 * 0.001 * seen, atol=1e-4)
    np.testing.assert_allclose(samples.columns["y"], np.full(len(seen), -17.0), atol=1e-4)
    assert [a["squad"] for a in recording.athletes] == ["Blues", "Reds"]
    assert recording.topic == topics.VENUE
    assert received([recording]).rejected == []
    assert "pitch dimensions" in recording.notes[0]


def test_zipped_files_are_read_too(match: tuple[Path, Path]) -> None:
    zipped = [path.with_name(path.name + ".gz") for path in match]
    for path, plain in zip(zipped, match, strict=True):
        path.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(read(zipped[0], vendor="metrica", companion=zipped[1])[0].tracks) == 2


def test_an_unknown_vendor_is_answered_with_those_that_are_known(match: tuple[Path, Path]) -> None:
    with pytest.raises(UnreadableFile, match=r"unknown format 'opta': one of .*metrica.*tracab"):
        read(match[0], vendor="opta", companion=match[1])


def test_the_second_file_is_asked_for(match: tuple[Path, Path]) -> None:
    with pytest.raises(UnreadableFile, match="two files"):
        read(match[0], vendor="tracab")
    with pytest.raises(MissingError, match=r"nowhere\.xml"):
        read(match[0], vendor="tracab", companion=match[0].with_name("nowhere.xml"))


@pytest.mark.parametrize(
    "vendor", ["epts", "secondspectrum", "skillcorner", "sportec", "statsperform", "tracab"]
)
def test_files_of_another_vendor_are_refused_by_name(match: tuple[Path, Path], vendor: str) -> None:
    with pytest.raises(UnreadableFile, match=rf"home\.csv: not readable as {vendor} with away\.csv"):
        read(match[0], vendor=vendor, companion=match[1])


def test_a_file_without_players_is_refused(match: tuple[Path, Path]) -> None:
    for path in match:
        path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")
    with pytest.raises(UnreadableFile, match=r"home\.csv"):
        read(match[0], vendor="metrica", companion=match[1])
