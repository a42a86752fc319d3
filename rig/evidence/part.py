# SPDX-License-Identifier: MIT
"""The journals of one run, read: its own, and one per board where boards ran side by side.

Owns their order in time and what each says of its own end. What the records mean together is ``reader.py``'s.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from rig.evidence import bundle
from rig.evidence.journal import JournalContent, read_journal
from rig.evidence.measurement import NOT_GOOD, Outcome


@dataclass(slots=True)
class Part:
    """One journal. ``board`` None: the run's own. What its records say is filled in by who reads them.

    ``how``: how the process that wrote it ended, where another process saw that. ``planned``: (suite, case).
    """

    board: str | None
    name: str
    content: JournalContent
    aborted: str | None = None
    finish: tuple[Outcome, float] | None = None
    how: str = ""
    planned: tuple[tuple[str, str], ...] = ()
    last_ns: int = 0
    notes: list[str] = field(default_factory=list)

    def timed(self) -> Iterator[tuple[int, Part, Mapping[str, Any]]]:
        """The records in their order, each with a time that never goes back, and this part."""
        for record in self.content.records:
            self.last_ns = max(self.last_ns, record.get("t", 0))
            yield self.last_ns, self, record

    @property
    def never_began(self) -> bool:
        """Whether the process of this board kept nothing at all, and was seen to end."""
        return bool(self.how) and not self.content.records

    @property
    def cut_off(self) -> str:
        """Why what did not end did not: the abort, how the process ended, or nobody knows."""
        why = self.how if self.aborted is None else self.aborted
        return f"cut off: {why}" if why else "cut off"

    @property
    def ending(self) -> list[Outcome]:
        """What the end of this journal, or that it has none, adds to the outcomes of its cases."""
        if self.finish is not None:
            return [self.finish[0]] if self.finish[0] in NOT_GOOD else []
        return [Outcome.ERROR if self.aborted is None else Outcome.ABORTED]


def read_parts(run: Path, boards: Iterable[str]) -> list[Part]:
    """The run's own journal, then those of the boards; a journal that is missing is one with a note."""
    return [_read(run, None), *(_read(run, board) for board in boards)]


def in_order(parts: Iterable[Part]) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    """All records in order of time; those of one journal stay in the order in which they were kept."""
    for _, part, record in heapq.merge(*(part.timed() for part in parts), key=itemgetter(0)):
        yield part, record


def _read(run: Path, board: str | None) -> Part:
    path = run / bundle.journal_name(board)
    missing = "no journal" if board is None else f"board {board}: no journal"
    content = read_journal(path) if path.exists() else JournalContent((), (missing,))
    return Part(board, path.name, content, notes=list(content.notes))
