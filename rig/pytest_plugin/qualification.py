# SPDX-License-Identifier: MIT
"""One run on one board: its bundle, its cases and what is kept of them, the first cause of trouble.

Owns the meeting of the two halves: links on one side, evidence on the other, and nothing of pytest but its
skip. A link that is gone ends the rest. The board itself is ``run_board.py``'s.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import pytest

from rig.errors import EvidenceFault, HostBusy, RigError, RigFault
from rig.events import Event, EventSink, RunClock, Scalar
from rig.evidence.measurement import NOT_GOOD, Measurement, Outcome
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.recorder import RunRecorder
from rig.pytest_plugin.connectivity import Connectivity
from rig.pytest_plugin.environment import describe_environment
from rig.pytest_plugin.measure import SuiteLimits
from rig.pytest_plugin.outcome import Ending
from rig.pytest_plugin.run_board import RunBoard
from rig.pytest_plugin.settings import Case, Settings, stated

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.statistics import Samples


T = TypeVar("T")


class Qualification:
    """A run in progress. After ``begin`` a context manager from the first case to the end of the run."""

    def __init__(self, settings: Settings, *, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        self.run_path: Path | None = None
        self.outcome: Outcome | None = None
        self.clock = RunClock()
        self._run_stack = contextlib.ExitStack()
        self.connectivity = Connectivity(self)
        self.gave_up = False
        self.incomplete = False
        """Evidence of the run was lost; set by who keeps it."""
        self.first_cause: RigError | None = None
        self.artifacts: dict[str, Path] = {}
        """What is kept with the case that runs."""
        self._attempt = 1
        self.board = RunBoard(self)
        self._recorder: RunRecorder | None = None
        self._limits = SuiteLimits(settings.root)

    # --- the run

    def begin(self, cases: Sequence[Case] = ()) -> None:
        """Makes the run's bundle, or this board's part of one. Raises EvidenceFault.

        The cases to come are kept for who follows the run, and for who looks after this process has died.
        """
        settings = self.settings
        recorder = self._new_recorder()
        self.run_path, self._recorder, self.clock = recorder.path, recorder, recorder.clock
        try:
            recorder.board(
                settings.board.name, settings.dut, identity=stated(settings.board, settings.image_name)
            )
            recorder.planned(settings.board.name, [(case.suite, case.name) for case in cases])
        except EvidenceFault:
            self._finish(Outcome.ERROR)
            raise

    def __enter__(self) -> Qualification:
        return self

    def _new_recorder(self) -> RunRecorder:
        settings = self.settings
        if settings.run is not None:
            return RunRecorder.join(settings.run, settings.board.name)
        environment = describe_environment([settings.board], settings.campaign)
        return RunRecorder.create(settings.runs_dir, self.clock, settings.operator, environment)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets the board go first, so that its last words are in the bundle, then ends the run."""
        try:
            with self._run_stack:
                self.board.__exit__(kind, error, trace)
        finally:
            broken = isinstance(error, Exception) or self.gave_up or self.incomplete
            self._finish(Outcome.ERROR if broken else None)

    def _finish(self, stated: Outcome | None) -> None:
        try:
            self.outcome = self.live.finish(stated)
        except EvidenceFault as fault:
            self.outcome = Outcome.ERROR
            print(f"rig: {fault}", file=sys.stderr)
        if self.settings.run is None:
            self._index()

    def abort(self, reason: str) -> None:
        """A person or a time budget stops the run."""
        try:
            self.live.abort(reason)
        except EvidenceFault as fault:
            self.give_up(fault)

    def give_up(self, fault: EvidenceFault) -> None:
        """The run cannot go on: its records are refused."""
        self.first_cause = self.first_cause or fault
        self.gave_up = True

    def _index(self) -> None:
        from rig.evidence.store.shared import keep_run

        assert self.run_path is not None
        if trouble := keep_run(self.run_path):
            print(f"rig: {trouble}", file=sys.stderr)

    # --- cases

    def case_begins(self, case: Case, attempt: int = 1) -> None:
        """Records that an attempt at the case begins, and gives it a transcript of its own."""
        self.artifacts = {}
        self._attempt = attempt
        self.live.case_started(*self._key(case), requirements=case.requirements)
        self.board.begin_transcript(case)

    def case_ended(self, case: Case, ending: Ending) -> CaseResult:
        """Records the outcome; on a failure first what is left of the crash on the board."""
        ending = self._examined(case, ending)
        if isinstance(ending.error, RigFault) and not isinstance(ending.error, HostBusy):
            self.first_cause = self.first_cause or ending.error
        self.board.case_ended(case, ending)
        return self.live.case_finished(*self._key(case), ending.outcome, ending.reason, self.artifacts)

    def may_try_again(self, result: CaseResult) -> bool:
        """Whether a case that ended so gets another attempt: not good, and the board can still be reached."""
        more = result.attempt < self.settings.attempts and self.first_cause is None
        return more and result.outcome in NOT_GOOD

    def _key(self, case: Case) -> tuple[str, str, str, int]:
        return self.settings.board.name, case.suite, case.name, self._attempt

    def _examined(self, case: Case, ending: Ending) -> Ending:
        if ending.outcome is not Outcome.FAIL or not self.board.can_be_examined:
            return ending
        try:
            self.connectivity.check()
            findings = self.board.examine(ending)
        except RigFault as fault:  # no service, or neither console nor probe: that is no board that fails
            return Ending(Outcome.ERROR, f"{fault}\nseen first as: {ending.reason}", fault)
        if findings:
            self.keep(case, "crash.txt", findings.encode("utf-8"), sensitive=True)
            return Ending(ending.outcome, f"{ending.reason}\n{findings}".strip(), ending.error)
        return ending

    # --- what cases use

    def ready(self, case: Case) -> BoardSession:
        """The board, online. Skips the case for a missing feature or the session's first cause."""
        missing = case.features - self.settings.board.features
        if missing:
            pytest.skip(f"board {self.settings.board.name} has no feature '{sorted(missing)[0]}'")
        if (lack := case.arrangement.lacks(self.settings.board)) is not None:
            pytest.skip(f"board {self.settings.board.name}: {lack}")
        self.skip_after_first_cause()
        try:
            self.board.bring_up(case)
        except RigError as error:
            self.first_cause = self.board.explain(error)
            raise self.first_cause from error
        return self.board.ready(case)

    def skip_after_first_cause(self) -> None:
        """Skips the case where something that the run stands on has broken before."""
        if self.first_cause is not None:
            pytest.skip(f"first cause: {self.first_cause}")

    def declare(self, case: Case, declared: Measurement) -> None:
        """Promises a measurement of the case."""
        self.live.declare(*self._key(case), declared)

    def measured(
        self,
        case: Case,
        declared: Measurement,
        *,
        value: float | None = None,
        samples: Samples | None = None,
        context: Mapping[str, Scalar] | None = None,
    ) -> MeasurementResult:
        """Keeps and judges a measurement, by the limits of the case's suite."""
        board = self.board.in_force
        clock = board.emulator.clock if board.emulator else None
        if board.emulator != self.settings.board.emulator:  # else the board's own record says it
            context = {"clock": clock, **(context or {})}
        build = board.firmware.preset if board.firmware else None
        limit = self._limits.of(case).find(declared.name, board.name, clock, build)
        return self.live.measurement(
            *self._key(case), declared,
            samples=samples, value=value, limit=limit, context=context,
        )  # fmt: skip

    def keep(self, case: Case, name: str, content: bytes, *, sensitive: bool = False) -> None:
        """Keeps a file with the case."""
        stored = self.live.artifact(self.case_file(case, name), content, sensitive=sensitive)
        self.artifacts[name] = stored

    def keep_open(self, context: AbstractContextManager[T]) -> T:
        """Enters what cases share; it is left when the run ends, after the board was let go."""
        return self._run_stack.enter_context(context)

    def log_path(self, name: str, *, sensitive: bool = False) -> Path:
        """Where what runs beside the board writes its log, a file or a folder of files.

        It is an artifact of the run when that ends; a ``sensitive`` one leaves the bundle with no export.
        """
        path = self.live.artifact_path(self.file(name))
        self._run_stack.callback(self._keep_log, path, sensitive)
        return path

    def _keep_log(self, path: Path, sensitive: bool) -> None:
        for each in sorted(path.iterdir()) if path.is_dir() else [path]:
            if each.exists():
                self.live.artifact(each.name, each, sensitive=sensitive)

    @property
    def sink(self) -> EventSink:
        """Takes events of what runs beside the board, with times of the run's clock. From any thread."""
        return self.live.event

    def event(self, source: str, kind: str, data: Mapping[str, Scalar]) -> None:
        """Says in the run that something happened now, to this board. From any thread; never raises."""
        self.live.event(Event(self.clock.now_ns(), source, kind, self.settings.board.name, dict(data)))

    def file(self, name: str) -> str:
        """An artifact's name: boards side by side have the same cases."""
        return f"{self.settings.board.name}/{name}"

    def case_file(self, case: Case, name: str) -> str:
        """The same of a file of the case, one for each attempt."""
        again = f"attempt-{self._attempt}/" if self._attempt > 1 else ""
        return self.file(f"{case.suite}/{case.name}/{again}{name}")

    @property
    def live(self) -> RunRecorder:
        """The recorder, once the run has begun."""
        assert self._recorder is not None
        return self._recorder
