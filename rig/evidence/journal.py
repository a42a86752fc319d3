# SPDX-License-Identifier: MIT
"""The append-only journal of a run: lines of JSON, each with a checksum and a number. Knows no record types.

A line is ``{"crc":"89abcdef","seq":12,"type":…}``; the CRC-32 is over all bytes after its comma up to the
newline. Numbers that JSON lacks are the texts ``nan``, ``inf`` and ``-inf``.

``append`` returns when its record is with the operating system. ``defer`` only queues, for thousands of
events per second; a thread writes the queue within about 50 ms, and every ``append`` writes it first, so that
the file keeps the order. A write that fails is cut off again, so that the journal always ends with a whole
record and goes on when there is space. The writer holds an advisory lock on the file, so that who reads along
knows whether more may come.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import math
import os
import threading
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rig.errors import EvidenceFault

GATHER_S = 0.05
"""How long deferred records may wait in memory, in seconds."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _State:
    """What is written, as one value: an interrupt may come between any two steps, but not within a store.

    ``size``: bytes in the file. ``lost``: deferred records that could not be written. ``mend``: what the next
    block begins with, where half a record could not be taken back.
    """

    size: int
    records: int
    hash: Any
    lost: int = 0
    mend: bytes = b""


@dataclass(frozen=True, slots=True)
class _Block:
    """What is being written: where it begins in the file, its bytes, and what holds when it stands there."""

    begin: int
    content: bytes
    then: _State


