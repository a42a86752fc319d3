# SPDX-License-Identifier: MIT
"""An emulated board: a QEMU process with file-backed flash, whose power switch starts and kills it.

Owns the process, the flash file, and the folder by which the debug probe finds it. What its UARTs, network
and clock are connected to is ``wiring.py``'s. Everything above the links takes it for any board.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rig import child
from rig.bench.inventory import Board, EmulatorFacts, MemoryRange
from rig.deadline import Deadline, poll
from rig.emulator import instance as instances
from rig.emulator.arrangement import AS_LISTED, Arrangement
from rig.emulator.cable import CARD, Cables
from rig.emulator.controlled_flash import ControlledFlash
from rig.emulator.options import escaped
from rig.emulator.qmp import QmpClient
from rig.emulator.wiring import Wiring
from rig.errors import ToolFault, UsageFault

_START_S = 20.0  # a loaded host starts QEMU in under two seconds; the rest is patience
_DYING_S = 0.5
_ERASED = 0xFF


@dataclass(frozen=True, slots=True)
class Parts:
    """What an emulated board is soldered together from: its boot ROM and the algorithm for its flash.

    ``bootloader`` is the boot ROM of the arrangement with OTA; it need not have been built for others.
    """

    boot_rom: Path | None
    flash_algorithm: Path | None
    bootloader: Path | None = None

    def rom(self, arrangement: Arrangement) -> Path | None:
        """The boot ROM in that arrangement. Raises UsageFault for a bootloader that is not there."""
        if not arrangement.ota:
            return self.boot_rom
        if self.bootloader is None or not self.bootloader.exists():
            raise UsageFault(
                f"the bootloader {self.bootloader or 'of this board'} is not built",
                hint="Build it: rig image ladder",
            )
        return self.bootloader

    @classmethod
    def of_build(cls, folder: Path, emulator: EmulatorFacts) -> Parts:
        """The parts as the firmware build leaves them in its folder; raises UsageFault when not built."""
        if emulator.storage != "backend":  # the core starts in that flash, and pyOCD knows how to write it
            return cls(None, None)
        algorithm = folder / f"{emulator.machine.replace('-', '_')}.flm"
        parts = cls(folder / "boot.elf", algorithm, folder.with_name(f"{folder.name}-ota") / "boot_ota.elf")
        for path in (parts.boot_rom, parts.flash_algorithm):
            if path is not None and not path.exists():
                raise UsageFault(
                    f"{path} is missing: boot ROM and flash algorithm are built with the firmware",
                    hint=f"Build it: python -m rig.image.build {folder.name}",
                )
        return parts


class EmulatedBoard:
    """A board that is a QEMU process. A context manager: leaving it switches the board off.

    ``state_dir`` keeps what survives power: the flash file. ``board.emulator`` must be set. ``extra`` are
    more options for QEMU, such as those of an instrument.
    """

    def __init__(
        self,
        board: Board,
        parts: Parts,
        *,
        state_dir: Path,
        extra: Sequence[str] = (),
        arrangement: Arrangement = AS_LISTED,
    ) -> None:
        assert board.emulator is not None
        self.board = board.name
        self._wiring = Wiring(board, arrangement, state_dir / "records")
        self._parts = parts
        self._extra = tuple(extra)
        self._flash_file = state_dir / "flash.bin"
        self._log = state_dir / "qemu.log"
        self._stack = contextlib.ExitStack()
        self._power = contextlib.ExitStack()
        self._instance: instances.Instance | None = None
        self._process: child.Child | None = None

    def __enter__(self) -> EmulatedBoard:
        with contextlib.ExitStack() as stack:
            self._make_flash_file()
            self._instance = stack.enter_context(
                instances.create(
                    self.board,
                    self._wiring.facts.probe.target,
                    self._wiring.facts.ram[0].start,
                    self._parts.flash_algorithm,
                    self._rom_flash(),
                    self._emulator.machine,
                )
            )
            stack.enter_context(self._wiring)
            stack.callback(self.off)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def console_url(self) -> str:
        """Where the UART is; the same over power cycles, and connectable while the board is off."""
        return self._wiring.uarts[0].url

    @property
    def wifi_url(self) -> str:
        """Where a Wi-Fi module reaches the second UART, by the same rules."""
        return self._wiring.uarts[1].url

    @property
    def cables(self) -> Cables:
        """The cables of its network; raises UsageFault for a board without a network card."""
        return self._wiring.cables

    @property
    def facts(self) -> Board:
        """The board's facts as arranged: those of the inventory, with the clock that is in force."""
        return self._wiring.facts

    @property
    def arrangement(self) -> Arrangement:
        """How it is put together, at the latest from the next power-on."""
        return self._wiring.arrangement

    @property
    def records(self) -> list[Path]:
        """The records of the power-ons that were recorded, in their order."""
        return self._wiring.records

    def arrange(self, arrangement: Arrangement) -> None:
        """How it is put together from the next power-on. Raises UsageFault for what it cannot be."""
        self._wiring.arrange(arrangement)

    def exchange_bootloader(self, bootloader: Path) -> None:
        """Another boot ROM for the arrangement with OTA, from the next power-on."""
        self._parts = replace(self._parts, bootloader=bootloader)

    @property
    def probe_id(self) -> str:
        """The unique id of the debug probe that is attached to this board."""
        assert self._instance is not None
        return self._instance.unique_id

    @property
    def is_on(self) -> bool:
        """Whether the QEMU process is alive."""
        return self._process is not None and self._process.alive

    @property
    def qtest(self) -> Path:
        """The socket of QEMU's qtest, by which memory is read and written while no probe is attached."""
        assert self._instance is not None
        return self._instance.qtest

    @property
    def pid(self) -> int | None:
        """The process id of QEMU, or None while the board is off."""
        return self._process.pid if self._process is not None else None

    @property
    def held_up_s(self) -> float:
        """For how long it was ready to run and this host had no processor for it, since power-on."""
        return self._process.held_up_s if self._process is not None else 0.0

    def on(self, before_start: Callable[[Path], None] | None = None) -> None:
        """Starts QEMU and lets the core run from its reset vector. Blocks until then, a tenth of a second.

        ``before_start`` is called with the socket of qtest while the core stands there.
        """
        if self.is_on:
            return
        self.off()
        assert self._instance is not None
        with contextlib.ExitStack() as stack:
            self._remove_sockets()
            self._wiring.before_power(stack, self._flash_file, self._boot_rom)
            begin = self._log.stat().st_size if self._log.exists() else 0
            self._process = stack.enter_context(
                child.spawn(self._argv(), log=self._log, pass_fds=self._wiring.fds)
            )
            self._process.give_way()  # an idle guest races through virtual time and takes all it gets
            self._wait_for_sockets(begin)
            with QmpClient(self._instance.qmp, board=self.board) as qmp:
                self._wiring.wait_taken(qmp)
                if (flash := self._controlled()) is not None:
                    flash.fill(self._instance, qmp)
                if before_start is not None:
                    before_start(self._instance.qtest)
                if self._can_start():
                    qmp.execute("cont")
            self._power = stack.pop_all()

    def off(self) -> None:
        """Kills QEMU at once, as if the plug were pulled; what is in the flash file stays."""
        if self._process is not None:
            if (flash := self._controlled()) is not None and self._instance is not None and self.is_on:
                flash.save(self._instance)
            self._wiring.before_off(self._process)
            self._process.kill()
            self._remove_sockets()  # by which a debugger sees that the board is off
        self._power.close()
        self._process = None

    def set_link(self, *, up: bool) -> None:
        """Plugs the network cable in or out (QMP set_link); its card tells the firmware. Raises LinkLost."""
        assert self._instance is not None
        with QmpClient(self._instance.qmp, board=self.board) as qmp:
            qmp.execute("set_link", name=CARD, up=up)
        self._wiring.link_was_set()

    def cause_of_loss(self) -> str | None:
        """Why the board is off although it was switched on, or None: 'QEMU was ended by signal 9'.

        Blocks for half a second while QEMU is alive: its sockets close before it has ended.
        """
        if self._process is None or not self._process.wait(Deadline.after(_DYING_S)):
            return None
        return f"QEMU (process {self._process.pid}) {self._process.exit_reason()}; its log is {self._log}"

    # --- parts

    def _argv(self) -> list[str]:
        assert self._instance is not None
        folder = self._instance.folder
        return [
            "qemu-system-arm",
            "-nodefaults",
            "-display", "none",
            "-S",
            *self._memory_arguments(),
            *self._wiring.arguments(),
            "-chardev", f"socket,id=gdb0,path={escaped(self._instance.gdb)},server=on,wait=off",
            "-gdb", "chardev:gdb0",
            "-qmp", f"unix:{escaped(self._instance.qmp)},server=on,wait=off",
            "-qmp", f"unix:{escaped(self._instance.qmp_probe)},server=on,wait=off",
            "-qtest", f"unix:{escaped(self._instance.qtest)},server=on,wait=off",
            "-qtest-log", "none",
            "-pidfile", str(folder / "pid"),
            *self._extra,
        ]  # fmt: skip

    def _memory_arguments(self) -> list[str]:
        emulator, file = self._emulator, escaped(self._flash_file)
        if emulator.storage == "controller":
            return ["-machine", emulator.machine]
        if self._boot_rom is None:  # true ROM: filled once at power-on, not again at a reset
            start = self._flash.start
            loader = f"loader,file={file},addr={start:#x},force-raw=on"
            return ["-machine", emulator.machine, "-device", loader]
        backend = f"memory-backend-file,id=flash0,size={emulator.flash_size},mem-path={file},share=on"
        machine = f"{emulator.machine},memory-backend=flash0"
        loader = f"loader,file={escaped(self._boot_rom)}"
        return ["-machine", machine, "-object", backend, "-device", loader]

    @property
    def _boot_rom(self) -> Path | None:
        return self._parts.rom(self.arrangement)

    @property
    def _flash(self) -> MemoryRange:
        return next(item for item in self._wiring.facts.flash if item.name == self._emulator.flash)

    def _rom_flash(self) -> instances.RomFlash | None:
        if self._emulator.storage != "loader":
            return None
        return instances.RomFlash(self._flash.start, self._emulator.flash_size, self._flash_file)

    def _can_start(self) -> bool:
        """A chip whose own flash is blank locks up at once, which QEMU answers by aborting: hold its core."""
        if self._emulator.storage == "backend":
            return True
        with self._flash_file.open("rb") as file:
            _, reset = struct.unpack("<II", file.read(8))
        return bool(reset & 1) and self._flash.start <= reset < self._flash.end

    @property
    def _emulator(self) -> EmulatorFacts:
        return self._wiring.emulator

    def _make_flash_file(self) -> None:
        """A new chip: erased, with a serial number of its own in the factory page."""
        if self._flash_file.exists() and self._flash_file.stat().st_size == self._emulator.flash_size:
            return
        self._flash_file.parent.mkdir(parents=True, exist_ok=True)
        content = bytearray([_ERASED]) * self._emulator.flash_size
        place = self._wiring.facts.identity.serial
        if place is not None and 0 <= place.address - self._flash.start < self._emulator.flash_size:
            serial = f"EMU-{secrets.token_hex(4).upper()}".encode("ascii")[: place.length]
            offset = place.address - self._flash.start
            content[offset : offset + place.length] = serial.ljust(place.length, b"\0")
        new = self._flash_file.with_suffix(f".{os.getpid()}.new")
        new.write_bytes(content)
        new.replace(self._flash_file)

    def _controlled(self) -> ControlledFlash | None:
        if self._emulator.storage != "controller":
            return None
        return ControlledFlash(self._flash.start, self._emulator.flash_size, self._flash_file)

    def _remove_sockets(self) -> None:
        assert self._instance is not None
        for name in ("gdb", "qmp", "qmp-probe", "qtest"):
            (self._instance.folder / name).unlink(missing_ok=True)

    def _wait_for_sockets(self, begin: int) -> None:
        """Blocks until QEMU serves its last socket; ``begin`` is where its words begin in the log."""
        assert self._instance is not None
        assert self._process is not None
        process, last = self._process, self._instance.qtest
        poll(lambda: last.exists() or not process.alive, Deadline.after(_START_S), interval_s=0.001)
        if not last.exists() or not process.alive:
            said = self._log.read_bytes()[begin:] if self._log.exists() else b""
            tail = said.decode(errors="replace").strip()[-500:]
            raise ToolFault(
                f"QEMU did not start: it {process.exit_reason()}; it said: {tail or 'nothing'}",
                board=self.board,
                evidence=str(self._log),
            )
