# SPDX-License-Identifier: MIT
"""The one file in which jobs, streams and what is still to be said are kept, so that all change together.

A transaction that has ended outlives the service however it ends; one that has not leaves nothing. Owns the
tables; what is in them is the matter of the modules named there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

MAX_BYTES_OF_A_FILE: Final = 24 << 20

_SCHEMA: Final = """
-- job_table.py: a job is for one thing, so that its execution is the same row
CREATE TABLE IF NOT EXISTS jobs (
  place INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, thing TEXT NOT NULL,
  document TEXT NOT NULL, protocol TEXT NOT NULL, stream TEXT NOT NULL,
  status TEXT NOT NULL, details TEXT NOT NULL, version INTEGER NOT NULL,
  queued_at INTEGER NOT NULL, started_at INTEGER, updated_at INTEGER NOT NULL, step_ends_at REAL);
CREATE INDEX IF NOT EXISTS jobs_of_a_thing ON jobs (thing, status);
-- history.py
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, event TEXT NOT NULL);
-- outbox.py
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL);
-- stream_table.py
CREATE TABLE IF NOT EXISTS streams (
  stream TEXT PRIMARY KEY, thing TEXT NOT NULL, version INTEGER NOT NULL, description TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
  place INTEGER PRIMARY KEY, stream TEXT NOT NULL, file INTEGER NOT NULL, content BLOB NOT NULL,
  UNIQUE (stream, file));
-- presigned.py
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class OtaDatabase:
    """Raises sqlite3.Error. A connection per transaction: the file may vanish or fill between two."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as connection:
            connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done within is kept when it ends, or nothing. One at a time, over all processes."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For looking only."""
        with closing(self._open()) as connection:
            yield connection

    def copy_to(self, path: Path) -> None:
        """A whole and consistent copy, taken while the service runs: its state at this moment."""
        with closing(self._open()) as connection, closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")  # it must outlive the service, not the machine
        return connection
