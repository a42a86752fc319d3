# SPDX-License-Identifier: MIT
"""The layout of a run's folder and how files get into it. Owns names, atomic writes and sample files.

::

    runs/20261122T101500Z-a1b2/
      run.json          header: format, run_id, started_utc, operator, environment
      journal.jsonl     every record in order, append-only (journal.py); the truth
      journal.<board>.jsonl  where boards ran side by side: the part of one board, by its own process
      samples/<sha256>.bin   one series: raw little-endian int64 or float64, named by its content
      artifacts/<board>/...  transcripts, images, crash records
      summary.json      written once at the end: outcome, counts, SHA-256 of the journals

The header of a run of boards side by side has format 2 and names them (``boards``), so that one whose process
wrote nothing is missed, and holds the beginning of the run on the host's clock (``clock_zero_ns``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from rig.errors import EvidenceFault

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT, SIDE_BY_SIDE_FORMAT = 1, 2
HEADER, JOURNAL, SUMMARY = "run.json", "journal.jsonl", "summary.json"
JOURNALS_GLOB = "journal*.jsonl"
SAMPLES, ARTIFACTS = "samples", "artifacts"
RUN_ID_GLOB = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z-????"

_DTYPES = {"int64": "<i8", "float64": "<f8"}


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """Where a series is kept: the SHA-256 of its bytes, and ``int64`` or ``float64``."""

    sha256: str
    dtype: str


def journal_name(board: str | None) -> str:
    """The file of a run's journal, or of the part that the process of one board writes."""
    return JOURNAL if board is None else f"journal.{board}.jsonl"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_header(run: Path) -> dict[str, Any]:
    """The header of a run; empty if there is none."""
    header = read_json(run / HEADER)
    return header if {"format", "run_id", "started_utc"} <= header.keys() else {}


def create_run_folder(runs_dir: Path, started_utc: datetime) -> Path:
    """Makes ``runs_dir/<run_id>`` with its sub-folders; raises EvidenceFault if it cannot be made."""
    stamp = started_utc.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    while True:
        path = runs_dir / f"{stamp}-{secrets.token_hex(2)}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise EvidenceFault(
                f"cannot make the run's folder: {error.strerror}", evidence=str(path)
            ) from error
        for name in (SAMPLES, ARTIFACTS):
            (path / name).mkdir()
        return path


def write_atomic(path: Path, content: bytes | Path) -> None:
    """Writes a whole file (a Path is copied) or none: temporary file, fsync, rename. Raises EvidenceFault."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        if isinstance(content, Path):
            shutil.copyfile(content, scratch)
        else:
            scratch.write_bytes(content)
        _fsync(scratch)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise EvidenceFault(f"cannot write the file: {error.strerror}", evidence=str(path)) from error


def sync_folders(run: Path) -> None:
    """fsync of the folders, so that the names of new files survive a power cut. Raises EvidenceFault."""
    try:
        for folder in (run, run / SAMPLES, run / ARTIFACTS):
            _fsync(folder)
    except OSError as error:
        raise EvidenceFault(f"cannot secure the run: {error.strerror}", evidence=str(run)) from error


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes a JSON file atomically. Raises EvidenceFault."""
    write_atomic(path, (json.dumps(content, indent=2, default=repr) + "\n").encode())


def store_series(run: Path, series: npt.NDArray[Any]) -> StoredSeries:
    """Keeps an int64 or float64 array under the hash of its bytes; the same content is kept once."""
    content = series.tobytes()
    sha256 = hashlib.sha256(content).hexdigest()
    path = series_path(run, sha256)
    if not path.exists():
        write_atomic(path, content)
    return StoredSeries(sha256, str(series.dtype.newbyteorder("=")))


def load_series(run: Path, stored: StoredSeries) -> npt.NDArray[Any]:
    """Reads a series back and checks its hash; raises EvidenceFault if it is missing or differs."""
    return series_from_bytes(series_bytes(run, stored.sha256), stored.dtype)


def series_bytes(run: Path, sha256: str) -> bytes:
    """The bytes of a series, checked against their hash; raises EvidenceFault if missing or different."""
    path = series_path(run, sha256)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvidenceFault(f"samples cannot be read: {error.strerror}", evidence=str(path)) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EvidenceFault("samples are damaged: their SHA-256 is not their name", evidence=str(path))
    return content


def series_from_bytes(content: bytes, dtype: str) -> npt.NDArray[Any]:
    """The array whose bytes these are; raises EvidenceFault for an unknown ``dtype``."""
    if dtype not in _DTYPES:
        raise EvidenceFault(f"samples of type {dtype!r}, expected int64 or float64")
    import numpy as np

    return np.frombuffer(content, dtype=_DTYPES[dtype])


def series_path(run: Path, sha256: str) -> Path:
    """Where a series of that hash lies in a run's folder."""
    return run / SAMPLES / f"{sha256}.bin"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def artifact_path(run: Path, name: str) -> Path:
    """The path of an artifact, its folder made; raises ValueError if the name would leave ``artifacts/``."""
    relative = PurePosixPath(name)
    if not relative.parts or relative.is_absolute() or ".." in relative.parts or "\0" in name:
        raise ValueError(f"artifact name {name!r} must be a relative path without '..'")
    path = run / ARTIFACTS / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def free_artifact_path(run: Path, name: str) -> Path:
    """Like artifact_path, but ``name-2``, ``name-3`` … where that name is taken: no file is overwritten."""
    first = path = artifact_path(run, name)
    count = 1
    while path.exists():
        count += 1
        path = first.with_name(f"{first.stem}-{count}{first.suffix}")
    return path


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
