# SPDX-License-Identifier: MIT
"""Writing the index: one row per run, board, case and measurement, and one compressed blob per series."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from rig.errors import EvidenceFault
from rig.evidence import bundle
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.reader import load_run
from rig.evidence.store.database import Unusable, connected, replaced

_LEFT_OUT = {"artifacts", "requirements", "transcript"}


def index_run(run: Run) -> None:
    """Puts a run (again) into the index of the folder it lies in. Blocks while others write.

    An index that cannot be used is made again from all bundles. Raises EvidenceFault.
    """
    try:
        with connected(run.path.parent) as connection, transaction(connection):
            _insert(connection, run, stamp(run.path) if run.complete else "")
    except Unusable:
        rebuild(run.path.parent)


def rebuild(runs_dir: Path) -> tuple[str, ...]:
    """Makes the index anew from the bundles; returns what could not be read, one text per bundle."""
    with replaced(runs_dir) as connection, transaction(connection):
        return tuple(_insert_bundles(connection, _bundles(runs_dir)))


def refresh(runs_dir: Path) -> tuple[str, ...]:
    """Brings the index up to bundles that are new, have grown or are gone; returns what was unreadable."""
    try:
        with connected(runs_dir) as connection:
            known = dict(connection.execute("SELECT run_id, stamp FROM runs").fetchall())
            there = {path.name: path for path in _bundles(runs_dir)}
            changed = [path for name, path in there.items() if known.get(name) != stamp(path)]
            gone = known.keys() - there.keys()
            if not changed and not gone:
                return ()
            with transaction(connection):
                for run_id in gone:
                    _delete(connection, run_id)
                return tuple(_insert_bundles(connection, changed))
    except Unusable:
        return rebuild(runs_dir)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that two writers wait rather than collide."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def stamp(run: Path) -> str:
    """Tells one state of a bundle from another without reading it: size and time of its journals."""
    try:
        found = [path.stat() for path in run.glob(bundle.JOURNALS_GLOB)]
    except OSError:
        return ""
    size, changed_ns = sum(s.st_size for s in found), max((s.st_mtime_ns for s in found), default=0)
    return f"{size}:{changed_ns}" if found else ""


def _bundles(runs_dir: Path) -> list[Path]:
    """The folders named like a run, oldest first."""
    return sorted(path for path in runs_dir.glob(bundle.RUN_ID_GLOB) if (path / bundle.HEADER).exists())


def _insert_bundles(connection: sqlite3.Connection, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        before = stamp(path)
        try:
            _insert(connection, load_run(path, with_events=False), before)
        except EvidenceFault as fault:
            yield str(fault)


def _insert(connection: sqlite3.Connection, run: Run, state: str) -> None:
    """Replaces all that is known of a run; ``state`` is the stamp of its bundle when it was read."""
    _delete(connection, run.path.name)
    header = {
        name: getattr(run, name) for name in ("outcome", "complete", "duration_s", "operator", "environment")
    }
    started = {"started_utc": run.started_utc.isoformat(), "stamp": state}
    _row(connection, "runs", {"run_id": run.path.name, **header, **started})
    parts: tuple[tuple[str, tuple[BoardResult | CaseResult | MeasurementResult, ...]], ...] = (
        ("boards", run.boards),
        ("cases", run.cases),
        ("measurements", run.measurements),
    )
    for table, items in parts:
        for item in items:
            values = {f.name: getattr(item, f.name) for f in fields(item) if f.name not in _LEFT_OUT}
            _row(connection, table, {"run_id": run.path.name, **values})
    for measurement in run.measurements:
        _insert_series(connection, run, measurement)


def _insert_series(connection: sqlite3.Connection, run: Run, measurement: MeasurementResult) -> None:
    """Keeps a series once per content; one that is missing from the bundle is missing here too."""
    sha256, dtype = measurement.samples_sha256, measurement.samples_dtype
    if sha256 is None or dtype is None:
        return
    if connection.execute("SELECT 1 FROM series WHERE sha256 = ? AND dtype = ?", (sha256, dtype)).fetchone():
        return
    try:
        content = bundle.series_bytes(run.path, sha256)
    except EvidenceFault:
        return
    row = {"sha256": sha256, "dtype": dtype, "n": measurement.n, "zlib": zlib.compress(content, 6)}
    _row(connection, "series", row)


def _delete(connection: sqlite3.Connection, run_id: str) -> None:
    for table in ("runs", "boards", "cases", "measurements"):
        connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))


def _row(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [_cell(v) for v in values.values()])


def _cell(value: object) -> object:
    """A value as SQLite takes it: mappings as JSON, and text without the halves of characters it refuses."""
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
