# SPDX-License-Identifier: MIT
"""An emulated board that a plan of power cuts has to itself: given a flash, and watched as it comes back.

Every power-on is a QEMU process of its own, so nothing is left of the one before. Owns the board, its console
and its memory by qtest; what must become of it is ``cut_judge.py``'s.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from rig.bench.inventory import Board
from rig.campaign.bench_pool import Abandoned
from rig.campaign.cut_judge import Boot
from rig.campaign.flash_file import FlashFile
from rig.campaign.flash_range import FlashRange
from rig.campaign.stops import OnStop, serve
from rig.deadline import Deadline, poll
from rig.emulator.arrangement import Arrangement
from rig.emulator.board import EmulatedBoard, Parts
from rig.emulator.qtest import QtestClient
from rig.errors import BoardFault, BoardSilent
from rig.events import RunClock, discard
from rig.image.ladder import OtaFirmware
from rig.image.mcuboot import Refused, read_signed
from rig.image.slot_layout import Slot
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.interfaces import Mark
from rig.links.nor_control import NorControl, NorPlace, Stop

BOOT_S: Final = 30.0
"""How long a board may take from power to an answer; it takes a tenth of a second of a free processor."""
NO_STOPS: Final = Stop(0)
_SLICE_S: Final = 0.1
_NEXT_STOP_S: Final = 0.05
_CHOICE = rb"boot: run=(?P<run>\w+) reason=(?P<reason>\w+)[^\r]*\r"
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class QtestMemory:
    """What the flash model is reached by while no probe is attached: qtest, as the emulated probe does."""

    client: QtestClient

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory while the core runs."""
        return self.client.read(address, length)

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM while the core runs."""
        self.client.write(address, data)


class CutBench:
    """Use ``cut_bench()``. ``on_stop`` is told of each operation of the flash while stops are asked for."""

    def __init__(
        self,
        firmware: OtaFirmware,
        emulated: EmulatedBoard,
        console: ConsoleLink,
        flash: FlashFile,
        nor: NorPlace,
    ) -> None:
        self.flash = flash
        self._firmware = firmware
        self._emulated = emulated
        self._console = console
        self._nor_place = nor
        self._power = contextlib.ExitStack()
        self._nor: NorControl | None = None
        self._memory: QtestMemory | None = None
        self._on_stop: OnStop | None = None
        self._last: tuple[int, Stop] | None = None
        self._abandoned = False

    def abandon(self) -> None:
        """From another thread: what waits for the board here ends by ``Abandoned``."""
        self._abandoned = True

    def off(self) -> None:
        """Pulls the plug."""
        self._emulated.off()
        self._power.close()
        self._nor = self._memory = None

    def boot(self, stops: Stop = NO_STOPS, seed: int = 0, on_stop: OnStop | None = None) -> Boot:
        """Puts the plug back and waits until the board answers, or does not. At most ``BOOT_S``."""
        self.off()
        self._on_stop, self._last = on_stop, None
        since = self._console.mark()
        self._emulated.on(lambda socket: self._arm(socket, stops, seed))
        deadline = Deadline.after(BOOT_S)
        try:
            said = self._wait(lambda end: self._console.expect(_CHOICE, end, since=since), deadline)
            return self._running(said.match, said.after, deadline)
        except BoardFault as error:
            return Boot(None, "silent", "", "", "", str(error))

    def confirm(self) -> bool:
        """Has the image that is tried stay, by the console; whether its trailer says so in the end."""
        assert self._nor is not None
        self._console.send_raw(b"boot.confirm\n")

        def confirmed() -> bool:
            self._serve()
            self.flash.read()
            states = [self.flash.place.trailer_state(self.flash.content, slot) for slot in ("a", "b")]
            return "tried" not in states and self._stands_nowhere()

        return poll(confirmed, Deadline.after(BOOT_S), 0.002)

    # --- one power-on

    def _arm(self, socket: Path, stops: Stop, seed: int) -> None:
        client = self._power.enter_context(QtestClient(socket, board=self._emulated.board))
        self._memory = QtestMemory(client)
        self._nor = NorControl(self._nor_place, self._memory)
        if stops:
            self._nor.stop(stops, seed=seed)

    def _running(self, match: re.Match[bytes], after: Mark, deadline: Deadline) -> Boot:
        reason = match["reason"].decode()
        if match["run"] not in (b"a", b"b"):
            return Boot(None, reason, "", "", "")
        slot: Slot = "a" if match["run"] == b"a" else "b"
        self._wait(lambda end: self._console.wait_event("ready", end, since=after), deadline)
        said = self._console.request("id", deadline=deadline).fields
        return Boot(slot, reason, self._read_back(slot), said["image"], said["version"])

    def _read_back(self, slot: Slot) -> str:
        """The hash of what runs in a slot, from the board's memory."""
        assert self._memory is not None
        layout = self.flash.place.layout
        try:
            return read_signed(
                self._memory.read_memory(layout.address(slot), layout.image_max)
            ).payload_sha256
        except Refused as error:
            return f"no image: {error}"

    def _wait(self, wait: Callable[[Deadline], _Found], deadline: Deadline) -> _Found:
        """Waits in slices, and serves stops between them."""
        while True:
            if self._abandoned:
                raise Abandoned
            try:
                return wait(deadline.sooner(_SLICE_S))
            except BoardSilent:
                if not self._serve() and deadline.expired:
                    raise

    def _serve(self) -> bool:
        """Serves the stop the core stands at and those that follow at once; whether there was one."""
        assert self._nor is not None
        if self._on_stop is None:
            return False
        begin, nor, on_stop = self._last, self._nor, self._on_stop

        def served() -> bool:
            before = self._last
            self._last = serve(nor, on_stop, self._last)
            return self._last != before

        while poll(served, Deadline.after(_NEXT_STOP_S if self._last != begin else 0.0), 0.0005):
            pass
        return self._last != begin

    def _stands_nowhere(self) -> bool:
        assert self._nor is not None
        return self._nor.state().stopped is None


@contextlib.contextmanager
def cut_bench(
    facts: Board, firmware: OtaFirmware, base: bytes, folder: Path, nor: NorPlace
) -> Iterator[CutBench]:
    """A board of that firmware whose flash begins as ``base``; its files are in ``folder``, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "flash.bin"
    file.write_bytes(base)
    place = FlashRange.of_layout(firmware.layout, facts.flash[0].start)
    parts = Parts(None, None, firmware.bootloader())
    emulated = EmulatedBoard(facts, parts, state_dir=folder, arrangement=Arrangement(clock="free", ota=True))
    with (
        emulated,
        ConsoleReader(RunClock(), discard) as reader,
        reader.arm(facts.name, emulated.console_url, facts.console.baud) as console,
    ):
        bench = CutBench(firmware, emulated, console, FlashFile(file, place), nor)
        try:
            yield bench
        finally:
            bench.off()


def whole_slot(place: FlashRange, content: bytes, slot: Slot, image: bytes) -> bool:
    """Whether a slot begins with every byte of an image."""
    return place.slot_bytes(content, slot)[: len(image)] == image


def joined(sectors: Sequence[bytes]) -> bytes:
    """A state's bytes in one piece."""
    return b"".join(sectors)
