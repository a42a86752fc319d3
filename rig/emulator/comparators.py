# SPDX-License-Identifier: MIT
"""The registers of a core's breakpoint and watchpoint units (FPB, DWT), and what they ask for.

Owns the registers' content only (ARMv7-M ARM, C1.11 and C1.8; FPB of revision 2, ARMv8-M ARM, D1.2.120,
because revision 1 knows no breakpoint from 0x20000000 on). Who stops the core at a ``Point`` is ``core.py``.
"""

from __future__ import annotations

from typing import Final

FPB: Final = 0xE0002000
DWT: Final = 0xE0001000

BREAKPOINT: Final = 1
"""Kind of a point, as in gdb's Z packets: a hardware breakpoint."""

Point = tuple[int, int, int]
"""Kind (as in gdb's Z packets), address, size in bytes."""

_FPB_COMPARATORS = 8
_DWT_COMPARATORS = 4
_WATCHES = {5: 3, 6: 2, 7: 4}  # DWT function → kind: read, write, access
_NOCYCCNT = 1 << 25  # QEMU has no cycle counter
_MATCHED = 1 << 24


class Comparators:
    """Eight breakpoint and four watchpoint comparators."""

    def __init__(self) -> None:
        self._fpb_enabled = False
        self._fpb = [0] * _FPB_COMPARATORS
        self._dwt = [[0, 0, 0] for _ in range(_DWT_COMPARATORS)]  # COMP, MASK, FUNCTION

    @staticmethod
    def owns(address: int) -> bool:
        """Whether a word belongs to one of the units."""
        return (
            FPB <= address < FPB + 8 + 4 * _FPB_COMPARATORS
            or DWT <= address < DWT + 0x20 + 16 * _DWT_COMPARATORS
        )

    def points(self) -> set[Point]:
        """Where the core shall stop now."""
        wanted: set[Point] = set()
        if self._fpb_enabled:
            wanted |= {(BREAKPOINT, comparator & ~1, 2) for comparator in self._fpb if comparator & 1}
        for address, mask, function in self._dwt:
            if function & 0xF in _WATCHES:
                wanted.add((_WATCHES[function & 0xF], address, 1 << mask))
        return wanted

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
            return 1 << 28 | _FPB_COMPARATORS << 4 | int(self._fpb_enabled)
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
            return _DWT_COMPARATORS << 28 | _NOCYCCNT if offset == 0 else 0
        row = self._dwt[index]
        value = row[field // 4]
        if field == 8:
            row[2] &= ~_MATCHED  # cleared by reading
        return value

    def _write_dwt(self, offset: int, value: int) -> None:
        index, field = divmod(offset - 0x20, 16)
        if index >= 0 and field < 12:
            self._dwt[index][field // 4] = value & (0x1F if field == 4 else 0xFFFFFFFF)
