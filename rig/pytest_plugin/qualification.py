# SPDX-License-Identifier: MIT
"""One run on one board: opens the session when the first case needs it, remembers the first cause of trouble.

Owns the meeting of the two halves: links on one side, evidence on the other, and nothing of pytest but its
skip. A case that fails leaves the board to be restarted before the next, by a reset or else by its power; a
link that is gone ends the rest.
"""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import pytest

from rig.bench.inventory import Board, Inventory, find_inventory, load_inventory, shipped_inventory
from rig.child import require_programs
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.errors import BoardFault, BoardGarbled, EvidenceFault, RigError, RigFault, UsageFault
from rig.events import Event, EventSink, RunClock, Scalar
from rig.evidence.counter import TimeBase
from rig.evidence.limits import LimitTable, load_limits
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.recorder import RunRecorder
from rig.project import project_root
from rig.pytest_plugin.autopsy import examine
from rig.pytest_plugin.clock_watch import ClockWatch
from rig.pytest_plugin.connectivity import Connectivity, given_services
from rig.pytest_plugin.environment import describe_environment
from rig.pytest_plugin.memory_watch import BOOT, MemoryWatch
from rig.pytest_plugin.outcome import Ending
from rig.pytest_plugin.record_keeper import RECORD, RecordKeeper

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.statistics import Samples
    from rig.image.kernel_view import KernelView
    from rig.pytest_plugin.played import Played
    from rig.services.service_set import ServiceSet


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was asked for. ``image`` None: the board's firmware is built.

    ``run`` is the folder of a run that another process began, of which this board is a part; ``services``
    is what the board talks to, where that is not the rig's own.
    """

    inventory: Inventory
    board: Board
    dut: str | None
    operator: str | None
    image: Path | None
    force_flash: bool
    runs_dir: Path
    root: Path
    run: Path | None = None
    services: ServiceSet | None = None
    record: bool = False
    played: Path | None = None

    @classmethod
    def of_options(cls, options: Namespace, root: Path) -> Settings:
        """From the command line; raises UsageFault for what cannot be run."""
        path = options.inventory or find_inventory(Path.cwd()) or find_inventory(root) or shipped_inventory()
        if path is None:
            raise UsageFault("no devices.yaml here or in a folder above; name one with --inventory FILE")
        inventory = load_inventory(path.resolve())
        board = inventory.board(options.board)
        if options.image is not None and not options.image.is_file():
            raise UsageFault(f"no image {options.image}")
        if options.record and board.emulator is None:
            raise UsageFault("it is a physical board: only an emulated one can be recorded", board=board.name)
        if options.image is None and board.firmware is None:
            raise UsageFault("it names no firmware to build", board=board.name, hint="Give --image FILE")
        return cls(
            inventory, board, options.dut, options.operator, options.image,
            options.force_flash, options.runs_dir, root, options.join_run,
            given_services(options.services, board), options.record, options.played,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a run: where it belongs, what it needs, how the board is arranged, what it shows."""

    suite: str
    name: str
    path: Path
    features: frozenset[str]
    arrangement: Arrangement = AS_LISTED
    requirements: tuple[str, ...] = ()
    fixtures: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """``suite/case``, as people read it."""
        return f"{self.suite}/{self.name}"


