# SPDX-License-Identifier: MIT
"""Every execution of a case that carries a requirement, out of many runs. Facts only; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from rig.errors import EvidenceFault
from rig.evidence.measurement import Outcome, decide, is_unstable
from rig.evidence.model import BoardResult, CaseResult, Run

HARDWARE: Final = "hardware"
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A DUT as one run saw it. ``features`` None: the run does not say which the board has.

    ``played`` is the run that was played back to the suites: then no board was there at all.
    """

    board: str
    dut: str | None
    image_sha256: str | None
    kernel: str | None
    clock: str
    emulated: bool
    features: frozenset[str] | None
    played: str | None = None

    @property
    def name(self) -> str:
        """The unit by its serial number, or, of one that has none, by its place on the bench."""
        return self.dut or f"{self.board} (no serial number)"


@dataclass(frozen=True, slots=True)
class Execution:
    """One case of one run, all its attempts considered. ``evidence`` is relative to the run's folder.

    ``whole`` is False where the run was cut off or its records are damaged. Nothing sensitive is in it.
    """

    run_id: str
    started_utc: datetime
    whole: bool
    unit: Unit
    suite: str
    case: str
    outcome: Outcome
    unstable: bool
    attempts: int
    reason: str
    duration_s: float
    clocks: tuple[str, ...]
    evidence: tuple[str, ...]
    samples: tuple[str, ...]
    requirements: tuple[str, ...]

    @property
    def label(self) -> str:
        """``suite/case``."""
        return f"{self.suite}/{self.case}"


def distinct(runs: Iterable[Run]) -> list[Run]:
    """The runs, newest first, each once. Raises EvidenceFault for two that differ and have one id."""
    found: dict[str, Run] = {}
    for run in runs:
        other = found.setdefault(run.run_id, run)
        if other is not run and _gist(other) != _gist(run):
            raise EvidenceFault(
                f"two runs that differ are called {run.run_id}", evidence=f"{other.path} and {run.path}"
            )
    return sorted(found.values(), key=lambda run: (run.started_utc, run.run_id), reverse=True)


def units_of(run: Run) -> dict[str, Unit]:
    """The units of a run by their board's name."""
    return {board.name: _unit(board) for board in run.boards}


def executions(run: Run) -> list[Execution]:
    """Every case of the run that carries a requirement."""
    units = units_of(run)
    grouped: dict[_Key, list[CaseResult]] = {}
    for case in sorted(run.cases, key=lambda case: case.attempt):
        grouped.setdefault((case.board, case.suite, case.case), []).append(case)
    return [
        _execution(run, units[key[0]], attempts)
        for key, attempts in grouped.items()
        if key[0] in units and any(attempt.requirements for attempt in attempts)
    ]


def _gist(run: Run) -> tuple[object, ...]:
    cases = [(c.board, c.suite, c.case, c.attempt, c.outcome, c.requirements) for c in run.cases]
    return run.started_utc, run.complete, [_unit(board) for board in run.boards], cases


def _unit(board: BoardResult) -> Unit:
    said: Mapping[str, object] = board.identity
    features = said.get("features")
    return Unit(
        board=board.name,
        dut=board.dut,
        image_sha256=board.image_sha256,
        kernel=str(said["kernel"]) if said.get("kernel") else None,
        clock=str(said.get("clock") or HARDWARE),
        emulated=board.emulated,
        features=frozenset(features.split()) if isinstance(features, str) else None,
        played=str(said["played"]) if said.get("played") else None,
    )


def _execution(run: Run, unit: Unit, attempts: Sequence[CaseResult]) -> Execution:
    outcomes = [attempt.outcome for attempt in attempts]
    ran = [attempt for attempt in attempts if attempt.outcome is not Outcome.SKIPPED] or list(attempts)
    last = ran[-1]
    key = (last.board, last.suite, last.case)
    measured = [
        m for m in run.measurements if (m.board, m.suite, m.case) == key and m.attempt == last.attempt
    ]
    clocks = {str(m.context["clock"]) for m in measured if m.context.get("clock")}
    return Execution(
        run_id=run.run_id,
        started_utc=run.started_utc,
        whole=run.complete,
        unit=unit,
        suite=last.suite,
        case=last.case,
        outcome=decide(outcomes),
        unstable=last.unstable or is_unstable([a.outcome for a in ran]),
        attempts=len(attempts),
        reason=last.reason,
        duration_s=last.duration_s,
        clocks=tuple(sorted(clocks)) or (unit.clock,),
        evidence=_evidence(run, last),
        samples=tuple(dict.fromkeys(m.samples_sha256 for m in measured if m.samples_sha256)),
        requirements=tuple(dict.fromkeys(name for attempt in attempts for name in attempt.requirements)),
    )


def _evidence(run: Run, case: CaseResult) -> tuple[str, ...]:
    """The files of the case that may leave the run, or else the transcript of its board."""
    own = [path for path in case.artifacts.values() if path not in run.sensitive]
    board = next((board for board in run.boards if board.name == case.board), None)
    told = [board.transcript] if board and board.transcript and board.transcript not in run.sensitive else []
    return tuple(name for path in own or told if (name := _inside(run.path, path)))


def _inside(folder: Path, path: Path) -> str:
    """The path relative to the run; empty for one that leads out of it: of another rig's making."""
    if not path.is_relative_to(folder) or ".." in path.relative_to(folder).parts:
        return ""
    return path.relative_to(folder).as_posix()
