# SPDX-License-Identifier: MIT
"""Where a board's flash holds its slots, read from the bootloader's ELF; and what is written there.

Owns ``g_flash_layout`` on the rig's side and the trailer's marks. What an image is stands in ``mcuboot.py``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rig.errors import ImageFault
from rig.image.elf import loaded_bytes, open_elf, read_file, read_headers
from rig.image.mcuboot import Place
from rig.image.symbols import sized_symbols

SYMBOL: Final = "g_flash_layout"
VERSION: Final = 1
TRAILER_MAGIC: Final = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
State = Literal["none", "test", "tried", "confirmed"]
Slot = Literal["a", "b"]
_WORDS = struct.Struct("<12I")
_MARK = b"\x01".ljust(8, b"\xff")


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """The numbers of ``firmware/ota/flash_layout.h`` that a bootloader was built with: bytes, addresses."""

    slot_a: int
    slot_b: int
    slot_size: int
    header_size: int
    sector_size: int
    state: int
    state_size: int
    agent: int
    agent_size: int
    ram: int
    ram_size: int

    @property
    def image_max(self) -> int:
        """The most that a signed image may have: the last sector is the trailer's."""
        return self.slot_size - self.sector_size

    def address(self, slot: Slot) -> int:
        """Where a slot begins."""
        return self.slot_a if slot == "a" else self.slot_b

    def place(self, slot: Slot, board: str, counter_floor: int = 0) -> Place:
        """What an image must be to run from a slot."""
        ram = range(self.ram, self.ram + self.ram_size)
        return Place(self.address(slot), self.image_max, self.header_size, ram, board, counter_floor)

    def trailer(self, state: State) -> bytes:
        """The trailer's sector in that state."""
        copy_done = _MARK if state in ("tried", "confirmed") else b"\xff" * 8
        image_ok = _MARK if state == "confirmed" else b"\xff" * 8
        magic = b"\xff" * 16 if state == "none" else TRAILER_MAGIC
        return (copy_done + image_ok + magic).rjust(self.sector_size, b"\xff")

    def filled(self, image: bytes, state: State) -> bytes:
        """A whole slot that holds the image, as far as it fits, and the trailer in that state."""
        return image[: self.image_max].ljust(self.image_max, b"\xff") + self.trailer(state)


def read_layout(bootloader: Path) -> SlotLayout:
    """The layout that a bootloader was built with. Raises ImageFault for an ELF that has none."""
    data = read_file(bootloader)
    with open_elf(bootloader) as elf:
        symbol = next((s for s in sized_symbols(elf) if s.name == SYMBOL), None)
    if symbol is None or symbol.size < _WORDS.size:
        raise ImageFault(f"{bootloader}: no {SYMBOL}: expected the bootloader of a board with two slots")
    for start, part in loaded_bytes(read_headers(bootloader, data), data):
        if start <= symbol.address and symbol.address + _WORDS.size <= start + len(part):
            version, *numbers = _WORDS.unpack_from(part, symbol.address - start)
            if version != VERSION:
                raise ImageFault(f"{bootloader}: {SYMBOL} of version {version}, expected {VERSION}")
            return SlotLayout(*numbers)
    raise ImageFault(f"{bootloader}: {SYMBOL} is not among the bytes that it loads")
