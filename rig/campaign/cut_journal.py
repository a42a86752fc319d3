# SPDX-License-Identifier: MIT
"""The journal of a plan of power cuts: its states, its cuts, and what became of each. One SQLite file.

What was added is kept however the controller ends; a plan that is begun again goes on with what is missing.
Owns the tables; safe from several threads. A sector's bytes are kept once.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from rig.campaign.cut_judge import Recovery
from rig.campaign.cut_plan import Cut, Operation
from rig.campaign.flash_range import sector_hash, state_hash
from rig.errors import EvidenceFault, UsageFault

FILE: Final = "journal.sqlite"
Table = Literal["updates", "samples"]
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sectors (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, zlib BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS states (state TEXT PRIMARY KEY, sectors BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cuts (
  place INTEGER PRIMARY KEY, depth INTEGER NOT NULL, parent TEXT NOT NULL, number INTEGER NOT NULL,
  operation TEXT NOT NULL, fault TEXT NOT NULL, state TEXT NOT NULL, service TEXT NOT NULL,
  UNIQUE (parent, number, fault));
CREATE TABLE IF NOT EXISTS recoveries (state TEXT PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS updates (name TEXT PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS samples (name TEXT PRIMARY KEY, said TEXT NOT NULL);
"""


class Journal:
    """A context manager. Raises EvidenceFault where the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.RLock()
        self._known: dict[bytes, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")  # to outlive the controller, not the machine
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise EvidenceFault(f"{self.path}: no journal of power cuts: {error}") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._connection.close()

    # --- what the plan is

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Takes the journal for a plan; one of another plan raises UsageFault."""
        wanted = json.dumps(identity, sort_keys=True)
        found = self.fact("identity")
        if found is None:
            self.set_fact("identity", wanted)
        elif found != wanted:
            raise UsageFault(f"{self.path} is of another plan: {found}; this one is {wanted}",
                             hint="Give this plan another folder")  # fmt: skip

    def fact(self, name: str) -> str | None:
        """A fact of the plan, None where it is not known yet."""
        row = self._one("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Keeps it."""
        self._do("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    # --- states

    def add_state(self, sectors: list[bytes], hashes: list[bytes]) -> str:
        """Keeps what a range of flash held; returns the state's name."""
        state = state_hash(hashes)
        with self._transaction():
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
        self._do("INSERT OR REPLACE INTO recoveries VALUES (?, ?)", found.state, json.dumps(found.document()))

    def recoveries(self) -> dict[str, Recovery]:
        """By state."""
        rows = self._all("SELECT state, said FROM recoveries")
        return {state: Recovery.of_document(state, json.loads(said)) for state, said in rows}

    def add(self, table: Table, name: str, said: Mapping[str, Any]) -> None:
        """Keeps what became of an update, or of one of a sample."""
        self._do(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", name, json.dumps(said))

    def found(self, table: Table) -> dict[str, dict[str, Any]]:
        """All of them, by name."""
        return {name: json.loads(said) for name, said in self._all(f"SELECT name, said FROM {table}")}

    # --- SQLite

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._do("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._known.clear()
                self._do("ROLLBACK")
                raise
            self._do("COMMIT")

    def _do(self, text: str, *values: Any) -> None:
        with self._lock, self._told():
            self._connection.execute(text, values)

    def _one(self, text: str, *values: Any) -> Any:
        with self._lock, self._told(), closing(self._connection.execute(text, values)) as rows:
            return rows.fetchone()

    def _all(self, text: str, *values: Any) -> list[Any]:
        with self._lock, self._told(), closing(self._connection.execute(text, values)) as rows:
            return rows.fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise EvidenceFault(f"{self.path}: {error}") from error