class Qualification:
    """A run in progress. After ``begin`` a context manager from the first case to the end of the run."""

    def __init__(self, settings: Settings, *, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        self.run_path: Path | None = None
        self.outcome: Outcome | None = None
        self.image = settings.image or Path()
        self.clock = RunClock()
        self._board_stack = contextlib.ExitStack()
        self._run_stack = contextlib.ExitStack()
        self.connectivity = Connectivity(self)
        self._played: Played | None = None
        self.gave_up = False
        self.incomplete = False
        """Evidence of the run was lost; set by who keeps it."""
        self._recorder: RunRecorder | None = None
        self._session: BoardSession | None = None
        self._first_cause: RigError | None = None
        self._needs_restart = False
        self._limits: dict[str, LimitTable] = {}
        self._artifacts: dict[str, Path] = {}
        self.memory_watch: MemoryWatch | None = None
        self.clock_watch: ClockWatch | None = None
        self._records = RecordKeeper(self.keep_record)

    # --- the run

    def begin(self, cases: Sequence[Case] = ()) -> None:
        """Makes the run's bundle, or this board's part of one. Raises EvidenceFault.

        The cases to come are kept where another process looks after this one has died.
        """
        settings = self.settings
        recorder = self._new_recorder()
        self.run_path, self._recorder, self.clock = recorder.path, recorder, recorder.clock
        try:
            recorder.board(settings.board.name, settings.dut, identity=stated(settings.board))
            if settings.run is not None:
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
        environment = describe_environment([settings.board])
        return RunRecorder.create(settings.runs_dir, self.clock, settings.operator, environment)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets the board go first, so that its last words are in the bundle, then ends the run."""
        session, self._session = self._session, None
        try:
            with self._run_stack:
                self._board_stack.__exit__(kind, error, trace)
                self._keep_clocks()
                self._records.keep(session)
        finally:
            broken = isinstance(error, Exception) or self.gave_up or self.incomplete
            self._finish(Outcome.ERROR if broken else None)

    def _keep_clocks(self) -> None:
        told = self.clock_watch.as_json() if self.clock_watch is not None else b""
        if told:
            self._live.artifact(self._file("clock.json"), told)

    def _finish(self, stated: Outcome | None) -> None:
        try:
            self.outcome = self._live.finish(stated)
        except EvidenceFault as fault:
            self.outcome = Outcome.ERROR
            print(f"rig: {fault}", file=sys.stderr)
        if self.settings.run is None:
            self._index()

    def abort(self, reason: str) -> None:
        """A person or a time budget stops the run."""
        try:
            self._live.abort(reason)
        except EvidenceFault as fault:
            self.give_up(fault)

    def give_up(self, fault: EvidenceFault) -> None:
        """The run cannot go on: its records are refused."""
        self._first_cause = self._first_cause or fault
        self.gave_up = True

    def explain(self, error: RigError) -> RigError:
        """The error with what the session knows of its cause; of a board's fault, where to look.

        Who reads a field knows neither the board nor its transcript.
        """
        if self._session is None:
            return error
        if isinstance(error, RigFault):
            return self._session.explain(error)
        if isinstance(error, BoardGarbled):
            error.board = error.board or self._session.board.name
            error.evidence = error.evidence or self._session.console.evidence()
        return error

    def _index(self) -> None:
        from rig.evidence.reader import load_run
        from rig.evidence.store import index_run

        assert self.run_path is not None
        with contextlib.suppress(EvidenceFault):  # the bundle is the truth; the index can be made again
            index_run(load_run(self.run_path, with_events=False))

    # --- cases

    def case_begins(self, case: Case) -> None:
        """Records that the case begins, and gives it a transcript of its own."""
        self._artifacts = {}
        self._live.case_started(
            self.settings.board.name, case.suite, case.name, requirements=case.requirements
        )
        if self._session is not None:
            self._begin_transcript(case)

    def case_ended(self, case: Case, ending: Ending) -> CaseResult:
        """Records the outcome; on a failure first what is left of the crash on the board."""
        ending = self._examined(case, ending)
        if isinstance(ending.error, RigFault) and self._first_cause is None:
            self._first_cause = ending.error
        self._needs_restart |= ending.outcome in (Outcome.FAIL, Outcome.ERROR)
        self._tell_transcript_fault()
        if self.memory_watch is not None and ending.outcome is not Outcome.SKIPPED:
            self.memory_watch.look(case.label)
        self._look_at_clock(fit=ending.outcome is Outcome.PASS)
        key = (self.settings.board.name, case.suite, case.name, 1)
        return self._live.case_finished(*key, ending.outcome, ending.reason, self._artifacts)

    def _look_at_clock(self, *, fit: bool) -> None:
        """Not while the board is to be restarted, nor where it may have taken harm."""
        if fit and self.clock_watch is not None and self._first_cause is None:
            self.clock_watch.look()

    def _examined(self, case: Case, ending: Ending) -> Ending:
        if ending.outcome is not Outcome.FAIL or self._session is None or self._played is not None:
            return ending
        try:
            self.connectivity.check()
            self._session.check()
            findings = examine(self._session, self.image, self.settings.root, ending.error)
        except RigFault as fault:  # no service, or neither console nor probe: that is no board that fails
            return Ending(Outcome.ERROR, f"{fault}\nseen first as: {ending.reason}", fault)
        if findings:
            self.keep(case, "crash.txt", findings.encode("utf-8"), sensitive=True)
            return Ending(ending.outcome, f"{ending.reason}\n{findings}".strip(), ending.error)
        return ending

    def _tell_transcript_fault(self) -> None:
        if self._session is not None and self._session.console.fault is not None:
            raise self._session.console.fault

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
            self._bring_up(case)
        except RigError as error:
            self._first_cause = self.explain(error)
            raise self._first_cause from error
        self._records.case_uses(self._session, case.label)
        self._needs_restart = False
        self._look_at_clock(fit=True)
        assert self._session is not None
        return self._session

    def skip_after_first_cause(self) -> None:
        """Skips the case where something that the run stands on has broken before."""
        if self._first_cause is not None:
            pytest.skip(f"first cause: {self._first_cause}")

    @property
    def timebase(self) -> TimeBase:
        """What a tick of the board's counter means by the clock that is in force."""
        emulator = self._board_in_force.emulator
        exact = emulator is not None and emulator.clock == "exact"
        return TimeBase(emulator.icount_shift if emulator and exact else None)

    @property
    def _board_in_force(self) -> Board:
        return self._session.board if self._session is not None else self.settings.board

    def _bring_up(self, case: Case) -> None:
        """Opens the board, brings it back after a failure, and arranges it as the case needs it."""
        if self.settings.played is not None:
            self._play(self.settings.played, case)
            return
        wanted = case.arrangement.to_be_recorded() if self.settings.record else case.arrangement
        if self._session is None:
            self._open_session(case)
        elif self._needs_restart and self._session.is_arranged(wanted):
            _bring_back(self._session)
        assert self._session is not None
        if not self._session.is_arranged(wanted):
            self.say("switching the board's arrangement")
            self._session.arrange(wanted)
        elif wanted.recorded and self._records.begins_anew(alone="ethernet" in case.fixtures):
            self._session.power_cycle()
        self._records.keep(self._session)

    def _play(self, path: Path, case: Case) -> None:
        """A transcript in the place of the board; skips a case that it cannot play."""
        from rig.pytest_plugin.played import Played

        settings = self.settings
        self._played = self._played or Played(path, settings.board.name)
        steps = self._played.steps(case)
        if self._session is None:
            transcript = self._live.artifact_path(self._file("console.log"))
            opened = self._played.opened(settings.board, self.clock, self._live.event, transcript)
            self._session = self._board_stack.enter_context(opened)
            sha256 = self._played.image_sha256
            identity: dict[str, Scalar] = {**stated(settings.board), "played": self._played.run.run_id}
            self._live.board(settings.board.name, settings.dut, sha256, identity, transcript)
            self._begin_transcript(case)
        self._played.play(steps)

    def kernel_view(self, board: BoardSession) -> KernelView:
        """The kernel's lists and stacks read by the probe, by the debug information of the image."""
        from rig.image.kernel_layout import read_layout
        from rig.image.kernel_view import KernelView

        return KernelView(read_layout(self.image), board.probe.read_memory)

    def declare(self, case: Case, declared: Measurement) -> None:
        """Promises a measurement of the case."""
        self._live.declare(self.settings.board.name, case.suite, case.name, 1, declared)

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
        board = self._board_in_force
        clock = board.emulator.clock if board.emulator else None
        if board.emulator != self.settings.board.emulator:  # else the board's own record says it
            context = {"clock": clock, **(context or {})}
        build = board.firmware.preset if board.firmware else None
        limit = self._limits_of(case).find(declared.name, board.name, clock, build)
        return self._live.measurement(
            board.name, case.suite, case.name, 1, declared,
            samples=samples, value=value, limit=limit, context=context,
        )  # fmt: skip

    def keep(self, case: Case, name: str, content: bytes, *, sensitive: bool = False) -> None:
        """Keeps a file with the case."""
        stored = self._live.artifact(
            self._file(f"{case.suite}/{case.name}/{name}"), content, sensitive=sensitive
        )
        self._artifacts[name] = stored

    def keep_open(self, context: AbstractContextManager[T]) -> T:
        """Enters what cases share; it is left when the run ends, after the board was let go."""
        return self._run_stack.enter_context(context)

    def log_path(self, name: str, *, sensitive: bool = False) -> Path:
        """Where what runs beside the board writes its log, a file or a folder of files.

        It is an artifact of the run when that ends; a ``sensitive`` one leaves the bundle with no export.
        """
        path = self._live.artifact_path(self._file(name))
        self._run_stack.callback(self._keep_log, path, sensitive)
        return path

    def _keep_log(self, path: Path, sensitive: bool) -> None:
        for each in sorted(path.iterdir()) if path.is_dir() else [path]:
            if each.exists():
                self._live.artifact(each.name, each, sensitive=sensitive)

    @property
    def sink(self) -> EventSink:
        """Takes events of what runs beside the board, with times of the run's clock. From any thread."""
        return self._live.event

    def event(self, source: str, kind: str, data: Mapping[str, Scalar]) -> None:
        """Says in the run that something happened now, to this board. From any thread; never raises."""
        self._live.event(Event(self.clock.now_ns(), source, kind, self.settings.board.name, dict(data)))

    def keep_record(self, record: Path, cases: str) -> None:
        """Keeps what a board did between two power cycles: an artifact, and an event that names the cases."""
        stored = self._live.artifact(self._file(record.name), record, sensitive=True)
        shown = stored.relative_to(self._live.path).as_posix()
        data: dict[str, Scalar] = {"path": shown, "cases": cases}
        self._live.event(Event(self.clock.now_ns(), RECORD, "kept", self.settings.board.name, data))

    def _file(self, name: str) -> str:
        """An artifact's name: boards side by side have the same cases."""
        return f"{self.settings.board.name}/{name}"

    def _limits_of(self, case: Case) -> LimitTable:
        if case.suite not in self._limits:
            path = case.path.parent / "limits.toml"
            table = load_limits(path, root=self.settings.root) if path.exists() else LimitTable()
            self._limits[case.suite] = table
        return self._limits[case.suite]

    # --- the board

    def _open_session(self, case: Case) -> None:
        from rig.bench.session import open_session

        self._require_programs()
        self.say("building the firmware")
        self.image = self._image()
        self.say("opening the board")
        recorder, settings = self._live, self.settings
        transcript = recorder.artifact_path(self._file("console.log"))
        session = self._board_stack.enter_context(
            open_session(
                settings.inventory, settings.board.name, clock=self.clock, sink=self._heard,
                transcript=transcript, dut=settings.dut,
            )
        )  # fmt: skip
        self._session = session
        self.clock_watch = ClockWatch(
            settings.board.name, lambda: session.console, lambda: clock_of(session.board),
            self.clock, recorder.event, fine="board-clock" in settings.board.features,
        )  # fmt: skip
        dut = settings.dut or session.serial
        recorder.board(settings.board.name, dut, identity=self._identity(), transcript=transcript)
        self.say(f"flashing {self.image.name}")
        report = session.flash(self.image, force=settings.force_flash)
        boot = session.restart()
        identity = {**self._identity(), **boot.fields, "flash_method": report.method}
        identity["erase_cycles"] = session.erase_cycles
        recorder.board(settings.board.name, dut, report.image_sha256, identity, transcript)
        if "memory" in settings.board.features:
            # The probe is opened anew whenever the board loses its power.
            self.memory_watch = MemoryWatch(
                settings.board.name, self.image, lambda at, size: session.probe.read_memory(at, size),
                self.clock, recorder.event,
            )  # fmt: skip
            self.memory_watch.look(BOOT)
        self._begin_transcript(case)

    def _heard(self, event: Event) -> None:
        """An event of the links."""
        if self.clock_watch is not None:
            self.clock_watch.note(event)
        self._live.event(event)

    def _require_programs(self) -> None:
        """All that this machine lacks is said at once. Raises ToolFault."""
        from rig.image.build import PROGRAMS

        emulator = ["qemu-system-arm", "setpriv"] if self.settings.board.emulator is not None else []
        require_programs([*([] if self.settings.image is not None else PROGRAMS), *emulator])

    def _identity(self) -> dict[str, Scalar]:
        assert self._session is not None
        return {**stated(self.settings.board), **self._session.identity}

    def _image(self) -> Path:
        if self.settings.image is not None:
            return self.settings.image.resolve()
        from rig.image.build import build

        assert self.settings.board.firmware is not None
        built = build(
            self.settings.board.firmware.preset,
            project_root=project_root(self.settings.inventory.path),
            environ=os.environ,
            say=self.say,
        )
        return built.elf

    def _begin_transcript(self, case: Case) -> None:
        assert self._session is not None
        path = self._live.artifact_path(self._file(f"{case.suite}/{case.name}/console.log"))
        self._session.console.begin_segment(path)
        self._artifacts["console"] = path

    @property
    def _live(self) -> RunRecorder:
        assert self._recorder is not None
        return self._recorder


def _bring_back(session: BoardSession) -> None:
    """A reset, and where that does not help, one pull of the plug."""
    try:
        session.restart()
    except BoardFault:
        session.power_cycle()


def clock_of(board: Board) -> str:
    """The clock a board runs by: of an emulated one ``exact``, ``paced`` or ``free``, else ``hardware``."""
    return board.emulator.clock if board.emulator is not None else "hardware"


def stated(board: Board) -> dict[str, Scalar]:
    """What the inventory says of the board, as reports show it."""
    stated: dict[str, Scalar] = {"description": board.description, "probe": board.probe.type}
    if board.emulator is not None:
        stated |= {"emulated": True, "machine": board.emulator.machine, "clock": board.emulator.clock}
    if board.firmware is not None and board.firmware.run_on_silicon is not None:
        stated["run_on_silicon"] = board.firmware.run_on_silicon
    return stated
