"""State in columns: every slot begins blank, and a row comes back as it was."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from stream.slots import FIRST_CAPACITY, Field, Slots
from tests.stream.feeding import make_route

FIELDS = (
    Field("count", "i8", blank=-1),
    Field("ring", "f4", (3,), blank=np.nan),
    Field("flag", "?"),
    Field("sum", "f8"),
)


def test_an_athlete_keeps_its_slot_and_its_partition() -> None:
    slots = Slots(FIELDS)
    first = slots.slot("a", 3)
    assert slots.slot("b", 1) != first
    assert slots.slot("a", 3) == first
    assert len(slots) == 2
    assert "a" in slots
    assert "c" not in slots
    assert slots.occupied() == [first, slots.slot("b", 1)]
    assert slots.occupied(3) == [first]
    assert slots.of(first).name == "a"


def test_a_free_slot_is_nobodys() -> None:
    with pytest.raises(AssertionError, match="free"):
        Slots(FIELDS).of(0)


def test_no_field_of_one_athlete_leaks_into_the_next() -> None:
    """Every field of the real state is filled, the slot given back and taken by another athlete."""
    route = make_route()
    slots = route.slots
    blank = slots.state[slots.slot("a", 0)].copy()
    slot = slots.slot("a", 0)
    slots.of(slot).session, slots.of(slot).context = "s", {"injury": 1}
    slots.of(slot).device("watch", venue=False)
    slots.state[slot] = np.frombuffer(b"\x01" * slots.dtype.itemsize, dtype=slots.dtype)[0]
    slots.release([slot])
    again = slots.slot("b", 0)
    assert again == slot
    assert slots.state[again].tobytes() == blank.tobytes()
    athlete = slots.of(again)
    assert (athlete.name, athlete.session, athlete.devices, athlete.context) == ("b", "", [], {})
    assert "a" not in slots


def test_growth_keeps_rows_and_gives_blank_ones() -> None:
    slots = Slots(FIELDS)
    names = [f"athlete {n}" for n in range(3 * FIRST_CAPACITY + 1)]
    for number, name in enumerate(names):
        slot = slots.slot(name, 0)
        assert slots.state["count"][slot] == -1
        assert np.isnan(slots.state["ring"][slot]).all()
        slots.state["count"][slot] = number
    assert [int(slots.state["count"][slots.slot(name, 0)]) for name in names] == list(range(len(names)))
    assert len({slots.slot(name, 0) for name in names}) == len(names)


def test_blanking_some_fields_leaves_the_others() -> None:
    slots = Slots(FIELDS)
    slot = slots.slot("a", 0)
    slots.state["count"][slot], slots.state["sum"][slot], slots.state["ring"][slot] = 5, 6, 7
    slots.blank(slot, ["count", "ring"])
    assert slots.state["count"][slot] == -1
    assert np.isnan(slots.state["ring"][slot]).all()
    assert slots.state["sum"][slot] == 6


def restored(old: Slots, new: Slots) -> int:
    """The first slot of ``old`` over the wire into ``new``."""
    packed = msgpack.unpackb(msgpack.packb({"descr": old.dtype.descr, "row": old.row(0)}))
    slot = new.slot("a", 0)
    new.restore(slot, packed["row"], packed["descr"])
    return slot


def filled(fields: tuple[Field, ...]) -> Slots:
    slots = Slots(fields)
    slot = slots.slot("a", 0)
    slots.state["count"][slot], slots.state["ring"][slot] = 5, [1, 2, 3]
    assert slot == 0
    return slots


def test_a_row_comes_back_as_it_was() -> None:
    old, new = filled(FIELDS), Slots(FIELDS)
    assert new.state[restored(old, new)].tobytes() == old.state[0].tobytes()


def test_a_newer_version_leaves_new_fields_blank_and_drops_old_ones() -> None:
    new = Slots((*FIELDS[1:], Field("added", "f8", (2,), blank=4.0)))
    slot = restored(filled(FIELDS), new)
    assert new.state["ring"][slot].tolist() == [1, 2, 3]
    assert new.state["added"][slot].tolist() == [4, 4]


@pytest.mark.parametrize(
    "changed", [Field("ring", "f4", (4,), blank=9.0), Field("ring", "f8", (3,), blank=9.0)]
)
def test_a_field_whose_shape_or_type_changed_stays_blank(changed: Field) -> None:
    new = Slots((FIELDS[0], changed))
    slot = restored(filled(FIELDS), new)
    assert new.state["count"][slot] == 5
    assert (new.state["ring"][slot] == 9).all()


def test_devices_are_numbered_by_first_sight() -> None:
    slots = Slots(FIELDS)
    athlete = slots.of(slots.slot("a", 0))
    assert athlete.find("watch") is None
    assert [athlete.device(name, venue=False) for name in ("watch", "pod", "watch")] == [0, 1, 0]
    assert athlete.find("pod") == 1
