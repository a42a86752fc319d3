# SPDX-License-Identifier: MIT
"""The suites without a board: its console and MQTT are played from the transcripts of an earlier run of it.

Owns which case is played from what, and what cannot be: a transcript has no probe, no network, no server and
no other firmware. MQTT is ``played_mqtt.py``'s. What the suites then measure and judge is theirs, by the
limits of today.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from rig.bench.session import BOOT_S, BoardSession
from rig.deadline import Deadline
from rig.errors import UsageFault
from rig.links.console import ConsoleReader
from rig.links.console_player import ConsolePlayer
from rig.links.power import AlwaysOn
from rig.links.tape import Step, steps_of
from rig.pytest_plugin.fresh_names import DREW
from rig.pytest_plugin.played_mqtt import PlayedMqtt
from rig.transcript import Transcript
from rig.transcript.segment_reader import load

if TYPE_CHECKING:
    from rig.bench.inventory import Board
    from rig.events import Event, EventSink, RunClock
    from rig.evidence.model import CaseResult, Run
    from rig.links.interfaces import FlashReport, WireEvent
    from rig.links.probe import PyocdProbe
    from rig.pytest_plugin.settings import Case

_BEYOND: Final = frozenset(
    {
        *("probe", "kernel_view", "memory_readings", "other_firmware"),
        *("local_broker", "echo", "provisioned", "ethernet", "access_points", "ota"),
        *("mqtt_capture", "byte_proxy", "host_client", "board_clock"),
    }
)
"""Fixtures of what no transcript has."""
_PORT_S: Final = 10.0


@dataclass(slots=True)
class PlayedSession(BoardSession):
    """A session whose console is played. Skips the case where it wants more than a console."""

    player: ConsolePlayer | None = None

    @property
    def probe(self) -> PyocdProbe:
        """There is none."""
        pytest.skip("a played transcript has no probe")

    def restart(self, timeout_s: float = BOOT_S) -> WireEvent:
        """The next boot of the transcript."""
        assert self.player is not None
        since = self.console.mark()
        if not self.player.reset():
            pytest.skip("the transcript has no further reset in this case")
        return self.await_ready(since, timeout_s)

    def power_cycle(self, timeout_s: float = BOOT_S) -> WireEvent:
        """The same: a transcript tells a reset from a power cycle only by what the board says."""
        return self.restart(timeout_s)

    def flash(self, image: Path, *, force: bool = False) -> FlashReport:
        """There is nothing to flash."""
        del image, force
        pytest.skip("a played transcript has no flash")


class Played:
    """An earlier run of one board, by its cases. Raises UsageFault for a run without that board."""

    def __init__(self, path: Path, board: str) -> None:
        from rig.evidence.reader import load_run

        self.run: Run = load_run(path)
        found = next((one for one in self.run.boards if one.name == board), None)
        if found is None:
            there = ", ".join(one.name for one in self.run.boards) or "none"
            raise UsageFault(f"run {self.run.run_id} has no board {board}; its boards: {there}")
        self.image_sha256 = found.image_sha256
        self._player = ConsolePlayer(lambda seen: self.mqtt.player.hear(seen))
        self._cases = {(case.suite, case.case): case for case in self.run.cases if case.board == board}
        self._events = [event for event in self.run.events if event.board == board]
        self.mqtt = PlayedMqtt(self.run, board, self._events, self._player.act)

    def steps(self, case: Case) -> tuple[Step, ...]:
        """What is played for a case. Skips it where that is nothing."""
        beyond = sorted(case.fixtures & _BEYOND)
        if beyond:
            pytest.skip(f"a played transcript has no {beyond[0]}")
        found = self._cases.get((case.suite, case.name))
        if found is None or "console" not in found.artifacts:
            pytest.skip(f"run {self.run.run_id} has no transcript of this case")
        events = self._events_of(found)
        self.mqtt.require(events)
        return steps_of(load(found.artifacts["console"]), events)

    def names(self, case: Case) -> Callable[[], str]:
        """Gives the names that the case made up, in their order; skips it where it made up no more."""
        found = self._cases.get((case.suite, case.name))
        events = self._events_of(found) if found is not None else []
        drawn = iter([str(e.data["name"]) for e in events if (e.source, e.kind) == ("mqtt", DREW)])

        def draw() -> str:
            name = next(drawn, None)
            if name is None:
                pytest.skip("the transcript has no further name that the case made up")
            return name

        return draw

    def play(self, steps: tuple[Step, ...]) -> None:
        """The next case begins."""
        self._player.load(steps)

    def _events_of(self, case: CaseResult) -> list[Event]:
        end = case.started_ns + int(case.duration_s * 1e9)
        return [event for event in self._events if case.started_ns <= event.t_ns <= end]

    @contextlib.contextmanager
    def opened(
        self, board: Board, clock: RunClock, sink: EventSink, transcript: Path
    ) -> Iterator[PlayedSession]:
        """A session with the board that is not there."""
        with contextlib.ExitStack() as stack:
            player = stack.enter_context(self._player)
            log = stack.enter_context(Transcript(transcript))
            reader = stack.enter_context(ConsoleReader(clock, sink))
            console = stack.enter_context(
                reader.arm(board.name, player.url, board.console.baud, transcript=log)
            )
            console.wait_connected(Deadline.after(_PORT_S))
            power = AlwaysOn(board.name)
            session = PlayedSession(board, power, console, clock, sink, transcript.parent, "", player=player)
            session.image_sha256 = self.image_sha256
            yield session
