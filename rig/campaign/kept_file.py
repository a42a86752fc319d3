# SPDX-License-Identifier: MIT
"""What a campaign has found so far, in one SQLite file that outlives its controller however that ends.

Owns the file, facts of the campaign, and tables of findings by name (JSON). Safe from several threads. What
the findings are is its users'.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from rig.errors import EvidenceFault, UsageFault

_FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class KeptFile:
    """A context manager. ``tables``: those of findings; ``schema``: what else there is, as SQL.

    Raises EvidenceFault where the file cannot be used.
    """

    def __init__(self, path: Path, tables: Sequence[str], schema: str = "") -> None:
        self.path = path
        self._lock = threading.RLock()
        self._tables = tuple(tables)
        found = (
            f"CREATE TABLE IF NOT EXISTS {name} (name TEXT PRIMARY KEY, said TEXT NOT NULL);"
            for name in tables
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")  # to outlive the controller, not the machine
            self._connection.executescript("\n".join([_FACTS, *found, schema]))
        except (OSError, sqlite3.Error) as error:
            raise EvidenceFault(f"{path}: nothing can be kept there: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._connection.close()

    # --- what the campaign is

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Takes the file for a campaign; one of another raises UsageFault."""
        wanted = json.dumps(identity, sort_keys=True)
        found = self.fact("identity")
        if found is None:
            self.set_fact("identity", wanted)
        elif found != wanted:
            raise UsageFault(f"{self.path} is of another plan: {found}; this one is {wanted}",
                             hint="Give this plan another folder")  # fmt: skip

    def fact(self, name: str) -> str | None:
        """A fact of the campaign, None where it is not known yet."""
        row = self._one("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Keeps it."""
        self._do("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    # --- what was found

    def add(self, table: str, name: str, said: Mapping[str, Any]) -> None:
        """Keeps a finding, in the place of one of that name."""
        self._do(f"INSERT OR REPLACE INTO {self._known_table(table)} VALUES (?, ?)", name, json.dumps(said))

    def found(self, table: str) -> dict[str, dict[str, Any]]:
        """All findings of a table, by name, the oldest first."""
        rows = self._all(f"SELECT name, said FROM {self._known_table(table)} ORDER BY rowid")
        return {name: json.loads(said) for name, said in rows}

    def _known_table(self, table: str) -> str:
        if table not in self._tables:
            raise ValueError(f"no table {table}, there are {', '.join(self._tables)}")
        return table

    # --- SQLite

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._do("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
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
