# SPDX-License-Identifier: MIT
"""A run as one JSON object for other programs. Owns the names and order of its keys.

NaN and infinity are null. Sensitive artifacts are left out; paths of artifacts are relative to the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from rig.evidence.marks import moves
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.records import relative_to_run

_BOARD = ("name", "outcome", "image_sha256")
_CASE = ("board", "suite", "case", "outcome", "reason", "duration_s")
_MEASUREMENT = (
    *("board", "suite", "case", "name", "unit"),
    *("n", "min", "mean", "p50", "p90", "p99", "p999", "max"),
    *("lower", "upper", "outcome", "samples_sha256"),
)
_MEASUREMENT_MORE = (
    *("attempt", "sd", "statistic", "samples_dtype"),
    *("limit_origin", "limit_at", "provisional", "marginal", "note", "context"),
)


def run_as_json(run: Run) -> dict[str, Any]:
    """The run as plain JSON values. The first keys of each object are fixed; what follows them may grow.

    ``run_id, outcome, path, boards[], cases[], measurements[]`` and then ``complete`` and more.
    """
    return {
        "run_id": run.run_id,
        "outcome": str(run.outcome),
        "path": str(run.path),
        "boards": [_board(board) for board in run.boards],
        "cases": [_case(run, case) for case in run.cases],
        "measurements": [_fields(m, (*_MEASUREMENT, *_MEASUREMENT_MORE)) for m in run.measurements],
        "complete": run.complete,
        "started": run.started_utc.astimezone(UTC).isoformat(),
        "duration_s": plain(run.duration_s),
        "operator": run.operator,
        "environment": plain(run.environment),
        "notes": list(run.notes),
        "memory_moves": [
            {"board": m.board, "after": m.after, "mark": m.mark, "before": m.before, "now": m.now}
            for m in moves(run.events)
        ],
    }


def plain(value: object) -> Any:
    """A value as JSON has it: enumerations and paths as text, numbers that are not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool | int | None) else str(value)


def _fields(record: BoardResult | CaseResult | MeasurementResult, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: plain(getattr(record, name)) for name in names}


def _board(board: BoardResult) -> dict[str, Any]:
    return {**_fields(board, (*_BOARD, "dut", "identity"))}


def _case(run: Run, case: CaseResult) -> dict[str, Any]:
    open_ones = {name: path for name, path in case.artifacts.items() if path not in run.sensitive}
    artifacts = {name: relative_to_run(path, run.path) for name, path in open_ones.items()}
    more = {"artifacts": artifacts, "requirements": list(case.requirements)}
    return {**_fields(case, (*_CASE, "attempt", "unstable")), **more}
