# SPDX-License-Identifier: MIT
"""The debug side of an emulated ARMv7-M core: halting, registers, breakpoints, watchpoints and reset.

Owns the registers by which a debugger sees a core (ARMv7-M Architecture Reference Manual, C1.6 to C1.11:
DHCSR, DCRSR, DCRDR, DEMCR, DFSR, FPB, DWT) and maps them to QEMU's channels. Knows no debug probe.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rig.emulator.gdb import GdbClient
from rig.emulator.qmp import QmpClient
from rig.emulator.qtest import QtestClient

AIRCR = 0xE000ED0C
DFSR = 0xE000ED30
DHCSR = 0xE000EDF0
DCRSR = 0xE000EDF4
DCRDR = 0xE000EDF8
DEMCR = 0xE000EDFC
FPB = 0xE0002000
DWT = 0xE0001000
VTOR = 0xE000ED08

_FPB_COMPARATORS = 8
_DWT_COMPARATORS = 4
_BREAKPOINT, _GDB_WATCH = 1, {5: 3, 6: 2, 7: 4}  # DWT function → kind of gdb watchpoint
_POLL_S = 0.001  # a debugger that asks "halted?" in a loop waits this long for the answer to change

_DEBUGEN, _HALT, _STEP, _MASKINTS = 1, 2, 4, 8
_S_REGRDY, _S_HALT, _S_RESET_ST = 1 << 16, 1 << 17, 1 << 25
_DFSR_HALTED, _DFSR_BKPT, _DFSR_DWTTRAP, _DFSR_VCATCH = 1, 2, 4, 8
_VC_CORERESET, _VC_HARDERR = 1, 1 << 10

# MRS r0, <register> and MSR <register>, r0 as halfword pairs; the low byte is SYSm (ARMv7-M ARM, B5.2).
_MRS_R0, _MSR_R0 = (0xF3EF, 0x8000), (0xF380, 0x8800)
_SYSM = {"msp": 8, "psp": 9, "primask": 16, "basepri": 17, "faultmask": 19, "control": 20}
_CFBP = ("primask", "basepri", "faultmask", "control")  # DCRSR selector 20, from bits 7:0 upwards


@dataclass(frozen=True, slots=True)
class Channels:
    """The three ways into QEMU that a core is debugged through."""

    gdb: GdbClient
    qmp: QmpClient
    qtest: QtestClient


class CoreDebug:
    """One core's debug registers. ``scratch`` is RAM that may be borrowed while the core is halted."""

    def __init__(self, channels: Channels, *, scratch: int) -> None:
        self._gdb, self._qmp, self._qtest = channels.gdb, channels.qmp, channels.qtest
        self._scratch = scratch
        self._control = 0
        self._demcr = 0
        self._dfsr = 0
        self._dcrdr = 0
        self._reset_seen = False
        self._halted = False
        self._registers: bytearray | None = None
        self._dirty = False
        self._special: dict[str, int] = {}
        self._fpb_enabled = False
        self._fpb = [0] * _FPB_COMPARATORS
        self._dwt = [[0, 0, 0] for _ in range(_DWT_COMPARATORS)]
        self._inserted: set[tuple[int, int, int]] = set()
        self._bkpt_places: set[int] = set()
        self._vector_catches: set[int] = set()

    def attach(self, *, was_running: bool) -> None:
        """Takes over a core whose gdbstub was just opened, which stopped it; lets it run on if it did."""
        self._halted = not was_running
        if was_running:
            self._gdb.resume()

    def detach(self) -> None:
        """Takes all breakpoints out of a core that is about to be left alone."""
        running = not self._halted
        if running and self._inserted:
            self._gdb.interrupt()
        self._flush_registers()
        for point in self._inserted:
            self._gdb.remove(*point)
        if running and self._inserted:
            self._gdb.resume()
        self._inserted = set()

    def owns(self, address: int) -> bool:
        """Whether a 32-bit access to this address is answered here and not by the machine."""
        return (
            address in (DFSR, DHCSR, DCRSR, DCRDR, DEMCR)
            or FPB <= address < FPB + 8 + 4 * _FPB_COMPARATORS
            or DWT <= address < DWT + 0x20 + 16 * _DWT_COMPARATORS
        )

    def read(self, address: int) -> int:
        """Reads one of the registers that are answered here."""
        if address == DHCSR:
            return self._read_dhcsr()
        if address >= FPB and address < FPB + 0x1000:
            return self._read_fpb(address - FPB)
        if address >= DWT and address < DWT + 0x1000:
            return self._read_dwt(address - DWT)
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
        elif address == DFSR:
            self._dfsr &= ~value
        elif address == AIRCR and value >> 16 == 0x05FA and value & 0b101:
            self.reset()
        elif FPB <= address < FPB + 0x1000:
            self._write_fpb(address - FPB, value)
        elif DWT <= address < DWT + 0x1000:
            self._write_dwt(address - DWT, value)
        else:
            return False
        return True

    def reset(self) -> None:
        """Resets the machine; the core stays at its first instruction when vector catch on reset is set."""
        if not self._halted:
            self._gdb.interrupt()
        self._forget_registers()
        self._qmp.reset()
        self._reset_seen = True
        if self._control & _DEBUGEN and self._demcr & _VC_CORERESET:
            self._halted = True
            self._dfsr |= _DFSR_VCATCH
        else:
            self._halted = True
            self._resume()

    # --- run control

    def _read_dhcsr(self) -> int:
        self._notice_stop()
        value = self._control | _S_REGRDY | (_S_HALT if self._halted else 0)
        if self._reset_seen:
            value |= _S_RESET_ST
            self._reset_seen = False
        return value

    def _write_dhcsr(self, value: int) -> None:
        if value >> 16 != 0xA05F:
            return
        self._notice_stop(0)
        self._control = value & 0x0F
        if not value & _DEBUGEN:
            self._control = 0
            if self._halted:
                self._resume()
        elif value & _HALT:
            if not self._halted:
                self._gdb.interrupt()
                self._note_halt(_DFSR_HALTED)
        elif self._halted and value & _STEP:
            self._step()
        elif self._halted:
            self._resume()

    def _notice_stop(self, timeout_s: float = _POLL_S) -> None:
        stop = None if self._halted else self._gdb.poll_stop(timeout_s)
        if stop is not None:
            self._note_halt(self._cause(stop))

    def _cause(self, stop: str) -> int:
        if "watch:" in stop:
            return _DFSR_DWTTRAP
        if not stop.startswith("T05"):
            return _DFSR_HALTED
        return _DFSR_VCATCH if self._gdb.read_register(15) in self._vector_catches else _DFSR_BKPT

    def _note_halt(self, cause: int) -> None:
        self._halted = True
        self._dfsr |= cause
        if self._control & _DEBUGEN:
            self._control |= _HALT

    def _step(self) -> None:
        self._flush_registers()
        self._gdb.set_step_flags(0x3 if self._control & _MASKINTS else 0x1)
        self._gdb.step()
        self._forget_registers()
        self._note_halt(_DFSR_HALTED)

    def _resume(self) -> None:
        self._note_bkpt_ahead()
        self._flush_registers()
        self._place_breakpoints()
        self._forget_registers()
        self._control &= ~_HALT
        self._halted = False
        self._gdb.resume()

    def _note_bkpt_ahead(self) -> None:
        """A BKPT instruction does not halt QEMU's core: stand in for it where this call will return to."""
        self._bkpt_places.clear()
        if self._registers is not None:
            for place in (self._get(14) & ~1, self._get(15)):
                if place < 0xE0000000 and self._qtest.read(place, 2)[1] == 0xBE:
                    self._bkpt_places.add(place)

    def _place_breakpoints(self) -> None:
        wanted = {(_BREAKPOINT, place, 2) for place in self._bkpt_places}
        if self._fpb_enabled:
            wanted |= {(_BREAKPOINT, comparator & ~1, 2) for comparator in self._fpb if comparator & 1}
        for address, mask, function in self._dwt:
            if function in _GDB_WATCH:
                wanted.add((_GDB_WATCH[function], address, 1 << mask))
        self._vector_catches.clear()
        if self._control & _DEBUGEN and self._demcr & _VC_HARDERR:
            table = self._qtest.read_word(VTOR)
            handler = self._qtest.read_word(table + 12) & ~1
            self._vector_catches.add(handler)
            wanted.add((_BREAKPOINT, handler, 2))
        for point in self._inserted - wanted:
            self._gdb.remove(*point)
        for point in wanted - self._inserted:
            self._gdb.insert(*point)
        self._inserted = wanted

    # --- registers

    def _transfer_register(self, selector: int, *, write: bool) -> None:
        if selector <= 16:
            if write:
                self._set(selector, self._dcrdr)
            else:
                self._dcrdr = self._get(selector)
        elif selector in (17, 18):
            name = "msp" if selector == 17 else "psp"
            if write:
                self._write_special(name, self._dcrdr)
            else:
                self._dcrdr = self._read_special()[name]
        elif selector == 20:
            if write:
                for index, name in enumerate(_CFBP):
                    self._write_special(name, self._dcrdr >> 8 * index & 0xFF)
            else:
                values = self._read_special()
                self._dcrdr = sum((values[name] & 0xFF) << 8 * index for index, name in enumerate(_CFBP))
        elif not write:
            self._dcrdr = 0

    def _loaded(self) -> bytearray:
        if self._registers is None:
            self._registers = self._gdb.read_registers()
        return self._registers

    def _get(self, number: int) -> int:
        return int(struct.unpack_from("<I", self._loaded(), 4 * number)[0])

    def _set(self, number: int, value: int) -> None:
        struct.pack_into("<I", self._loaded(), 4 * number, value & 0xFFFFFFFF)
        self._dirty = True

    def _flush_registers(self) -> None:
        if self._dirty and self._registers is not None:
            self._gdb.write_registers(self._registers)
        self._dirty = False

    def _forget_registers(self) -> None:
        self._registers = None
        self._dirty = False
        self._special = {}

    def _read_special(self) -> dict[str, int]:
        """MSP, PSP and the masks, which QEMU 7.2 does not export: runs one MRS for each in scratch RAM."""
        if not self._special:
            self._special = {name: self._run_special(_MRS_R0, sysm, 0) for name, sysm in _SYSM.items()}
        return self._special

    def _write_special(self, name: str, value: int) -> None:
        self._run_special(_MSR_R0, _SYSM[name], value)
        self._special = {}
        self._registers = None  # SP may be the one that changed

    def _run_special(self, halfwords: tuple[int, int], sysm: int, r0: int) -> int:
        """Runs one instruction in scratch RAM, interrupts and timers held; returns r0. Restores the rest."""
        self._flush_registers()
        before = self._gdb.read_registers()
        borrowed = self._qtest.read(self._scratch, 8)
        self._qtest.write(
            self._scratch, struct.pack("<HHHH", halfwords[0], halfwords[1] | sysm, 0xBF00, 0xBF00)
        )
        during = bytearray(before)
        struct.pack_into("<I", during, 0, r0)
        struct.pack_into("<I", during, 60, self._scratch)
        self._gdb.write_registers(during)
        self._gdb.set_step_flags(0x7)
        self._gdb.step()
        after = self._gdb.read_registers()
        self._qtest.write(self._scratch, borrowed)
        if halfwords is _MSR_R0:
            struct.pack_into("<I", before, 52, struct.unpack_from("<I", after, 52)[0])
        self._gdb.write_registers(before)
        return int(struct.unpack_from("<I", after, 0)[0])

    # --- breakpoint and watchpoint units

    def _read_fpb(self, offset: int) -> int:
        if offset == 0:  # revision 2 of the unit: comparators hold any address
            return 1 << 28 | _FPB_COMPARATORS << 4 | int(self._fpb_enabled)
        index = (offset - 8) // 4
        return self._fpb[index] if 0 <= index < _FPB_COMPARATORS else 0

    def _write_fpb(self, offset: int, value: int) -> None:
        index = (offset - 8) // 4
        if offset == 0 and value & 2:
            self._fpb_enabled = bool(value & 1)
        elif 0 <= index < _FPB_COMPARATORS:
            self._fpb[index] = value

    def _read_dwt(self, offset: int) -> int:
        index, field = divmod(offset - 0x20, 16)
        if 0 <= index < _DWT_COMPARATORS and field < 12:
            return self._dwt[index][field // 4]
        return _DWT_COMPARATORS << 28 | 1 << 25 if offset == 0 else 0  # NOCYCCNT: QEMU has no cycle counter

    def _write_dwt(self, offset: int, value: int) -> None:
        index, field = divmod(offset - 0x20, 16)
        if 0 <= index < _DWT_COMPARATORS and field < 12:
            self._dwt[index][field // 4] = value
