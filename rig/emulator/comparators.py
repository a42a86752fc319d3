# SPDX-License-Identifier: MIT
"""The registers of a core's breakpoint and watchpoint units (FPB, DWT), and what they ask for.

Owns the registers' content only (ARMv7-M ARM, C1.11 and C1.8; ARMv6-M ARM, C1.9, whose BPU is an FPB of
revision 1; revision 2 is in the ARMv8-M ARM, D1.2.120). Who stops the core at a ``Point`` is ``core.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rig.emulator.debug_parts import DWT, FPB, Comparators

BREAKPOINT: Final = 1
"""Kind of a point, as in gdb's Z packets: a hardware breakpoint."""

Point = tuple[int, int, int]
"""Kind (as in gdb's Z packets), address, size in bytes."""

_WATCHES = {5: 3, 6: 2, 7: 4}  # DWT function → kind: read, write, access
_NOCYCCNT = 1 << 25  # QEMU has no cycle counter
_MATCHED = 1 << 24


class ComparatorUnits:
    """The comparators that a core has."""

    def __init__(self, has: Comparators) -> None:
        self._has = has
        self._fpb_enabled = False
        self._fpb = [0] * has.breakpoints
        self._dwt = [[0, 0, 0] for _ in range(has.watchpoints)]  # COMP, MASK, FUNCTION

    def owns(self, address: int) -> bool:
        """Whether a word belongs to one of the units."""
        return (
            FPB <= address < FPB + 8 + 4 * self._has.breakpoints
            or DWT <= address < DWT + 0x20 + 16 * self._has.watchpoints
        )

    def points(self) -> set[Point]:
        """Where the core shall stop now."""
        wanted: set[Point] = set()
        if self._fpb_enabled:
            wanted |= {(BREAKPOINT, place, 2) for row in self._fpb for place in self._places(row)}
        for address, mask, function in self._dwt:
            if function & 0xF in _WATCHES:
                wanted.add((_WATCHES[function & 0xF], address, 1 << mask))
        return wanted

    def _places(self, comparator: int) -> Sequence[int]:
        """Where a breakpoint comparator stops: in revision 1 bits 31:30 choose a halfword, or both."""
        if not comparator & 1:
            return ()
        if self._has.fpb_revision > 0:
            return (comparator & ~1,)
        word, halves = comparator & 0x1FFFFFFC, comparator >> 30
        return [word + 2 * half for half in (0, 1) if halves >> half & 1]

    def matched(self, address: int) -> None:
        """Notes that data at this address was accessed: whoever watches it says MATCHED once."""
        for row in self._dwt:
            if row[2] & 0xF in _WATCHES and row[0] <= address < row[0] + (1 << row[1]):
                row[2] |= _MATCHED

    def read(self, address: int) -> int:
        """Reads a register of either unit."""
        return self._read_fpb(address - FPB) if address >= FPB else self._read_dwt(address - DWT)

    def write(self, address: int, value: int) -> None:
        """Writes a register of either unit."""
        if address >= FPB:
            self._write_fpb(address - FPB, value)
        else:
            self._write_dwt(address - DWT, value)

    def _read_fpb(self, offset: int) -> int:
        if offset == 0:
            return self._has.fpb_revision << 28 | self._has.breakpoints << 4 | int(self._fpb_enabled)
        index = (offset - 8) // 4
        return self._fpb[index] if index >= 0 else 0

    def _write_fpb(self, offset: int, value: int) -> None:
        index = (offset - 8) // 4
        if offset == 0 and value & 2:  # KEY
            self._fpb_enabled = bool(value & 1)
        elif index >= 0:
            self._fpb[index] = value

    def _read_dwt(self, offset: int) -> int:
        index, field = divmod(offset - 0x20, 16)
        if index < 0 or field >= 12:
            return self._has.watchpoints << 28 | _NOCYCCNT if offset == 0 else 0
        row = self._dwt[index]
        value = row[field // 4]
        if field == 8:
            row[2] &= ~_MATCHED  # cleared by reading
        return value

    def _write_dwt(self, offset: int, value: int) -> None:
        index, field = divmod(offset - 0x20, 16)
        if index >= 0 and field < 12:
            self._dwt[index][field // 4] = value & (0x1F if field == 4 else 0xFFFFFFFF)
