# SPDX-License-Identifier: MIT
"""What the UARTs, the network card and the clock of an emulated board are connected to, by its arrangement.

Owns the sockets that stay over power cycles, what is there for one power-on only (a record and the drip
before its console), and QEMU's options for all of them. The process itself is ``board.py``'s.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from rig import child
from rig.bench.inventory import Board, EmulatorFacts
from rig.deadline import Deadline
from rig.emulator.arrangement import PACED_SHIFT, Arrangement, arranged
from rig.emulator.cable import Cables
from rig.emulator.drip import Drip
from rig.emulator.qmp import QmpClient
from rig.emulator.record import RecordFacts, Recording
from rig.emulator.uart import UartSocket
from rig.errors import UsageFault

_ENDS_S: Final = 20.0  # QEMU writes its record out


class Wiring:
    """A context manager that lasts as long as the board, over its power cycles.

    ``facts`` are the board's as arranged; ``records`` the files of the power-ons that were recorded.
    """

    def __init__(self, listed: Board, arrangement: Arrangement, records: Path) -> None:
        self.facts = arranged(listed, arrangement)
        self.arrangement = arrangement
        self.uarts = tuple(UartSocket(name, listed.name) for name in ("uart0", "uart1"))
        self.records: list[Path] = []
        self._listed = listed
        self._folder = records
        self._cables: Cables | None = None
        self._stack = contextlib.ExitStack()
        self._recording: Recording | None = None
        self._drip: Drip | None = None

    def __enter__(self) -> Wiring:
        with contextlib.ExitStack() as stack:
            for uart in self.uarts:
                stack.enter_context(uart)
            if self.emulator.network is not None:
                self._cables = stack.enter_context(Cables(self.facts.name))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def emulator(self) -> EmulatorFacts:
        """The emulator's facts as arranged."""
        assert self.facts.emulator is not None
        return self.facts.emulator

    @property
    def cables(self) -> Cables:
        """The cables of the network; raises UsageFault for a board without a network card."""
        if self._cables is None:
            raise UsageFault("its emulator has no network card", board=self.facts.name)
        return self._cables

    def arrange(self, arrangement: Arrangement) -> None:
        """From the next power-on. Raises UsageFault for what the board cannot be."""
        self.facts = arranged(self._listed, arrangement)
        self.arrangement = arrangement

    # --- one power-on, in this order

    def before_power(self, stack: contextlib.ExitStack, flash: Path, boot_rom: Path | None) -> None:
        """Makes everything new for a power-on; what lasts as long as that is on ``stack``."""
        for uart in self.uarts:
            uart.forget_who_hung_up()
        if self._cables is not None:
            self._cables.clear()
        self._recording, self._drip = None, None
        if self.arrangement.recorded:
            self._recording = self._begin_recording(flash, boot_rom)
            self._drip = stack.enter_context(Drip(self.uarts[0].listener))

    @property
    def fds(self) -> tuple[int, ...]:
        """The descriptors that QEMU inherits."""
        cables = self.cables.fds if self.arrangement.network else ()
        drip = self._drip.fds if self._drip is not None else ()
        return (*(uart.fd for uart in self._direct), *cables, *drip)

    def arguments(self) -> list[str]:
        """QEMU's options."""
        found = [argument for uart in self._direct for argument in uart.arguments]
        if self._recording is not None and self._drip is not None:
            found += self._drip.arguments("uart0", self._recording.uart_log)
            found += self._recording.arguments
        else:
            found += clock_arguments(self.emulator)
        if self.arrangement.network and self.emulator.network is not None:
            found += self.cables.arguments(self.emulator.network)
        return found

    def wait_taken(self, qmp: QmpClient) -> None:
        """Those who waited at a UART before power must hear the first instruction."""
        for uart in self._direct:
            uart.wait_taken(qmp)

    def link_was_set(self) -> None:
        """The network's link was changed from outside, which no record can hold."""
        if self._recording is not None:
            self._recording.disturbed.append("link")

    def before_off(self, process: child.Child) -> None:
        """A board that is recorded ends in order, its record whole; one that was killed has none."""
        recording, self._recording = self._recording, None
        if recording is None or not process.alive:
            return
        process.ask_to_end()
        if process.wait(Deadline.after(_ENDS_S)):
            self.records.append(recording.finish())

    @property
    def _direct(self) -> tuple[UartSocket, ...]:
        """The UARTs whose socket QEMU has itself; that of a recorded board is the drip's."""
        if self.arrangement.recorded:
            return ()
        return self.uarts if self.arrangement.wifi else self.uarts[:1]

    def _begin_recording(self, flash: Path, boot_rom: Path | None) -> Recording:
        emulator, board = self.emulator, self.facts
        if emulator.storage != "backend" or boot_rom is None or emulator.network is None:
            raise UsageFault(f"flash of the kind {emulator.storage!r} cannot be recorded", board=board.name)
        facts = RecordFacts(
            board.name, board.probe.target, emulator.machine, PACED_SHIFT, emulator.flash_size,
            emulator.network, self.cables.mac,
        )  # fmt: skip
        return Recording(self._folder / f"record-{len(self.records) + 1}", facts, flash, boot_rom)


def clock_arguments(emulator: EmulatorFacts) -> list[str]:
    """QEMU's options for a clock: exact (deterministic), paced (about real time) or free (fastest)."""
    if emulator.clock == "exact":
        return ["-icount", f"shift={emulator.icount_shift},sleep=off"]
    if emulator.clock == "paced":
        return ["-icount", f"shift={emulator.icount_shift},sleep=on"]
    return []
