# SPDX-License-Identifier: MIT
"""The journal of a plan of power cuts: its states, its cuts, and what became of each. One SQLite file.

A plan that is begun again goes on with what is missing. Owns the tables of states and cuts, and the names of
the others. A sector's bytes are kept once.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rig.campaign.cut_judge import Recovery
from rig.campaign.cut_plan import Cut, Operation
from rig.campaign.flash_range import sector_hash, state_hash
from rig.campaign.kept_file import KeptFile
from rig.errors import EvidenceFault

FILE: Final = "journal.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sectors (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, zlib BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS states (state TEXT PRIMARY KEY, sectors BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cuts (
  place INTEGER PRIMARY KEY, depth INTEGER NOT NULL, parent TEXT NOT NULL, number INTEGER NOT NULL,
  operation TEXT NOT NULL, fault TEXT NOT NULL, state TEXT NOT NULL, service TEXT NOT NULL,
  UNIQUE (parent, number, fault));
"""


class Journal(KeptFile):
    """A context manager. Raises EvidenceFault where the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, ("recoveries", "updates", "samples"), _SCHEMA)
        self._known: dict[bytes, int] = {}

    # --- states

    def add_state(self, sectors: list[bytes], hashes: list[bytes]) -> str:
        """Keeps what a range of flash held; returns the state's name."""
        state = state_hash(hashes)
        with self._all_or_nothing():
            if self._one("SELECT 1 FROM states WHERE state = ?", state) is None:
                numbers = [self._sector(data, digest) for data, digest in zip(sectors, hashes, strict=True)]
                blob = struct.pack(f"<{len(numbers)}I", *numbers)
                self._do("INSERT INTO states VALUES (?, ?)", state, blob)
        return state

    def add_content(self, sectors: list[bytes]) -> str:
        """The same, where no hash is known yet."""
        return self.add_state(sectors, [sector_hash(data) for data in sectors])

    def state(self, state: str) -> list[bytes]:
        """Its sectors. Raises EvidenceFault for one that is not there."""
        row = self._one("SELECT sectors FROM states WHERE state = ?", state)
        if row is None:
            raise EvidenceFault(f"{self.path}: no state {state}")
        numbers = struct.unpack(f"<{len(row[0]) // 4}I", row[0])
        held = {number: self._bytes(number) for number in set(numbers)}
        return [held[number] for number in numbers]

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            with self._transaction():
                yield
        except BaseException:
            self._known.clear()
            raise

    def _bytes(self, number: int) -> bytes:
        row = self._one("SELECT zlib FROM sectors WHERE id = ?", number)
        assert row is not None
        return zlib.decompress(row[0])

    def _sector(self, data: bytes, digest: bytes) -> int:
        if (known := self._known.get(digest)) is not None:
            return known
        self._do("INSERT OR IGNORE INTO sectors (sha256, zlib) VALUES (?, ?)", digest, zlib.compress(data, 1))
        row = self._one("SELECT id FROM sectors WHERE sha256 = ?", digest)
        assert row is not None
        return self._known.setdefault(digest, int(row[0]))

    # --- cuts

    def add_cut(self, cut: Cut) -> None:
        """Keeps a cut; one of the same place takes the place of what was there."""
        self._do("INSERT OR REPLACE INTO cuts (depth, parent, number, operation, fault, state, service) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)", cut.depth, cut.parent, cut.number,
                 json.dumps(cut.operation.document()), cut.fault, cut.state, cut.service)  # fmt: skip

    def forget_cuts(self) -> None:
        """Takes all cuts back, as of a pass that did not come to its end; states stay."""
        self._do("DELETE FROM cuts")

    def cuts(self, depth: int | None = None) -> list[Cut]:
        """Those of that depth, or all, in their order."""
        order = "ORDER BY depth, place"
        rows = self._all(f"SELECT * FROM cuts WHERE depth = coalesce(?, depth) {order}", depth)
        return [
            Cut(Operation(**json.loads(row[4])), row[5], row[6], row[3], row[1], row[2], row[7])
            for row in rows
        ]

    # --- what became of them

    def add_recovery(self, found: Recovery) -> None:
        """Keeps what became of a state."""
        self.add("recoveries", found.state, found.document())

    def recoveries(self) -> dict[str, Recovery]:
        """By state."""
        found = self.found("recoveries")
        return {state: Recovery.of_document(state, said) for state, said in found.items()}
