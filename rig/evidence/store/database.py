# SPDX-License-Identifier: MIT
"""The SQLite file of the index: its schema, and who may open it when. Knows nothing of bundles.

WAL mode; several processes may read and write at once. A lock file beside it keeps the replacing of the
whole file (exclusive) apart from its use (shared).
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rig.errors import EvidenceFault

INDEX, LOCK = "index.sqlite", ".index.lock"
VERSION = 1
BUSY_S = 30.0
"""How long a writer waits for another one, in seconds."""

SCHEMA = f"""
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, complete INTEGER NOT NULL, started_utc TEXT NOT NULL,
  duration_s REAL, operator TEXT, environment TEXT NOT NULL, stamp TEXT NOT NULL);
CREATE TABLE boards (
  run_id TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL, dut TEXT, image_sha256 TEXT,
  identity TEXT NOT NULL, PRIMARY KEY (run_id, name));
CREATE TABLE cases (
  run_id TEXT NOT NULL, board TEXT NOT NULL, suite TEXT NOT NULL, "case" TEXT NOT NULL,
  attempt INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, unstable INTEGER NOT NULL,
  started_ns INTEGER NOT NULL, duration_s REAL);
CREATE TABLE measurements (
  run_id TEXT NOT NULL, board TEXT NOT NULL, suite TEXT NOT NULL, "case" TEXT NOT NULL,
  attempt INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, n INTEGER NOT NULL,
  min REAL, mean REAL, p50 REAL, p90 REAL, p99 REAL, p999 REAL, max REAL, sd REAL,
  lower REAL, upper REAL, limit_origin TEXT, limit_at TEXT, provisional INTEGER NOT NULL,
  marginal INTEGER NOT NULL, outcome TEXT, samples_sha256 TEXT, context TEXT NOT NULL,
  statistic TEXT NOT NULL, samples_dtype TEXT, note TEXT NOT NULL);
CREATE TABLE series (
  sha256 TEXT NOT NULL, dtype TEXT NOT NULL, n INTEGER NOT NULL, zlib BLOB NOT NULL,
  PRIMARY KEY (sha256, dtype)) WITHOUT ROWID;
CREATE INDEX cases_of_run ON cases (run_id);
CREATE INDEX measurements_of_run ON measurements (run_id);
CREATE INDEX measurements_by_name ON measurements (name, board, suite, "case");
PRAGMA user_version = {VERSION};
"""


class Unusable(Exception):
    """The index is missing, damaged or of another version: it must be made again. Stays inside the store."""


@contextmanager
def locked(runs_dir: Path, *, exclusive: bool) -> Iterator[None]:
    """Holds the index's lock; blocks until it is free. Raises EvidenceFault if there is no place for it."""
    try:
        file = (runs_dir / LOCK).open("ab")
    except OSError as error:
        message = f"the index of runs cannot be used: {error.strerror}"
        raise EvidenceFault(message, evidence=str(runs_dir)) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


@contextmanager
def connected(runs_dir: Path) -> Iterator[sqlite3.Connection]:
    """The index under a shared lock, one transaction for each ``with connection``. Raises Unusable."""
    path = runs_dir / INDEX
    with locked(runs_dir, exclusive=False):
        if not path.exists():
            raise Unusable(str(path))
        try:
            with closing(_open(path)) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                    raise Unusable(f"{path}: another version")
                yield connection
        except sqlite3.OperationalError as error:
            raise EvidenceFault(f"the index of runs cannot be used: {error}", evidence=str(path)) from error
        except sqlite3.DatabaseError as error:
            raise Unusable(f"{path}: {error}") from error


@contextmanager
def replaced(runs_dir: Path) -> Iterator[sqlite3.Connection]:
    """A new, empty index that takes the old one's place at the end of the block. Raises EvidenceFault."""
    path = runs_dir / INDEX
    scratch = runs_dir / f".{INDEX}.new"
    with locked(runs_dir, exclusive=True):
        try:
            _remove(scratch)
            with closing(_open(scratch)) as connection:
                connection.executescript(SCHEMA)
                yield connection
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _remove(path)
            scratch.replace(path)
        except (sqlite3.Error, OSError) as error:
            raise EvidenceFault(f"the index of runs cannot be made: {error}", evidence=str(path)) from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
