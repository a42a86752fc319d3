# SPDX-License-Identifier: MIT
"""Quarantine: cases that are known to be bad and are not to decide a night, for a while.

::

    [[quarantine]]
    case = "connectivity/mqtt_reconnects*"   # suite/case; * stands for anything
    owner = "ada@example.com"                # who answers for it
    reason = "the switch of rack 2 drops its link at night, ticket 311"
    expires = 2026-12-15                     # the last day on which it counts (UTC)
    board = "nucleo-03"                      # on this board only; without it on all

A case in quarantine runs as ever, and its outcome stands in the run as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from rig.evidence.answered import Answered, load_answered


def load_quarantine(path: Path) -> tuple[Answered, ...]:
    """Reads a file of it. Raises UsageFault with every fault, one ``file:line: …`` per line."""
    return load_answered(path, "quarantine", "case", "quarantine")


def quarantined(entries: Sequence[Answered], case: str, board: str, now: datetime) -> Answered | None:
    """The entry that a case (``suite/case``) of a board is in now, or None."""
    for entry in entries:
        if entry.counts(now) and entry.on([board]) and _means(entry.what, case):
            return entry
    return None


def _means(pattern: str, case: str) -> bool:
    """Brackets are part of many case names: only the star is special."""
    return fnmatchcase(case, pattern.replace("[", "[[]"))
