# SPDX-License-Identifier: MIT
"""The records of a run as they are written: reading on where one left off, beside the process that writes.

Only reads, so that whoever watches can never hold up a board. Owns what is new since the last look, and
whether the journals are still written; what the records mean is ``records.py``'s and ``reader.py``'s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from rig.errors import EvidenceFault
from rig.evidence import bundle
from rig.evidence.journal import decode, is_written

_AT_ONCE: Final = 4 << 20
_LONGEST: Final = 16 << 20
"""A record longer than this is none."""

Record = Mapping[str, Any]


class JournalTail:
    """One journal, read on and on. ``notes`` says what was damaged; a half record is waited for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._offset = 0
        self._rest = b""

    def new(self) -> list[Record]:
        """The whole records that came since the last call, at most some megabytes of them; never raises."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) < self._offset:  # the writer took half a record back
                    self._offset, self._rest = file.tell(), b""
                file.seek(self._offset)
                content = file.read(_AT_ONCE)
        except OSError:
            return []
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        if len(self._rest) > _LONGEST:
            self.notes.append(f"{self.path.name}: {len(self._rest)} bytes without a record's end, skipped")
            self._rest = b""
        return [record for line in lines if line and (record := self._decoded(line))]

    @property
    def behind(self) -> bool:
        """Whether there is something to read."""
        with contextlib.suppress(OSError):
            return self.path.stat().st_size != self._offset
        return False

    @property
    def cut_off(self) -> bool:
        """Whether half a record stands at the end."""
        return bool(self._rest)

    def _decoded(self, line: bytes) -> Record | None:
        record = decode(line)
        if record is None:
            self.notes.append(f"{self.path.name}: damaged record skipped")
        return record


class RunTail:
    """All journals of one run. Raises EvidenceFault, at the start only, where there is no run."""

    def __init__(self, run: Path) -> None:
        header = bundle.read_header(run)
        if not header:
            raise EvidenceFault("no run's bundle here: expected run.json", evidence=str(run))
        self.path = run
        self.boards: tuple[str, ...] = tuple(header.get("boards", ()))
        self.started_utc = datetime.fromisoformat(header["started_utc"])
        self.ended = False
        """The run's own record of its end was seen."""
        names = [bundle.journal_name(board) for board in (None, *self.boards)]
        self._tails = [JournalTail(run / name) for name in names]

    def new(self) -> list[Record]:
        """What came since the last call, in order of time as far as it came together."""
        came = [tail.new() for tail in self._tails]
        self.ended |= any(record["type"] == "finish" for record in came[0])
        return sorted((r for records in came for r in records if "t" in r), key=itemgetter("t"))

    @property
    def goes_on(self) -> bool:
        """Whether more may come: no end was seen, and a process has one of the journals open to write."""
        return not self.ended and any(is_written(tail.path) for tail in self._tails)

    @property
    def behind(self) -> bool:
        """Whether there is something to read."""
        return any(tail.behind for tail in self._tails)

    @property
    def notes(self) -> list[str]:
        """What of the journals is damaged, and takes it."""
        said = [note for tail in self._tails for note in tail.notes]
        for tail in self._tails:
            tail.notes.clear()
        return said

    @property
    def cut_off(self) -> str:
        """Which journals end in half a record, as words; empty for none."""
        return ", ".join(tail.path.name for tail in self._tails if tail.cut_off)


def run_in_progress(runs_dir: Path, board: str) -> Path | None:
    """The newest run that is still written and has this board, or None."""
    for header in sorted(runs_dir.glob(f"{bundle.RUN_ID_GLOB}/{bundle.HEADER}"), reverse=True):
        run = header.parent
        boards = bundle.read_header(run).get("boards", ())
        if board in boards and is_written(run / bundle.journal_name(board)):
            return run
        if (
            not boards
            and is_written(run / bundle.JOURNAL)
            and board in _named(JournalTail(run / bundle.JOURNAL))
        ):
            return run
    return None


def _named(tail: JournalTail) -> Iterable[str]:
    return {record["name"] for record in tail.new() if record["type"] == "board"}
