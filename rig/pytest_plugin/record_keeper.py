# SPDX-License-Identifier: MIT
"""Which cases a record of an emulated board holds, and when it is kept: once its power is off again.

What a record is, and what is in it, is ``rig/emulator/record.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rig.bench.session import BoardSession

RECORD: Final = "record"
"""The source of the event that names a record: ``kept``, with its ``path`` in the run and its ``cases``."""


class RecordKeeper:
    """The records of one run; ``keep`` is given a file and the names of its cases."""

    def __init__(self, keep: Callable[[Path, str], None]) -> None:
        self._keep = keep
        self._kept = 0
        self._cases: list[str] = []
        self._alone = False

    def begins_anew(self, *, alone: bool) -> bool:
        """Whether a case needs a record of its own, or the one before it had one.

        A case that breaks the network may do what no record can hold; others are not to be lost with it.
        """
        before, self._alone = self._alone, alone
        return alone or before

    def case_uses(self, session: BoardSession | None, case: str) -> None:
        """The case runs on the board, and is in its record if there is one."""
        if session is not None and session.emulated is not None and session.emulated.arrangement.recorded:
            self._cases.append(case)

    def keep(self, session: BoardSession | None) -> None:
        """Keeps the records that were finished since; a case that cycles the power is in several."""
        if session is None or session.emulated is None:
            return
        new = session.emulated.records[self._kept :]
        self._kept += len(new)
        for record in new:
            self._keep(record, ", ".join(self._cases))
            record.unlink()
        if new:
            self._cases.clear()
