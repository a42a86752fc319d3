# SPDX-License-Identifier: MIT
"""The emulated debug port: what a debugger finds behind the SWD pins of an emulated board.

Owns the registers of an ADIv5 debug port and of one AHB memory access port (ARM IHI 0031, B2 and C2), the
ROM table with the identification of the core's debug components, and which memory exists. The core behind
it is ``core.py``. Knows no debugger: any driver may use it at the level of port registers or of memory.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from rig.emulator.core import AIRCR, Channels, CoreDebug
from rig.emulator.debug_parts import CORTEX_M3, Component, DebugParts
from rig.emulator.instance import RomFlash

DP_CTRL_STAT, DP_RDBUFF = 0x4, 0xC
AP_CSW, AP_TAR, AP_DRW, AP_BD0, AP_CFG, AP_BASE, AP_IDR = 0x00, 0x04, 0x0C, 0x10, 0xF4, 0xF8, 0xFC

_CSW_RESET = 0x23000042
_WRAP = 0x1000  # TAR counts up within 4 KiB only
_PRIVATE, _PRIVATE_END = 0xE0000000, 0xE0100000
_MTREE_ROW = re.compile(r"^\s+([0-9a-f]{16})-([0-9a-f]{16}) \(prio (-?\d+), [^)]*\): (.*)$", re.M)


class MemoryFault(Exception):
    """A memory access failed: nothing is mapped there."""

    def __init__(self, address: int, length: int) -> None:
        super().__init__(f"no memory at {address:#010x}, {length} bytes")
        self.address = address
        self.length = length


def mapped_ranges(mtree: str) -> list[tuple[int, int]]:
    """The half-open address ranges at which a machine has memory or devices, from ``info mtree -f``."""
    rows = _MTREE_ROW.findall(mtree)
    found = {(int(lo, 16), int(hi, 16) + 1) for lo, hi, _, name in rows if not name.startswith("RESERVED")}
    merged: list[tuple[int, int]] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


class DebugPort:
    """Port registers and memory of one emulated board, over QEMU's channels.

    What is written to ``rom_flash`` is also written to its file.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        scratch: int,
        rom_flash: RomFlash | None = None,
        parts: DebugParts = CORTEX_M3,
    ) -> None:
        self._channels = channels
        self._rom_flash = rom_flash
        self._parts = parts
        self.core = CoreDebug(channels, scratch=scratch, comparators=parts.comparators)
        self._ranges: list[tuple[int, int]] = []
        self._ctrl = 0
        self._csw = _CSW_RESET
        self._tar = 0

    def attach(self, *, was_running: bool) -> None:
        """Reads the machine's memory map and takes over its core."""
        self._ranges = mapped_ranges(self._channels.qmp.monitor("info mtree -f"))
        self.core.attach(was_running=was_running)

    # --- debug port and access port registers

    def read_dp(self, address: int) -> int:
        """Reads a debug port register; power requests are acknowledged at once."""
        if address == DP_CTRL_STAT:
            return self._ctrl | (self._ctrl & 0x54000000) << 1
        return self._parts.dpidr if address == 0 else 0

    def write_dp(self, address: int, value: int) -> None:
        """Writes a debug port register."""
        if address == DP_CTRL_STAT:
            self._ctrl = value & 0x54000F00

    def read_ap(self, select: int, address: int) -> int:
        """Reads a register of access port ``select``; there is one, number 0. Raises MemoryFault."""
        if select != 0:
            return 0
        if address == AP_DRW:
            return self._read_drw()
        if AP_BD0 <= address < AP_BD0 + 16:
            return self.read_word((self._tar & ~0xF) + address - AP_BD0)
        fixed = {AP_IDR: self._parts.ap_idr, AP_BASE: self._parts.base | 3}
        return {**fixed, AP_CSW: self._csw, AP_TAR: self._tar}.get(address, 0)

    def write_ap(self, select: int, address: int, value: int) -> None:
        """Writes a register of access port ``select``. Raises MemoryFault."""
        if select != 0:
            return
        if address == AP_CSW:
            self._csw = value & ~0x40 | 0x40
        elif address == AP_TAR:
            self._tar = value
        elif address == AP_DRW:
            self.write(self._tar, (value >> self._lane()).to_bytes(4, "little")[: self._width()])
            self._count_up()
        elif AP_BD0 <= address < AP_BD0 + 16:
            self.write_word((self._tar & ~0xF) + address - AP_BD0, value)

    def read_data(self, count: int) -> list[int]:
        """Reads the data register ``count`` times, at once where it runs through words of memory."""
        if not self._runs_through(count):
            return [self._read_drw() for _ in range(count)]
        words = struct.unpack(f"<{count}I", self.read(self._tar, 4 * count))
        self._tar += 4 * count
        return list(words)

    def write_data(self, values: Sequence[int]) -> None:
        """Writes the data register several times, at once where it runs through words of memory."""
        if not self._runs_through(len(values)):
            for value in values:
                self.write_ap(0, AP_DRW, value)
            return
        self.write(self._tar, struct.pack(f"<{len(values)}I", *values))
        self._tar += 4 * len(values)

    def _runs_through(self, count: int) -> bool:
        within = self._tar % 4 == 0 and self._tar % _WRAP + 4 * count < _WRAP
        return within and self._width() == 4 and self._csw & 0x30 == 0x10

    @property
    def transfer_address(self) -> int:
        """Where the next access through the data register goes."""
        return self._tar

    def _width(self) -> int:
        return (1, 2, 4, 4, 4, 4, 4, 4)[self._csw & 7]

    def _lane(self) -> int:
        """Bits by which data narrower than a word is shifted in DRW (ARM IHI 0031, C2.2.6)."""
        return 8 * (self._tar & 3) if self._width() < 4 else 0

    def _read_drw(self) -> int:
        value = int.from_bytes(self.read(self._tar, self._width()), "little") << self._lane()
        self._count_up()
        return value

    def _count_up(self) -> None:
        if self._csw & 0x30:
            self._tar = self._tar & ~(_WRAP - 1) | (self._tar + self._width()) & (_WRAP - 1)

    # --- memory

    def read_word(self, address: int) -> int:
        """Reads an aligned word of memory, debug registers included. Raises MemoryFault."""
        return int(struct.unpack("<I", self.read(address, 4))[0])

    def write_word(self, address: int, value: int) -> None:
        """Writes an aligned word of memory, debug registers included. Raises MemoryFault."""
        self.write(address, struct.pack("<I", value & 0xFFFFFFFF))

    def read(self, address: int, length: int) -> bytes:
        """Reads memory, also while the core runs. Raises MemoryFault where nothing is mapped."""
        if address + length > _PRIVATE:
            return self._read_private(address, length)
        self._check(address, length)
        return self._channels.qtest.read(address, length)

    def write(self, address: int, data: bytes) -> None:
        """Writes memory, also while the core runs. Raises MemoryFault where nothing is mapped."""
        if address + len(data) > _PRIVATE:
            self._write_private(address, data)
            return
        self._check(address, len(data))
        if self._rom_flash is not None and self._rom_flash.holds(address):
            self._write_rom(self._rom_flash, address, data)
        else:
            self._channels.qtest.write(address, data)
        self.core.memory_written(address, data)

    def _write_rom(self, flash: RomFlash, address: int, data: bytes) -> None:
        """Flash that is ROM to QEMU: qtest's stores are dropped there, the gdbstub's die with the process."""
        self.core.write_rom(address, data)
        with flash.file.open("r+b") as kept:
            kept.seek(address - flash.start)
            kept.write(data)

    def _check(self, address: int, length: int) -> None:
        if not any(low <= address and address + length <= high for low, high in self._ranges):
            raise MemoryFault(address, length)

    def _read_private(self, address: int, length: int) -> bytes:
        """The private peripheral bus, word by word: some words are the debugger's, the rest the machine's."""
        if not self._is_private(address, length):
            raise MemoryFault(address, length)
        first = address & ~3
        words = [self._private_word(place) for place in range(first, address + length, 4)]
        return struct.pack(f"<{len(words)}I", *words)[address - first :][:length]

    def _private_word(self, address: int) -> int:
        if self.core.owns(address):
            return self.core.read(address)
        page = address & ~0xFFF
        component = self._parts.components.get(page)
        if component is not None and (address & 0xFFF >= 0xFD0 or component.entries):
            return _identification(page, component, address & 0xFFF)
        return self._channels.qtest.read_word(address)

    def _is_private(self, address: int, length: int) -> bool:
        """Whether it lies in the private peripheral bus, or in a page that a ROM table of the chip fills."""
        if _PRIVATE <= address <= _PRIVATE_END - length:
            return True
        page = address & ~0xFFF
        return page in self._parts.components and address + length <= page + 0x1000

    def _write_private(self, address: int, data: bytes) -> None:
        if not _PRIVATE <= address <= _PRIVATE_END - len(data):
            raise MemoryFault(address, len(data))
        if address % 4 or len(data) % 4:
            self._channels.qtest.write(address, data)
            return
        for index, value in enumerate(struct.unpack(f"<{len(data) // 4}I", data)):
            place = address + 4 * index
            if not ((self.core.owns(place) or place == AIRCR) and self.core.write(place, value)):
                self._channels.qtest.write(place, struct.pack("<I", value))


def _identification(page: int, component: Component, offset: int) -> int:
    """A word of a ROM table or of a component's identification registers (ARM IHI 0029, D1)."""
    if offset >= 0xFF0:
        return (0xB105000D | component.kind << 12) >> 8 * ((offset - 0xFF0) // 4) & 0xFF
    if offset >= 0xFE0:
        return component.peripheral >> 8 * ((offset - 0xFE0) // 4) & 0xFF
    if offset >= 0xFD0:
        return component.peripheral >> 32 + 8 * ((offset - 0xFD0) // 4) & 0xFF
    if offset // 4 < len(component.entries):
        return (component.entries[offset // 4] - page) & 0xFFFFFFFF | 3
    return 1 if offset == 0xFCC else 0