class Journal:
    """The writing end. Thread-safe; ``close`` it. Raises EvidenceFault if it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = _State(0, 0, hashlib.sha256())
        self._block: _Block | None = None
        self._fault: EvidenceFault | None = None
        self._queue: deque[Callable[[], Record]] = deque()
        self._lock = threading.RLock()
        self._wake, self._closing = threading.Event(), threading.Event()
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            raise self._broken(error) from error
        with contextlib.suppress(OSError):  # a reader looked just now, or the file system has no locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._thread = threading.Thread(target=self._write_behind, name="journal", daemon=True)
        self._thread.start()

    @property
    def sha256(self) -> str:
        """SHA-256 of all that is written."""
        digest: str = self._state.hash.hexdigest()
        return digest

    @property
    def records(self) -> int:
        """How many records are written."""
        return self._state.records

    def append(self, record: Record) -> None:
        """Writes what is deferred, then the record; returns when the OS has both. Raises EvidenceFault.

        A fault of an earlier deferred write is raised here, once, and the record is not written then.
        """
        with self._lock:
            self._write_queue()
            if fault := self.take_fault():
                raise fault
            self._write([record])

    def defer(self, make: Callable[[], Record]) -> None:
        """Queues a record, made later by ``make``. Never raises, never blocks; does nothing after close."""
        if not self._closing.is_set():
            self._queue.append(make)
            if not self._wake.is_set():
                self._wake.set()

    def take_fault(self) -> EvidenceFault | None:
        """The fault of a deferred write, if any; it is forgotten by this."""
        with self._lock:
            fault, self._fault = self._fault, None
            return fault

    def sync(self) -> None:
        """fsync: what is acknowledged survives a power cut. Blocks. Raises EvidenceFault."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Writes what is deferred and closes the file; what cannot be written is given up."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        with self._lock:
            self._settle()
            self._write_queue()
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _write_behind(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(GATHER_S)
            self._wake.clear()
            with self._lock:
                self._write_queue()

    def _write_queue(self) -> None:
        """Writes all deferred records; a fault is kept for the next ``append``."""
        batch = self._queued()
        if not batch:
            return
        try:
            self._write([make() for make in batch])
        except EvidenceFault as fault:
            self._state = replace(self._state, lost=self._state.lost + len(batch))
            self._fault = fault
        for _ in batch:  # not before: an interrupt must not take what nobody has written yet
            self._queue.popleft()

    def _queued(self) -> list[Callable[[], Record]]:
        """What is deferred so far; it stays in the queue."""
        while True:
            with contextlib.suppress(RuntimeError):  # another thread deferred one just then
                return list(itertools.islice(self._queue, len(self._queue)))

    def _write(self, records: list[Record]) -> None:
        self._settle()
        state = self._state
        lost = [{"type": "lost", "records": state.lost}] if state.lost else []
        numbered = enumerate([*lost, *records], state.records)
        content = state.mend + b"".join(encode(number, record) for number, record in numbered)
        digest = state.hash.copy()
        digest.update(content)
        then = _State(state.size + len(content), state.records + len(lost) + len(records), digest)
        self._block = _Block(state.size, content, then)
        try:
            _write_all(self._fd, content)
        except OSError as error:
            self._cut_back(state.size)
            self._block = None
            raise self._broken(error) from error
        self._settle()

    def _settle(self) -> None:
        """Counts a block that stands in the file, and takes back one that stands there in part.

        An interrupt (Ctrl-C) may end a write between any two of its steps; what is in the file decides.
        """
        block = self._block
        if block is None:
            return
        if os.fstat(self._fd).st_size == block.then.size:
            self._state = block.then
        elif self._state is not block.then:
            self._cut_back(block.begin)
        self._block = None

    def _cut_back(self, size: int) -> None:
        """Takes back half a record; where even that fails, the next one starts on a line of its own."""
        try:
            os.ftruncate(self._fd, size)
        except OSError:
            with contextlib.suppress(OSError):  # it is closed: nothing comes next
                size = os.fstat(self._fd).st_size
            self._state = replace(self._state, size=size, mend=b"\n")

    def _broken(self, error: OSError) -> EvidenceFault:
        kept = f"the {self.records} records before it are kept"
        return EvidenceFault(f"cannot write evidence: {error.strerror}; {kept}", evidence=str(self.path))


def is_written(path: Path) -> bool:
    """Whether a process has the journal open to write. False where there is none; never blocks."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(file)


def encode(seq: int, record: Record) -> bytes:
    """One line of the journal, newline included; odd values become text rather than an error."""
    numbered = {"seq": seq, **record}
    try:
        text = _JSON.encode(numbered)
    except (TypeError, ValueError, RuntimeError):
        text = _JSON.encode(_plain(numbered))
    body = text[1:].encode("ascii")
    return b'{"crc":"%08x",%b\n' % (zlib.crc32(body), body)


def decode(line: bytes) -> dict[str, Any] | None:
    """The record of a line (without its newline), or None if it is cut off or damaged."""
    body = line[18:]
    if line[:18] != b'{"crc":"%08x",' % zlib.crc32(body):
        return None
    try:
        record = json.loads(b"{" + body)
    except ValueError:
        return None
    return record if isinstance(record.get("seq"), int) else None


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal holds: the good records in order, and a note for all that is missing or damaged."""

    records: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def read_journal(path: Path) -> JournalContent:
    """Reads all good records; a damaged line costs only itself. Raises EvidenceFault without a file."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise EvidenceFault(
            f"the run's journal cannot be read: {error.strerror}", evidence=str(path)
        ) from error
    records: list[dict[str, Any]] = []
    notes: list[str] = []
    for number, line in enumerate(lines, 1):
        record = decode(line)
        expected = records[-1]["seq"] + 1 if records else 0
        if record is None:
            if line:
                end = "cut off in its last record" if number == len(lines) else "damaged record skipped"
                notes.append(f"{path.name}:{number}: {end}")
        elif record["seq"] < expected:
            notes.append(f"{path.name}:{number}: record {record['seq']} stands there twice, skipped")
        else:
            if record["seq"] > expected:
                notes.append(f"{path.name}:{number}: records {expected} to {record['seq'] - 1} are missing")
            records.append(record)
    return JournalContent(tuple(records), tuple(notes))


def _write_all(fd: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(fd, view) :]


def _scalar(value: object) -> object:
    """Numbers of numpy as Python's own; anything else as its text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else repr(value)


def _plain(value: object) -> object:
    """The value with all that JSON has no word for turned into text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in list(value.items())}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(float(value))
    again = _scalar(value)
    return _plain(again) if isinstance(again, float) else again


_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=True, default=_scalar)
