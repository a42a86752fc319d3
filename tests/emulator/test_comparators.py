# SPDX-License-Identifier: MIT
"""Which addresses the breakpoint comparators of both revisions ask for, and how many a core has."""

from __future__ import annotations

import pytest

from rig.emulator.comparators import BREAKPOINT, ComparatorUnits
from rig.emulator.debug_parts import CORTEX_M3, FPB, NRF51, DebugParts


def units(parts: DebugParts, comparator: int) -> ComparatorUnits:
    """The units of a core, with the first comparator set and the unit enabled."""
    made = ComparatorUnits(parts.comparators)
    made.write(FPB, 0b11)
    made.write(FPB + 8, comparator)
    return made


@pytest.mark.parametrize(
    ("parts", "comparator", "places"),
    [
        (NRF51, 0x40000100 | 1, [0x100]),
        (NRF51, 0x80000100 | 1, [0x102]),
        (NRF51, 0xC0000100 | 1, [0x100, 0x102]),
        (NRF51, 0x00000100 | 1, []),
        (NRF51, 0x40000100, []),
        (CORTEX_M3, 0x21000102 | 1, [0x21000102]),
        (CORTEX_M3, 0x21000102, []),
    ],
)
def test_where_a_comparator_stops(parts: DebugParts, comparator: int, places: list[int]) -> None:
    assert units(parts, comparator).points() == {(BREAKPOINT, place, 2) for place in places}


@pytest.mark.parametrize(("parts", "control"), [(NRF51, 0x40), (CORTEX_M3, 0x10000080)])
def test_the_unit_says_how_many_there_are(parts: DebugParts, control: int) -> None:
    assert ComparatorUnits(parts.comparators).read(FPB) == control
    assert units(parts, 0).read(FPB) == control | 1


def test_only_registers_that_are_there_are_owned() -> None:
    few, many = ComparatorUnits(NRF51.comparators), ComparatorUnits(CORTEX_M3.comparators)
    assert (few.owns(FPB + 8 + 4 * 4), many.owns(FPB + 8 + 4 * 4)) == (False, True)
