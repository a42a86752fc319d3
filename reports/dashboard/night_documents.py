# SPDX-License-Identifier: MIT
"""Nights as their documents tell them (``nights/PLAN/NIGHT/night.json``, by ``rig nightly``).

Owns reading what may be damaged: what is not of the form that is written is left out, and the rest is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from reports.dashboard.json_files import read_documents
from rig.evidence.measurement import Outcome

_PATTERN: Final = "*/*/night.json"
_LARGEST: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """A case that is not as it must be; ``quarantine`` says who answers for it, or is empty."""

    word: str
    board: str
    image: str
    case: str
    bad: int
    runs: int
    run: str
    reason: str
    quarantine: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure that an image has otherwise than the baseline. ``interval`` is of the difference, or None."""

    verdict: str
    name: str
    before: float
    after: float
    relative: float | None
    interval: tuple[float, float] | None
    unit: str
    note: str


@dataclass(frozen=True, slots=True)
class Beside:
    """An image of a board beside the night's baseline: ``moved`` of ``compared`` figures."""

    board: str
    image: str
    baseline: str
    runs: tuple[int, int]
    compared: int
    moved: tuple[Moved, ...]

    @property
    def worse(self) -> int:
        """How many are worse for certain."""
        return sum(row.verdict == "regressed" for row in self.moved)


@dataclass(frozen=True, slots=True)
class NightLine:
    """A night: what it came to, what is wrong in it, what was never made, and its images side by side."""

    campaign: str
    begun_utc: datetime
    outcome: Outcome
    runs: int
    cases: int
    trouble: tuple[Trouble, ...]
    not_made: tuple[tuple[str, str], ...]
    beside: tuple[Beside, ...]
    watch_trouble: str

    @property
    def bad(self) -> int:
        """Cases in trouble that nobody answers for."""
        return sum(not case.quarantine for case in self.trouble)


def read_nights(folder: Path) -> list[NightLine]:
    """The nights that can be read, the newest first."""
    found = [
        night for _, document in read_documents(folder, _PATTERN, _LARGEST) if (night := _night(document))
    ]
    return sorted(found, key=lambda night: night.begun_utc, reverse=True)


def _night(document: Mapping[str, Any]) -> NightLine | None:
    try:
        begun = datetime.fromisoformat(document["begun_utc"])
        outcome = Outcome(document["outcome"])
        campaign = str(document["campaign"])
    except (KeyError, TypeError, ValueError):
        return None
    return NightLine(
        campaign,
        begun if begun.tzinfo else begun.replace(tzinfo=UTC),
        outcome,
        _count(document.get("runs")),
        len(list(_rows(document, "cases"))),
        tuple(_trouble(row) for row in _rows(document, "trouble")),
        tuple((_text(row, "job"), _text(row, "why")) for row in _rows(document, "not_made")),
        tuple(_beside(row) for row in _rows(document, "beside")),
        _text(document, "watch_trouble"),
    )


def _trouble(row: Mapping[str, Any]) -> Trouble:
    by = row.get("quarantine")
    said = (
        f"until {by.get('expires')} by {by.get('owner')}: {by.get('reason')}" if isinstance(by, dict) else ""
    )
    return Trouble(
        _text(row, "outcome"), _text(row, "board"), _text(row, "image"), _text(row, "case"),
        _count(row.get("bad")), _count(row.get("runs")), _text(row, "run"), _text(row, "reason"), said,
    )  # fmt: skip


def _beside(row: Mapping[str, Any]) -> Beside:
    runs = row.get("runs")
    before, after = runs if isinstance(runs, list) and len(runs) == 2 else (0, 0)
    return Beside(
        _text(row, "board"), _text(row, "image"), _text(row, "baseline"), (_count(before), _count(after)),
        _count(row.get("compared")), tuple(_moved(change) for change in _rows(row, "changes")),
    )  # fmt: skip


def _moved(row: Mapping[str, Any]) -> Moved:
    bounds = row.get("interval")
    interval = (
        (_figure(bounds[0]), _figure(bounds[1])) if isinstance(bounds, list) and len(bounds) == 2 else None
    )
    share = row.get("relative")
    return Moved(
        _text(row, "verdict"), _text(row, "name"), _figure(row.get("before")), _figure(row.get("after")),
        None if share is None else _figure(share), interval, _text(row, "unit"), _text(row, "note"),
    )  # fmt: skip


def _rows(document: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    rows = document.get(key)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield row


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _figure(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
