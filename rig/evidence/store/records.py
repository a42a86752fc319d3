# SPDX-License-Identifier: MIT
"""What the store answers with, and how a row of a table becomes it. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rig.events import Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.series_key import Point
from rig.evidence.store.database import Row, moment

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_AS_THEY_ARE = (
    *("board", "suite", "case", "attempt", "name", "unit", "n", "lower", "upper", "limit_origin", "limit_at"),
    *("samples_sha256", "statistic", "samples_dtype", "note"),
)
FIGURES = ("min", "mean", "p50", "p90", "p99", "p999", "max", "sd")


@dataclass(frozen=True, slots=True)
class IndexedRun:
    """A run as the store knows it; ``load_run(path)`` has the rest, where its bundle is still there."""

    run_id: str
    path: Path
    outcome: Outcome
    complete: bool
    started_utc: datetime
    duration_s: float
    operator: str | None
    boards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoardNow:
    """A board as its last run left it; ``identity`` is what it, or its firmware, said it is."""

    name: str
    run_id: str
    started_utc: datetime
    outcome: Outcome
    dut: str | None
    image_sha256: str | None
    identity: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Flake:
    """A case that did not always end alike: attempts that ran, those that went wrong, runs it passed late."""

    board: str
    suite: str
    case: str
    attempts: int
    unstable: int
    failed: int


@dataclass(frozen=True, slots=True)
class SameImage:
    """A measurement of a run of one image: its place (board, suite, case, name), figures, and how taken."""

    run_id: str
    key: tuple[str, str, str, str]
    unit: str
    figures: Mapping[str, float]
    context: Mapping[str, Scalar]
    board: BoardResult


def number(value: float | None) -> float:
    """A figure; the tables have nothing for NaN."""
    return math.nan if value is None else float(value)


def outcome(text: str | None) -> Outcome | None:
    """An outcome, or that there is none."""
    return None if text is None else Outcome(text)


def indexed_run(row: Row, boards: tuple[str, ...]) -> IndexedRun:
    """Of a row of ``runs``."""
    return IndexedRun(
        run_id=row["run_id"],
        path=Path(row["path"]),
        outcome=Outcome(row["outcome"]),
        complete=bool(row["complete"]),
        started_utc=moment(row["started_us"]),
        duration_s=number(row["duration_s"]),
        operator=row["operator"],
        boards=boards,
    )


def placed(run: IndexedRun, folder: Path) -> IndexedRun:
    """The run with its bundle in that folder, where it lies there: the folder may have been moved."""
    beside = folder / run.run_id
    return replace(run, path=beside) if beside.is_dir() else run


def stored_run(
    row: Row, boards: list[Row], cases: list[CaseResult], measurements: list[MeasurementResult]
) -> Run:
    """Of a row of ``runs`` and all that belongs to it."""
    return Run(
        run_id=row["run_id"],
        path=Path(row["path"]),
        outcome=Outcome(row["outcome"]),
        complete=bool(row["complete"]),
        started_utc=moment(row["started_us"]),
        duration_s=number(row["duration_s"]),
        operator=row["operator"],
        environment=json.loads(row["environment"]),
        boards=tuple(map(board_result, boards)),
        cases=tuple(cases),
        measurements=tuple(measurements),
        events=(),
    )


def board_result(row: Row) -> BoardResult:
    """Of a row of ``boards``; its transcript is in the bundle only."""
    identity = json.loads(row["identity"])
    return BoardResult(row["name"], Outcome(row["outcome"]), row["dut"], row["image_sha256"], identity, None)


def board_now(row: Row) -> BoardNow:
    """Of a row of ``boards``."""
    return BoardNow(
        name=row["name"],
        run_id=row["run_id"],
        started_utc=moment(row["started_us"]),
        outcome=Outcome(row["outcome"]),
        dut=row["dut"],
        image_sha256=row["image_sha256"],
        identity=json.loads(row["identity"]),
    )


def point(
    run_id: str,
    started_us: int,
    image_sha256: str | None,
    value: float | None,
    n: int,
    outcome: str | None,
    *limit_and_unit: Any,
) -> Point:
    """Of a row of ``measurements``, its figures in this order: a trend has thousands of them."""
    lower, upper, unit, exact = limit_and_unit
    judged = None if outcome is None else _OUTCOMES[outcome]
    figure = math.nan if value is None else value
    started = moment(started_us)
    return Point(run_id, started, image_sha256, figure, n, judged, lower, upper, unit, exact == 1)


def case_result(row: Row) -> CaseResult:
    """Of a row of ``cases``; artifacts are in the bundle only."""
    return CaseResult(
        board=row["board"],
        suite=row["suite"],
        case=row["case"],
        attempt=row["attempt"],
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        unstable=bool(row["unstable"]),
        started_ns=row["started_ns"],
        duration_s=number(row["duration_s"]),
        artifacts={},
        requirements=tuple(json.loads(row["requirements"])),
    )


def measurement_result(row: Row) -> MeasurementResult:
    """Of a row of ``places``, ``measurements`` and ``taken`` together."""
    plain: dict[str, Any] = {name: row[name] for name in _AS_THEY_ARE}
    plain |= {name: number(row[name]) for name in FIGURES}
    return MeasurementResult(
        **plain,
        provisional=bool(row["provisional"]),
        marginal=bool(row["marginal"]),
        outcome=outcome(row["outcome"]),
        context=json.loads(row["context"]),
    )
