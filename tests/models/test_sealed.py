"""Sealed files: what was written comes back, and nothing else does."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import sealed
from models.artefact import ArtefactDamaged
from models.sealed import CHUNK, MAGIC, TAG, OpeningReader, SealingWriter, is_sealed

HEADER = len(MAGIC) + 1 + sealed.SALT + sealed.PREFIX + sealed.MAC
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17]


@pytest.fixture(autouse=True, scope="module")
def _cheap() -> Iterator[None]:
    """Scrypt as cheap as it goes: here the chunks are tested, not the price of a guess."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "COST", 2)
        yield


def seal(plain: bytes, passphrase: bytes = b"secret", step: int = 10_000) -> bytes:
    """``plain`` sealed, written in pieces of ``step`` bytes."""
    out = io.BytesIO()
    with SealingWriter(out, passphrase) as writer:
        for begin in range(0, len(plain), step):
            writer.write(plain[begin : begin + step])
    return out.getvalue()


def unseal(data: bytes, passphrase: bytes = b"secret") -> bytes:
    """The plain bytes."""
    return io.BufferedReader(OpeningReader(io.BytesIO(data), passphrase, "a.sealed")).read()


def some(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return bytes(i * 7 // 256 % 256 for i in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_comes_back(size: int) -> None:
    data = seal(some(size))
    assert is_sealed(data)
    assert unseal(data) == some(size)
    assert len(data) == HEADER + size + TAG * max(1, -(-size // CHUNK))


def test_a_wrong_passphrase_is_said_to_be_one() -> None:
    with pytest.raises(ArtefactDamaged, match=r"a\.sealed: wrong passphrase"):
        unseal(seal(b"plain"), b"Secret")


@pytest.mark.parametrize("size", SIZES)
def test_cut_off_at_a_chunk_is_noticed(size: int) -> None:
    data = seal(some(size))
    for end in {*range(HEADER, len(data), CHUNK + TAG), len(data) - 1, HEADER - 1, 3}:
        with pytest.raises(ArtefactDamaged, match=r"a\.sealed"):
            unseal(data[:end])


def test_chunks_in_another_order_or_twice_are_noticed() -> None:
    data = seal(some(3 * CHUNK))
    head, step = data[:HEADER], CHUNK + TAG
    one, two, three = (data[HEADER + i * step : HEADER + (i + 1) * step] for i in range(3))
    assert unseal(head + one + two + three) == some(3 * CHUNK)
    for chunks, number in (((two, one, three), 0), ((one, three), 1), ((one, one, three), 1), ((three,), 0)):
        with pytest.raises(ArtefactDamaged, match=f"chunk {number} was"):
            unseal(head + b"".join(chunks))


def test_chunks_of_another_file_under_the_same_passphrase_are_noticed() -> None:
    one, other = seal(some(2 * CHUNK)), seal(some(2 * CHUNK))
    with pytest.raises(ArtefactDamaged, match="chunk 0"):
        unseal(one[:HEADER] + other[HEADER:])


def test_something_behind_the_end_is_noticed() -> None:
    with pytest.raises(ArtefactDamaged, match="chunk 0"):
        unseal(seal(b"plain") + b"more")


def test_another_version_is_named() -> None:
    data = bytearray(seal(b"plain"))
    data[len(MAGIC)] = 9
    with pytest.raises(ArtefactDamaged, match="version 9"):
        unseal(bytes(data))


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, HEADER + 2 * CHUNK + 2 * TAG - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(place: int, bit: int) -> None:
    data = bytearray(SEALED)
    data[place] ^= 1 << bit
    with pytest.raises(ArtefactDamaged, match=r"a\.sealed"):
        unseal(bytes(data))


def test_nothing_of_the_plain_text_is_seen_and_no_two_files_are_alike() -> None:
    assert b"plain text" not in seal(b"plain text" * 50)
    assert seal(b"plain") != seal(b"plain")


with pytest.MonkeyPatch.context() as _patch:
    _patch.setattr(sealed, "COST", 2)
    SEALED = seal(some(2 * CHUNK))
