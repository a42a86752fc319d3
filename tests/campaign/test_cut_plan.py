# SPDX-License-Identifier: MIT
"""Names of operations, samples of cuts, and what a range of flash holds: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rig.campaign.cut_plan import Cut, Namer, Operation, by_phase, distinct, sample
from rig.campaign.flash_range import FlashRange, changed, sector_hash, state_hash
from rig.errors import UsageFault
from rig.image.slot_layout import Slot, SlotLayout, State
from rig.links.nor_control import NorOperation
from tests.seeds import SEED, dice

LAYOUT = SlotLayout(
    0x1000, 0x4000, 0x3000, 0x200, 0x1000, 0x7000, 0x2000, 0x9000, 0x2000, 0x2000_0000, 0x1000
)
PLACE = FlashRange.of_layout(LAYOUT, 0)


def operation(number: int, address: int) -> NorOperation:
    return NorOperation(number, address, 256, "program", "download", 0)


def test_the_same_operation_is_told_apart_by_how_often_it_came() -> None:
    namer = Namer()
    names = [namer.name(operation(*found)) for found in [(7, 0), (7, 0), (8, 256), (9, 0), (9, 0)]]
    assert [(name.address, name.again) for name in names] == [(0, 0), (0, 0), (256, 0), (0, 1), (0, 1)]


def test_the_name_does_not_hang_on_the_number() -> None:
    assert Namer().name(operation(3, 512)) == Namer().name(operation(4, 512))


def cut(number: int, phase: str, state: str = "s") -> Cut:
    return Cut(Operation(phase, "program", 0, 8), "before", state, number)


def test_a_sample_has_every_phase_and_comes_again_by_its_seed() -> None:
    cuts = [cut(number, "download") for number in range(500)] + [cut(500, "mark"), cut(501, "confirm")]
    drawn = by_phase(cuts, 10, SEED)
    assert len(drawn) == len(set(drawn)) == 10
    assert {one.operation.phase for one in drawn} == {"download", "mark", "confirm"}
    assert drawn == by_phase(cuts, 10, SEED)
    assert by_phase(cuts, 1_000, SEED) == cuts
    assert sorted(drawn, key=lambda one: one.number) == drawn


def test_a_sample_is_all_there_is_where_more_is_asked() -> None:
    assert sample([3, 1, 2], 5, SEED, "x") == [3, 1, 2]
    assert sample(list(range(100)), 7, 1, "x") != sample(list(range(100)), 7, 2, "x")


def test_states_are_counted_once() -> None:
    assert distinct([cut(1, "mark", "a"), cut(2, "mark", "b"), cut(3, "mark", "a")]) == ["a", "b"]


# --- a range of flash


def test_the_range_goes_from_the_first_to_the_last_byte_of_the_layout() -> None:
    assert (PLACE.start, PLACE.size, PLACE.offset) == (0x1000, 0xA000, 0x1000)
    with pytest.raises(UsageFault, match="whole sectors"):
        FlashRange.of_layout(replace(LAYOUT, agent_size=0x1800), 0)


def test_a_state_is_another_where_one_byte_is() -> None:
    content = dice("flash").randbytes(PLACE.size)
    before = PLACE.sectors(content)
    at = dice("byte").randrange(PLACE.size)
    after = PLACE.sectors(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert changed(before, before) == []
    assert changed(before, after) == [at // PLACE.sector]
    names = [state_hash([sector_hash(data) for data in sectors]) for sectors in (before, after)]
    assert names[0] != names[1]


@pytest.mark.parametrize("state", ["none", "test", "tried", "confirmed"])
@pytest.mark.parametrize("slot", ["a", "b"])
def test_a_trailer_is_read_as_it_was_written(slot: Slot, state: State) -> None:
    erased = b"\xff" * PLACE.size
    filled = LAYOUT.filled(b"image", state)
    content = PLACE.with_slot(erased, slot, filled)
    other: Slot = "b" if slot == "a" else "a"
    assert PLACE.trailer_state(content, slot) == state
    assert PLACE.trailer_state(content, other) == "none"
    assert PLACE.slot_bytes(content, slot) == filled


@pytest.mark.parametrize(("at", "state"), [(-1, "none"), (-24, "tried"), (-32, "confirmed")])
def test_a_torn_mark_is_none(at: int, state: State) -> None:
    filled = bytearray(LAYOUT.filled(b"image", "confirmed"))
    filled[at] = 0x81  # a bit that was to be cleared still stands
    content = PLACE.with_slot(b"\xff" * PLACE.size, "b", bytes(filled))
    assert PLACE.trailer_state(content, "b") == state
