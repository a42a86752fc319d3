# SPDX-License-Identifier: MIT
"""An emulated board with the bootloader of two slots, its console, and what its flash holds, for one test."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.bench.inventory import Board
from rig.deadline import Deadline
from rig.emulator.arrangement import Arrangement
from rig.emulator.board import EmulatedBoard, Parts
from rig.events import RunClock, discard
from rig.image.ladder import SELF_TEST_MS, OtaFirmware
from rig.image.slot_layout import Slot, State
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.fields import Fields
from rig.links.interfaces import Mark
from rig.links.probe import PyocdProbe, attach

LONG_S = 30.0
_WORD = re.compile(rb"(\w+)=(\S+)")


@dataclass(slots=True)
class SlotBoard:
    """The board, off at first; flash is written while it is off."""

    facts: Board
    firmware: OtaFirmware
    emulated: EmulatedBoard
    console: ConsoleLink
    flash_file: Path
    last: Mark
    """Just after the line that was waited for last."""

    def put(self, slot: Slot, image: bytes, state: State) -> None:
        """Fills a slot with an image and a trailer."""
        assert not self.emulated.is_on
        layout = self.firmware.layout
        with self.flash_file.open("r+b") as file:
            file.seek(layout.address(slot) - self.facts.flash[0].start)
            file.write(layout.filled(image, state))

    def put_version(self, slot: Slot, version: str, state: State) -> None:
        """Fills it with an image of the ladder."""
        self.put(slot, self.firmware.signed(version, slot), state)

    def power_cycle(self) -> dict[str, str]:
        """Pulls the plug, puts it back; what the bootloader chose."""
        self.emulated.off()
        since = self.console.mark()
        self.emulated.on()
        return self.chosen(since)

    def chosen(self, since: Mark, longest_s: float = LONG_S) -> dict[str, str]:
        """The words of the bootloader's line about what it runs, but for when it said so."""
        said = self.said(rb"boot: run=[^\r]*", since, longest_s)
        assert int(said.pop("reset_us")) > 0
        return said

    def said(self, pattern: bytes, since: Mark, longest_s: float = LONG_S) -> dict[str, str]:
        """The words of a line."""
        match = self.console.expect(pattern + rb"\r", Deadline.after(longest_s), since=since)
        self.last = match.after
        return {key.decode(): value.decode() for key, value in _WORD.findall(match.match.group())}

    def ready(self, longest_s: float = LONG_S) -> None:
        """Waits until the application that the bootloader chose last takes commands."""
        self.console.wait_event("ready", Deadline.after(longest_s), since=self.last)

    def ask(self, command: str, **arguments: str | int) -> Fields:
        """The fields of a command's reply."""
        return self.console.request(command, arguments, deadline=Deadline.after(LONG_S)).fields

    @contextlib.contextmanager
    def probe(self) -> Iterator[PyocdProbe]:
        """The debug probe."""
        with attach(self.facts, self.emulated.probe_id, clock=RunClock(), sink=discard) as probe:
            yield probe


@contextlib.contextmanager
def slot_board(
    facts: Board, firmware: OtaFirmware, folder: Path, self_test_ms: int = SELF_TEST_MS[0]
) -> Iterator[SlotBoard]:
    """A board of that firmware with an erased flash; switched off at the end."""
    parts = Parts(None, None, firmware.bootloader(self_test_ms))
    arrangement = Arrangement(clock="free", ota=True)
    emulated = EmulatedBoard(facts, parts, state_dir=folder, arrangement=arrangement)
    with (
        emulated,
        ConsoleReader(RunClock(), discard) as reader,
        reader.arm(facts.name, emulated.console_url, facts.console.baud) as console,
    ):
        flash = folder / "flash.bin"
        yield SlotBoard(emulated.facts, firmware, emulated, console, flash, console.mark())
