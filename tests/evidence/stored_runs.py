# SPDX-License-Identifier: MIT
"""Runs for the tests of the store that need no bundle: made in memory, as many as a test likes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.series_key import SeriesKey, variant_of

FIRST = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)
IMAGE = "ab" * 32
CONTEXT = {"clock": "exact", "counter": "tim2", "compiler": "gcc-12.2.1", "opt": "O2", "cold_ticks": 7}


def board(name: str = "mps2", image: str | None = IMAGE, outcome: Outcome = Outcome.PASS) -> BoardResult:
    return BoardResult(name, outcome, f"SN-{name}", image, {"emulated": True, "probe": "qemu"}, None)


def measured(
    value: float, name: str = "kernel.yield", attempt: int = 1, **given: object
) -> MeasurementResult:
    figures = dict.fromkeys(("min", "mean", "p50", "p90", "p99", "p999", "max"), value) | {"sd": 0.0}
    known: dict[str, Any] = {
        **{"board": "mps2", "suite": "kernel", "case": "test_yield", "attempt": attempt, "name": name},
        **{"unit": "cycles", "n": 100, **figures, "lower": None, "upper": 400.0, "limit_origin": "KRN-012"},
        **{"limit_at": "limits.toml:2", "provisional": False, "marginal": True, "outcome": Outcome.PASS},
        **{"samples_sha256": None, "context": CONTEXT, "statistic": "p99", "note": ""},
    }
    return MeasurementResult(**{**known, **given})


def case(outcome: Outcome, attempt: int = 1, name: str = "test_yield", **given: Any) -> CaseResult:
    known: dict[str, Any] = {
        "reason": "",
        "unstable": False,
        "started_ns": 5,
        "duration_s": 0.5,
        "artifacts": {},
    }
    return CaseResult("mps2", "kernel", name, attempt, outcome, **{**known, "artifacts": {}, **given})


def night(
    number: int,
    measurements: Sequence[MeasurementResult] = (),
    cases: Sequence[CaseResult] = (),
    boards: Sequence[BoardResult] = (),
    **given: object,
) -> Run:
    """The run of the nth night; it has no bundle."""
    started = FIRST + timedelta(days=number)
    run_id = f"{started:%Y%m%dT%H%M%SZ}-{number % 0x10000:04x}"
    known: dict[str, Any] = {
        **{"run_id": run_id, "path": Path("nowhere") / run_id, "outcome": Outcome.PASS, "complete": True},
        **{"started_utc": started, "duration_s": 60.0, "operator": "ada", "environment": {"host": "bench-1"}},
        **{"boards": tuple(boards) or (board(),), "cases": tuple(cases), "events": ()},
    }
    return Run(**{**known, "measurements": tuple(measurements), **given})


def key(statistic: str = "p50", of: MeasurementResult | None = None) -> SeriesKey:
    """The series of a measurement of ``board()``."""
    of = of or measured(1.0)
    variant = variant_of(of.context, board(of.board))
    return SeriesKey(of.board, of.suite, of.case, of.name, statistic, variant)
