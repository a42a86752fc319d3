# SPDX-License-Identifier: MIT
"""Small runs for the tests of the evidence half."""

from __future__ import annotations

from pathlib import Path

from rig.events import Event, RunClock
from rig.evidence.measurement import Measurement, Outcome, SpecLimit
from rig.evidence.recorder import RunRecorder

YIELD = Measurement("kernel.yield", "cycles", "p99")
BOOT = Measurement("boot.time", "ms")
CASE = ("mps2", "kernel", "test_yield", 1)
LIMIT = SpecLimit(None, 400, "requirement: KRN-012", "suites/kernel/limits.toml:2", unit="cycles")


def recorder(runs_dir: Path) -> RunRecorder:
    return RunRecorder.create(runs_dir, RunClock(), "ada", {"host": "bench-1", "seed": 7})


def line(run: RunRecorder, text: str) -> None:
    run.event(Event(1000, "console", "line", "mps2", {"text": text}))


def small_run(runs_dir: Path, samples: list[int] | None = None, outcome: Outcome = Outcome.PASS) -> Path:
    """A finished run of one case with one distribution and one value."""
    with recorder(runs_dir) as run:
        run.board("mps2", "SN-1", "ab" * 32, {"cpuid": "0x410fc231"})
        run.case_started(*CASE)
        line(run, "hello")
        run.measurement(
            *CASE, YIELD, samples=samples or [168, 170, 171], limit=LIMIT, context={"clock": "exact"}
        )
        run.measurement(*CASE, BOOT, value=12.5)
        run.case_finished(*CASE, outcome)
    return run.path
