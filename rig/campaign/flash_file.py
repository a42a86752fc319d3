# SPDX-License-Identifier: MIT
"""The file of an emulated board's flash, as a plan of cuts uses it: what the range holds, and filling it.

Owns reading while the board runs, which sees each byte that its core has written (QEMU maps the file, and the
kernel keeps one copy of it), and writing while it is off: what a programmer's tool would do to a chip.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rig.campaign.cut_journal import Journal
from rig.campaign.flash_range import FlashRange, changed, sector_hash, state_hash


class FlashFile:
    """One board's flash. What was read last is remembered, so that only what has changed is hashed again."""

    def __init__(self, path: Path, place: FlashRange) -> None:
        self.path = path
        self.place = place
        self._sectors: list[bytes] = []
        self._hashes: list[bytes] = []

    @property
    def content(self) -> bytes:
        """The range's bytes as they were read last."""
        return b"".join(self._sectors)

    def read(self) -> str:
        """Looks at the range now; returns the state's name."""
        with self.path.open("rb") as file:
            file.seek(self.place.offset)
            now = self.place.sectors(file.read(self.place.size))
        if not self._sectors:
            self._hashes = [sector_hash(data) for data in now]
        else:
            for number in changed(self._sectors, now):
                self._hashes[number] = sector_hash(now[number])
        self._sectors = now
        return state_hash(self._hashes)

    def keep(self, journal: Journal) -> str:
        """Looks at the range now and keeps it; returns the state's name."""
        self.read()
        return journal.add_state(self._sectors, self._hashes)

    def write(self, sectors: Sequence[bytes]) -> None:
        """Has the range hold this; the board is off. Writes only what differs."""
        self.read()
        with self.path.open("r+b") as file:
            for number in changed(self._sectors, list(sectors)):
                file.seek(self.place.offset + number * self.place.sector)
                file.write(sectors[number])
        self.read()
