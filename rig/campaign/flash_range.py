# SPDX-License-Identifier: MIT
"""The part of a flash that an update changes, and what it held at a moment: a state, known by its hash.

Pure: bytes in, sectors and hashes out. Where states are kept is ``cut_journal.py``'s; what they mean is
``cut_judge.py``'s.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rig.errors import UsageFault
from rig.image.slot_layout import TRAILER_MAGIC, Slot, SlotLayout, State

_MARK = 0x01


@dataclass(frozen=True, slots=True)
class FlashRange:
    """Both slots and the states of bootloader and agent: ``size`` bytes from ``start``, in whole sectors.

    ``offset`` is where they begin in the file that keeps an emulated board's flash.
    """

    layout: SlotLayout
    start: int
    size: int
    offset: int

    @classmethod
    def of_layout(cls, layout: SlotLayout, flash_start: int) -> FlashRange:
        """From the first to the last byte that the layout names."""
        start = min(layout.slot_a, layout.slot_b, layout.state, layout.agent)
        end = max(
            layout.slot_a + layout.slot_size,
            layout.slot_b + layout.slot_size,
            layout.state + layout.state_size,
            layout.agent + layout.agent_size,
        )
        if (end - start) % layout.sector_size or start < flash_start:
            raise UsageFault(f"flash from {start:#x} to {end:#x} is not made of whole sectors of its device")
        return cls(layout, start, end - start, start - flash_start)

    @property
    def sector(self) -> int:
        """Bytes of a sector."""
        return self.layout.sector_size

    def sectors(self, content: bytes) -> list[bytes]:
        """The range's bytes, sector by sector."""
        assert len(content) == self.size
        return [content[at : at + self.sector] for at in range(0, self.size, self.sector)]

    def slot_bytes(self, content: bytes, slot: Slot) -> bytes:
        """What a slot holds."""
        at = self.layout.address(slot) - self.start
        return content[at : at + self.layout.slot_size]

    def with_slot(self, content: bytes, slot: Slot, filled: bytes) -> bytes:
        """The same with another slot in its place."""
        assert len(filled) == self.layout.slot_size
        at = self.layout.address(slot) - self.start
        return content[:at] + filled + content[at + len(filled) :]

    def trailer_state(self, content: bytes, slot: Slot) -> State:
        """What the slot's trailer says, read as ``docs/ota-boot.md`` has it; a torn mark is none."""
        end = self.slot_bytes(content, slot)[-32:]
        if end[16:] != TRAILER_MAGIC:
            return "none"
        if end[8] == _MARK:
            return "confirmed"
        return "tried" if end[0] == _MARK else "test"


def changed(before: list[bytes], after: list[bytes]) -> list[int]:
    """The numbers of the sectors that differ."""
    return [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]


def sector_hash(data: bytes) -> bytes:
    """A sector's SHA-256."""
    return hashlib.sha256(data).digest()


def state_hash(sector_hashes: list[bytes]) -> str:
    """A state's name: the SHA-256 of its sectors' hashes, in order."""
    return hashlib.sha256(b"".join(sector_hashes)).hexdigest()
