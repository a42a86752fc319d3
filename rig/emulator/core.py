# SPDX-License-Identifier: MIT
"""The debug side of an emulated ARMv7-M or ARMv6-M core: halting, stepping, vector catch and reset.

Owns the registers by which a debugger controls a core (ARMv7-M Architecture Reference Manual, C1.6: DHCSR,
DCRSR, DCRDR, DEMCR, DFSR, and resets by AIRCR) and maps them to QEMU's channels. What a register or a
comparator holds is in ``registers.py`` and ``comparators.py``. Knows no debug probe.

Other than in silicon: C_MASKINTS holds for steps but not for running, and there is no cycle counter.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.emulator.comparators import BREAKPOINT, ComparatorUnits, Point
from rig.emulator.debug_parts import Comparators
from rig.emulator.gdb import GdbClient
from rig.emulator.qmp import QmpClient
from rig.emulator.qtest import QtestClient
from rig.emulator.registers import LR, PC, Registers

AIRCR = 0xE000ED0C
DFSR = 0xE000ED30
DHCSR = 0xE000EDF0
DCRSR = 0xE000EDF4
DCRDR = 0xE000EDF8
DEMCR = 0xE000EDFC
VTOR = 0xE000ED08

_POLL_S = 0.001  # a debugger that asks "halted?" in a loop waits this long for the answer to change

_DEBUGEN, _HALT, _STEP, _MASKINTS = 1, 2, 4, 8
_S_REGRDY, _S_HALT, _S_LOCKUP, _S_RESET_ST = 1 << 16, 1 << 17, 1 << 19, 1 << 25
_DFSR_HALTED, _DFSR_BKPT, _DFSR_DWTTRAP, _DFSR_VCATCH = 1, 2, 4, 8
_VC_CORERESET, _VC_HARDERR = 1, 1 << 10
_STEP_ENABLED, _STEP_MASKED = 0x1, 0x3
_SYSTEM_SPACE = 0xE0000000  # nothing can be executed from here on
_INTERRUPTED = "T02"
_WFI = bytes((0x30, 0xBF))
_BKPT = 0xBE  # high byte of the instruction


@dataclass(frozen=True, slots=True)
class Channels:
    """The three ways into QEMU that a core is debugged through."""

    gdb: GdbClient
    qmp: QmpClient
    qtest: QtestClient


class CoreDebug:
    """One core's debug registers. ``scratch`` is RAM that may be borrowed while the core is halted."""

    def __init__(self, channels: Channels, *, scratch: int, comparators: Comparators) -> None:
        self._gdb, self._qmp, self._qtest = channels.gdb, channels.qmp, channels.qtest
        self._registers = Registers(channels.gdb, channels.qtest, scratch=scratch)
        self._comparators = ComparatorUnits(comparators)
        self._control = 0
        self._demcr = 0
        self._dfsr = 0
        self._dcrdr = 0
        self._halted = False
        self._locked_up = False
        self._inserted: set[Point] = set()
        self._stand_ins: set[int] = set()
        self._written_bkpts: set[int] = set()
        self._vector_catches: set[Point] = set()

    def attach(self, *, was_running: bool) -> None:
        """Takes over a core whose gdbstub was just opened, which stopped it; lets it run on if it did."""
        self._halted = not was_running
        if was_running:
            self._gdb.resume()

    def detach(self) -> None:
        """Takes all breakpoints out of a core that is about to be left alone."""
        running = not self._halted
        if running and self._inserted:
            self._stop()
        self._registers.flush()
        for point in self._inserted:
            self._gdb.remove(*point)
        if running and self._inserted:
            self._run()
        self._inserted = set()

    def owns(self, address: int) -> bool:
        """Whether a 32-bit access to this address is answered here and not by the machine."""
        return address in (DFSR, DHCSR, DCRSR, DCRDR, DEMCR) or self._comparators.owns(address)

    def read(self, address: int) -> int:
        """Reads one of the registers that are answered here."""
        if address == DHCSR:
            return self._read_dhcsr()
        if self._comparators.owns(address):
            return self._comparators.read(address)
        return {DFSR: self._dfsr, DCRDR: self._dcrdr, DEMCR: self._demcr}.get(address, 0)

    def write(self, address: int, value: int) -> bool:
        """Writes a register; returns False when it belongs to the machine after all."""
        if address == DHCSR:
            self._write_dhcsr(value)
        elif address == DCRSR:
            self._transfer_register(value & 0x7F, write=bool(value & 1 << 16))
        elif address == DCRDR:
            self._dcrdr = value
        elif address == DEMCR:
            self._demcr = value
            self._points_changed()
        elif address == DFSR:
            self._dfsr &= ~value
        elif address == AIRCR and value >> 16 == 0x05FA and value & 0b101:
            self.reset()
        elif self._comparators.owns(address):
            self._comparators.write(address, value)
            self._points_changed()
        else:
            return False
        return True

    def memory_written(self, address: int, data: bytes) -> None:
        """Is told of each write by the debugger, to find the software breakpoints that it places."""
        if len(data) == 2 and data[1] == _BKPT and address % 2 == 0:
            self._written_bkpts.add(address)
            self._points_changed()

    def reset(self) -> None:
        """Resets the machine; the core stays at its first instruction when vector catch on reset is set."""
        if not self._halted:
            self._stop()
        self._registers.forget()
        self._qmp.reset()
        self._halted = True
        if self._control & _DEBUGEN and self._demcr & _VC_CORERESET:
            self._note_halt(_DFSR_VCATCH)
        else:
            self._resume()

    def write_rom(self, address: int, data: bytes) -> None:
        """Writes memory that the core itself cannot; a running core stands still meanwhile."""
        self._notice_stop(0)
        running = not self._halted
        if running:
            self._stop()
        self._gdb.write_memory(address, data)
        if running:
            self._run()

    # --- run control

    def _read_dhcsr(self) -> int:
        self._notice_stop()
        value = self._control | _S_REGRDY | (_S_HALT if self._halted else 0)
        value |= _S_LOCKUP if self._locked_up and not self._halted else 0
        return value | (_S_RESET_ST if self._qmp.take_reset() else 0)

    def _write_dhcsr(self, value: int) -> None:
        if value >> 16 != 0xA05F:
            return
        self._notice_stop(0)
        self._control = value & (_DEBUGEN | _HALT | _STEP | _MASKINTS)
        if not value & _DEBUGEN:
            self._control = 0
            if self._halted:
                self._resume()
        elif value & _HALT:
            if not self._halted:
                self._note_halt(self._cause(self._stop()))
        elif self._halted and value & _STEP:
            self._step()
        elif self._halted:
            self._resume()

    def _notice_stop(self, timeout_s: float = _POLL_S) -> None:
        stop = None if self._halted else self._gdb.poll_stop(timeout_s)
        if stop is not None:
            self._note_halt(self._cause(stop))
        else:
            self._points_changed()  # the firmware may have moved its vector table

    def _cause(self, stop: str) -> int:
        """The cause in DFSR for a stop packet; QEMU says ``T05thread:01;watch:20000100;``."""
        _, watched, rest = stop.partition("watch:")
        if watched:
            self._comparators.matched(int(rest.split(";")[0], 16))
            return _DFSR_DWTTRAP
        if not stop.startswith("T05"):
            return _DFSR_HALTED
        here = (BREAKPOINT, self._registers.read(PC), 2)
        if here in self._vector_catches:
            return _DFSR_VCATCH
        return _DFSR_BKPT

    def _note_halt(self, cause: int) -> None:
        self._halted = True
        self._dfsr |= cause
        if self._control & _DEBUGEN:
            self._control |= _HALT

    def _step(self) -> None:
        place = self._registers.read(PC)
        ahead = self._qtest.read(place, 2) if place < _SYSTEM_SPACE else b"\0\0"
        cause = _DFSR_HALTED
        if ahead[1] == _BKPT:
            cause = _DFSR_BKPT
        elif place >= _SYSTEM_SPACE:
            self._locked_up = True
        elif ahead == _WFI:
            self._registers.write(PC, place + 2)  # QEMU's step would sleep; in silicon the debugger wakes it
        else:
            self._registers.flush()
            self._gdb.set_step_flags(_STEP_MASKED if self._control & _MASKINTS else _STEP_ENABLED)
            self._gdb.step()
            self._registers.forget()
        self._note_halt(cause)

    def _resume(self) -> None:
        self._stand_ins = self._return_address()
        self._registers.flush()
        self._place_points()
        self._locked_up = self._registers.read(PC) >= _SYSTEM_SPACE
        self._registers.forget()
        self._control &= ~_HALT
        self._halted = False
        self._run()

    def _run(self) -> None:
        """Lets the core go. Locking up, as in blank flash, would make QEMU abort: it stands then."""
        if not self._locked_up:
            self._gdb.resume()

    def _stop(self) -> str:
        return _INTERRUPTED if self._locked_up else self._gdb.interrupt()

    # --- where to stop

    def _points_changed(self) -> None:
        """Comparators and vector catch hold at once, also for a core that is running."""
        if self._halted or self._wanted() == self._inserted:
            return  # a halted core gets them when it runs
        stop = self._stop()
        cause = self._cause(stop)
        if cause != _DFSR_HALTED:
            self._note_halt(cause)
            return
        self._registers.forget()
        self._place_points()
        self._run()

    def _return_address(self) -> set[int]:
        """Where a call that a debugger has prepared, as of a flash algorithm, may end in a BKPT."""
        if not self._registers.loaded:
            return set()
        return {self._registers.read(LR) & ~1, self._registers.read(PC)}

    def _bkpt_points(self) -> set[Point]:
        """A BKPT instruction does not halt QEMU's core: breakpoints stand in for those that are known of."""
        places = {place for place in self._stand_ins | self._written_bkpts if place < _SYSTEM_SPACE}
        found = {place for place in places if self._qtest.read(place, 2)[1] == _BKPT}
        self._written_bkpts &= found
        return {(BREAKPOINT, place, 2) for place in found}

    def _wanted(self) -> set[Point]:
        self._vector_catches = set()
        if self._control & _DEBUGEN and self._demcr & _VC_HARDERR:
            handler = self._qtest.read_word(self._qtest.read_word(VTOR) + 12)
            self._vector_catches.add((BREAKPOINT, handler & ~1, 2))
        if self._control & _DEBUGEN and self._demcr & _VC_CORERESET:  # for resets by the firmware
            self._vector_catches.add((BREAKPOINT, self._qtest.read_word(4) & ~1, 2))
        return self._comparators.points() | self._vector_catches | self._bkpt_points()

    def _place_points(self) -> None:
        wanted = self._wanted()
        for point in self._inserted - wanted:
            self._gdb.remove(*point)
        for point in wanted - self._inserted:
            self._gdb.insert(*point)
        self._inserted = wanted

    # --- registers

    def _transfer_register(self, selector: int, *, write: bool) -> None:
        if write:
            self._registers.write(selector, self._dcrdr)
        else:
            self._dcrdr = self._registers.read(selector)
