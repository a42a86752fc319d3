# SPDX-License-Identifier: MIT
"""One run of a campaign: ``rig qualify`` in a process of its own, with an end, and what its bundle says.

A campaign outlives whatever happens to a run: one that hangs is ended, one that dies leaves its bundle. The
run is found by what it says it was asked for, not by what it prints.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rig.child import spawn
from rig.deadline import Deadline, poll
from rig.errors import EvidenceFault
from rig.evidence.bundle import HEADER, RUN_ID_GLOB, read_json
from rig.evidence.measurement import Outcome, decide
from rig.evidence.model import CaseResult, Run
from rig.evidence.reader import load_run
from rig.evidence.store.shared import SHARED
from rig.pytest_plugin.environment import CAMPAIGN

_PROGRAM: Final = "from rig.cli import main; main()"
_ENDING_S: Final = 60.0
"""How long a run may take to let its board go, in seconds."""
_LOOK_S: Final = 0.1
_REASON: Final = 300
_RUNS: Final = "runs"


@dataclass(frozen=True, slots=True)
class CaseEnd:
    """How a case ended in a run, all its attempts considered."""

    outcome: Outcome
    unstable: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What became of one run. ``run_id`` is empty where there is none; ``why`` then says so."""

    run_id: str
    outcome: Outcome
    image_sha256: str | None = None
    why: str = ""
    cases: dict[str, CaseEnd] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Plain data."""
        cases = {name: [end.outcome.value, end.unstable, end.reason] for name, end in self.cases.items()}
        return {"run": self.run_id, "outcome": self.outcome.value, "image_sha256": self.image_sha256,
                "why": self.why, "cases": cases}  # fmt: skip

    @classmethod
    def of_document(cls, said: dict[str, Any]) -> RunEnd:
        """The other way."""
        cases = {
            name: CaseEnd(Outcome(word), unstable, why)
            for name, (word, unstable, why) in said["cases"].items()
        }
        return cls(said["run"], Outcome(said["outcome"]), said["image_sha256"], said["why"], cases)


@dataclass(frozen=True, slots=True)
class QualifyProcess:
    """How runs are made: on which bench, with the output in ``log``. Runs go to ``runs`` below ``work_in``.

    ``apart``: they are in no shared store, for nobody is to follow them.
    """

    inventory: Path
    work_in: Path
    log: Path
    attempts: int = 1
    soak_minutes: int = 120
    apart: bool = False

    @property
    def runs_dir(self) -> Path:
        """Where the runs are."""
        return self.work_in / _RUNS

    def run(self, board: str, asked: str, words: list[str], limit_s: float, stop: threading.Event) -> RunEnd:
        """Runs the board and blocks until that has ended, at most ``limit_s`` and what letting it go takes.

        ``asked`` names the run within all campaigns. A run that is stopped by ``stop`` is ABORTED.
        """
        argv = [sys.executable, "-P", "-c", _PROGRAM, "--inventory", str(self.inventory), "qualify"]
        argv += ["--board", board, "--campaign", asked, "--attempts", str(self.attempts)]
        argv += ["--soak-minutes", str(self.soak_minutes), *words]
        why = ""
        self.work_in.mkdir(parents=True, exist_ok=True)
        env = {name: value for name, value in os.environ.items() if not (self.apart and name == SHARED)}
        with spawn(argv, log=self.log, env=env, cwd=self.work_in, grace_s=_ENDING_S) as child:
            ended = poll(lambda: not child.alive or stop.is_set(), Deadline.after(limit_s), _LOOK_S)
            if stop.is_set():
                why = "the campaign was stopped"
            elif not ended:
                why = f"it took longer than {limit_s / 60:g} minutes and was ended"
            else:
                how = child.exit_reason()
        found = run_asked_by(self.runs_dir, asked)
        if found is None:
            return RunEnd("", Outcome.ERROR, why=why or f"there is no run: its process {how}, see {self.log}")
        return end_of(found, board, why)

    def read(self, run_id: str) -> Run:
        """One of the runs, without its events. Raises EvidenceFault."""
        return load_run(self.runs_dir / run_id, with_events=False)


def run_asked_by(runs_dir: Path, asked: str) -> Run | None:
    """The newest run that says it was asked for by that name; None where there is none to be read."""
    for path in sorted(runs_dir.glob(RUN_ID_GLOB), reverse=True):
        if read_json(path / HEADER).get("environment", {}).get(CAMPAIGN) == asked:
            try:
                return load_run(path, with_events=False)
            except EvidenceFault:
                return None
    return None


def end_of(run: Run, board: str, why: str = "") -> RunEnd:
    """What a campaign keeps of a run of one board."""
    images = {result.name: result.image_sha256 for result in run.boards}
    return RunEnd(run.run_id, run.outcome, images.get(board), why, dict(_cases(run)))


def _cases(run: Run) -> Iterator[tuple[str, CaseEnd]]:
    attempts: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        attempts.setdefault(f"{case.suite}/{case.case}", []).append(case)
    for name, those in attempts.items():
        reasons = [case.reason for case in those if case.reason]
        reason = reasons[-1].partition("\n")[0][:_REASON] if reasons else ""
        yield name, CaseEnd(decide([case.outcome for case in those]), those[-1].unstable, reason)
