# SPDX-License-Identifier: MIT
"""The board of a run: opened when the first case needs it, arranged as each needs it, let go at the end.

Owns the session, the image on it, and what watches both: memory, clocks, records. A case that fails leaves
the board to be restarted before the next, by a reset or else by its power. A transcript may take its place.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rig.bench.inventory import Board
from rig.errors import BoardFault, BoardGarbled, RigError, RigFault
from rig.events import Event, Scalar
from rig.evidence.counter import TimeBase
from rig.evidence.measurement import Outcome
from rig.pytest_plugin.autopsy import examine
from rig.pytest_plugin.clock_watch import ClockWatch
from rig.pytest_plugin.memory_watch import BOOT, MemoryWatch
from rig.pytest_plugin.outcome import Ending
from rig.pytest_plugin.record_keeper import RECORD, RecordKeeper
from rig.pytest_plugin.run_image import image_of, require_tools
from rig.pytest_plugin.settings import clock_of, stated

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.image.kernel_view import KernelView
    from rig.pytest_plugin.played import Played
    from rig.pytest_plugin.qualification import Qualification
    from rig.pytest_plugin.settings import Case
    from rig.pytest_plugin.slots import Ladder, Slots


class RunBoard:
    """The board of one run. A context manager that lets the board go."""

    def __init__(self, run: Qualification) -> None:
        self.image = run.settings.image or Path()
        self.session: BoardSession | None = None
        self.needs_restart = False
        self.memory_watch: MemoryWatch | None = None
        self.clock_watch: ClockWatch | None = None
        self.records = RecordKeeper(self._keep_record)
        self._run = run
        self._stack = contextlib.ExitStack()
        self._played: Played | None = None
        self._ladder: Ladder | None = None

    def __enter__(self) -> RunBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self.session = self.session, None
        self._stack.__exit__(kind, error, trace)
        self._keep_clocks()
        self.records.keep(session)

    def _keep_clocks(self) -> None:
        told = self.clock_watch.as_json() if self.clock_watch is not None else b""
        if told:
            self._run.live.artifact(self._run.file("clock.json"), told)

    def _keep_record(self, record: Path, cases: str) -> None:
        """An artifact of what a board did between two power cycles, and an event that names the cases."""
        stored = self._run.live.artifact(self._run.file(record.name), record, sensitive=True)
        shown = stored.relative_to(self._run.live.path).as_posix()
        self._run.event(RECORD, "kept", {"path": shown, "cases": cases})

    # --- between cases

    def begin_transcript(self, case: Case) -> None:
        """Gives the case a transcript of its own, where the board is open."""
        if self.session is None:
            return
        path = self._run.live.artifact_path(self._run.case_file(case, "console.log"))
        self.session.console.begin_segment(path)
        self._run.artifacts["console"] = path

    def ready(self, case: Case) -> BoardSession:
        """The board that was brought up, handed to the case."""
        self.records.case_uses(self.session, case.label)
        self.needs_restart = False
        self.look_at_clock(fit=True)
        assert self.session is not None
        return self.session

    def case_ended(self, case: Case, ending: Ending) -> None:
        """Looks at the board after a case. Raises EvidenceFault where its transcript could not be kept."""
        self.needs_restart |= ending.outcome in (Outcome.FAIL, Outcome.ERROR)
        if self.session is not None and self.session.console.fault is not None:
            raise self.session.console.fault
        own = self.session is not None and not self.session.bootable  # of an update it knows no symbol
        if self.memory_watch is not None and own and ending.outcome is not Outcome.SKIPPED:
            self.memory_watch.look(case.label)
        self.look_at_clock(fit=ending.outcome is Outcome.PASS)

    @property
    def can_be_examined(self) -> bool:
        """Whether there is a board, and not its transcript alone."""
        return self.session is not None and self._played is None

    def examine(self, ending: Ending) -> str:
        """What is found on the board after a failure. Raises RigFault where the rig is to blame."""
        assert self.session is not None
        self.session.check()
        return examine(self.session, self.running_image, self._run.settings.root, ending.error)

    def explain(self, error: RigError) -> RigError:
        """The error with what the session knows of its cause; of a board's fault, where to look.

        Who reads a field knows neither the board nor its transcript.
        """
        if self.session is None:
            return error
        if isinstance(error, RigFault):
            return self.session.explain(error)
        if isinstance(error, BoardGarbled):
            error.board = error.board or self.session.board.name
            error.evidence = error.evidence or self.session.console.evidence()
        return error

    def look_at_clock(self, *, fit: bool) -> None:
        """Not while the board is to be restarted, nor where it may have taken harm."""
        if fit and self.clock_watch is not None and self._run.first_cause is None:
            self.clock_watch.look()

    @property
    def timebase(self) -> TimeBase:
        """What a tick of the board's counter means by the clock that is in force."""
        emulator = self.in_force.emulator
        exact = emulator is not None and emulator.clock == "exact"
        return TimeBase(emulator.icount_shift if emulator and exact else None)

    @property
    def in_force(self) -> Board:
        """The board as it is arranged now."""
        return self.session.board if self.session is not None else self._run.settings.board

    @property
    def running_image(self) -> Path:
        """The image that booted last: that of an update, where the board runs one."""
        boot = self.session.boot if self.session is not None else None
        elves = self._ladder.elves if self._ladder is not None else {}
        return elves.get(boot.fields.get("image", ""), self.image) if boot is not None else self.image

    @property
    def ladder(self) -> Ladder:
        """The images of updates; built when they are first asked for."""
        from rig.pytest_plugin.slots import Ladder

        self._ladder = self._ladder or Ladder(self._run)
        return self._ladder

    def slots(self) -> Slots:
        """Both slots of a board whose bootloader has them. Skips where there are no images for them."""
        from rig.pytest_plugin.slots import Slots

        assert self.session is not None
        return Slots(self.session, self.ladder)

    def kernel_view(self, board: BoardSession) -> KernelView:
        """The kernel's lists and stacks read by the probe, by the debug information of the image."""
        from rig.image.kernel_layout import read_layout
        from rig.image.kernel_view import KernelView

        return KernelView(read_layout(self.running_image), board.probe.read_memory)

    @property
    def played(self) -> Played | None:
        """The run that is played in the place of the board; None where there is one. Raises UsageFault."""
        from rig.pytest_plugin.played import Played

        settings = self._run.settings
        if self._played is None and settings.played is not None:
            self._played = Played(settings.played, settings.board.name)
        return self._played

    def _play(self, played: Played, case: Case) -> None:
        """A transcript in the place of the board; skips a case that it cannot play."""
        settings = self._run.settings
        steps = played.steps(case)
        if self.session is None:
            transcript = self._run.live.artifact_path(self._run.file("console.log"))
            opened = played.opened(settings.board, self._run.clock, self._run.live.event, transcript)
            self.session = self._stack.enter_context(opened)
            sha256 = played.image_sha256
            identity: dict[str, Scalar] = {
                **stated(settings.board, settings.image_name),
                "played": played.run.run_id,
            }
            self._run.live.board(settings.board.name, settings.dut, sha256, identity, transcript)
            self.begin_transcript(case)
        played.play(steps)

    def bring_up(self, case: Case) -> None:
        """Opens the board, brings it back after a failure, and arranges it as the case needs it.

        Raises RigError; skips a case that a transcript cannot play.
        """
        if self.played is not None:
            self._play(self.played, case)
            return
        wanted = case.arrangement.to_be_recorded() if self._run.settings.record else case.arrangement
        if wanted.ota:
            self.ladder.build()
        if self.session is None:
            self._open_session(case)
        elif self.needs_restart and self.session.is_arranged(wanted):
            self._bring_back(self.session)
        assert self.session is not None
        if not self.session.is_arranged(wanted):
            self._run.say("switching the board's arrangement")
            if wanted.ota:  # a bootloader without an image would say no word that is waited for
                self.slots().place_base()
            self.session.arrange(wanted)
        elif wanted.recorded and self.records.begins_anew(alone="ethernet" in case.fixtures):
            self.session.power_cycle()
        self.records.keep(self.session)

    def _open_session(self, case: Case) -> None:
        from rig.bench.session import open_session

        require_tools(self._run.settings)
        self._run.say("building the firmware")
        self.image = image_of(self._run.settings, self._run.say)
        self._run.say("opening the board")
        recorder, settings = self._run.live, self._run.settings
        transcript = recorder.artifact_path(self._run.file("console.log"))
        session = self._stack.enter_context(
            open_session(
                settings.inventory, settings.board.name, clock=self._run.clock, sink=self._heard,
                transcript=transcript, dut=settings.dut,
            )
        )  # fmt: skip
        self.session = session
        if session.emulated is not None and settings.bootloader is not None:
            session.emulated.fit_bootloader(settings.bootloader)
        self.clock_watch = ClockWatch(
            settings.board.name, lambda: session.console, lambda: clock_of(session.board),
            self._run.clock, recorder.event, fine="board-clock" in settings.board.features,
        )  # fmt: skip
        dut = settings.dut or session.serial
        recorder.board(settings.board.name, dut, identity=self._identity(), transcript=transcript)
        self._run.say(f"flashing {self.image.name}")
        report = session.flash(self.image, force=settings.force_flash)
        boot = session.restart()
        identity = {**self._identity(), **boot.fields, "flash_method": report.method}
        identity["erase_cycles"] = session.erase_cycles
        recorder.board(settings.board.name, dut, report.image_sha256, identity, transcript)
        if "memory" in settings.board.features:
            # The probe is opened anew whenever the board loses its power.
            self.memory_watch = MemoryWatch(
                settings.board.name, self.image, lambda at, size: session.probe.read_memory(at, size),
                self._run.clock, recorder.event,
            )  # fmt: skip
            self.memory_watch.look(BOOT)
        self.begin_transcript(case)

    def _bring_back(self, session: BoardSession) -> None:
        """A reset, and where that does not help, one pull of the plug; of an update nothing is left."""
        if session.bootable:
            self.slots().place_base()
        try:
            session.restart()
        except BoardFault:
            session.power_cycle()

    def _heard(self, event: Event) -> None:
        """An event of the links."""
        if self.clock_watch is not None:
            self.clock_watch.note(event)
        self._run.live.event(event)

    def _identity(self) -> dict[str, Scalar]:
        assert self.session is not None
        settings = self._run.settings
        return {**stated(settings.board, settings.image_name), **self.session.identity}
