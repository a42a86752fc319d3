# SPDX-License-Identifier: MIT
"""Runs whose truth is known, to be compared: each row is samples or a value with the way it was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig.events import RunClock, Scalar
from rig.evidence.comparison import Change, Comparison, Word
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from rig.evidence.recorder import RunRecorder

CONTEXT: dict[str, Scalar] = {
    "kernel": "V9.0.0",
    "compiler": "gcc-12",
    "flags": "aa11",
    "counter_hz": "25000000",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One measurement: ``samples``, or ``value``. ``hit`` marks, of all in order, those that a tick hit."""

    unit: str = "instructions"
    samples: Sequence[int] | Sequence[float] | None = None
    value: float | None = None
    context: Mapping[str, Scalar] = field(default_factory=dict)
    hit: Sequence[int] | None = None
    board: str = "mps2"
    outcome: Outcome = Outcome.PASS


def made(
    runs_dir: Path,
    rows: Mapping[str, Taken],
    *,
    clock: str = "exact",
    image: str = "aa",
    cut_off: bool = False,
) -> Path:
    """A run with a case per row, and where it lies. ``clock``: exact is an emulated board's."""
    recorder = RunRecorder.create(runs_dir, RunClock(), "ada", {"qemu": "7.2"})
    said: dict[str, Scalar] = {"clock": clock, "emulated": True} if clock == "exact" else {}
    for board in dict.fromkeys(["mps2", *(row.board for row in rows.values())]):
        recorder.board(board, f"SN-{board}", image * 32, said)
    for name, row in rows.items():
        _case(recorder, name, row)
    if cut_off:
        recorder.case_started("mps2", "kernel", "never_ended")
        recorder._journal.close()
    else:
        recorder.finish()
    return recorder.path


def _case(recorder: RunRecorder, name: str, row: Taken) -> None:
    where = (row.board, "kernel", f"case_{name}", 1)
    recorder.case_started(*where)
    recorder.measurement(
        *where,
        Measurement(name, row.unit),
        samples=row.samples,
        value=row.value,
        context={**CONTEXT, **row.context},
    )
    artifacts = {}
    if row.hit is not None:
        lines = "".join(f"{index},0,{hit}\n" for index, hit in enumerate(row.hit))
        file = f"{name}.ticks.csv"
        artifacts[file] = recorder.artifact(f"mps2/{file}", b"index,ticks,tick_hit\n" + lines.encode())
    recorder.case_finished(*where, row.outcome, artifacts=artifacts)


def loaded(runs_dir: Path, rows: Mapping[str, Taken], *, clock: str = "exact", image: str = "aa") -> Run:
    """Such a run, read back."""
    return load_run(made(runs_dir, rows, clock=clock, image=image))


def the_row(comparison: Comparison, name: str | None = None) -> Change:
    """The only change there is, or that of the name."""
    (change,) = [c for c in comparison.changes if name in (None, c.row.name)]
    return change


def verdicts(comparison: Comparison) -> dict[str, Word]:
    """The verdict on each row, by name."""
    return {change.row.name: change.verdict for change in comparison.changes}
