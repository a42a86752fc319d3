# SPDX-License-Identifier: MIT
"""The registers of a halted core: those that QEMU's gdbstub exports, and those that it does not.

Owns one copy of the register file per halt, so that a debugger's many reads and writes cost one packet each
way. MSP, PSP, CONTROL and the masks are not exported by QEMU 7.2: the core itself reads and writes them, by
instructions that are run in borrowed RAM. All is put back after that, but for a few instructions of time.

While unprivileged code is halted, the core lets those instructions see nothing but CONTROL and the stack
pointer in use: the rest then reads as zero, and writing it is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from rig.emulator.gdb import GdbClient, GdbFault
from rig.emulator.qtest import QtestClient

LR: Final = 14
PC: Final = 15
_SP, _XPSR = 13, 16  # numbers in DCRSR; the gdbstub packs the first 17 registers in the same order
_GDB_XPSR = 25

# MRS Rd, <register> and MSR <register>, R0 as halfwords; the low byte is SYSm (ARMv7-M ARM, B5.2).
_MRS, _MSR_R0 = (0xF3EF, 0x8000), (0xF380, 0x8800)
_SYSM = {"msp": 8, "psp": 9, "primask": 16, "basepri": 17, "faultmask": 19, "control": 20}
_CFBP = ("primask", "basepri", "faultmask", "control")  # DCRSR selector 20, from bits 7:0 upwards
_THUMB, _IPSR = 1 << 24, 0x1FF
_NPRIV, _SPSEL = 1, 2
_NO_TRACE = 0x7  # a step without interrupts and without timers


class Registers:
    """Access to the registers of a core while it is halted. ``scratch``: RAM that may be borrowed then."""

    def __init__(self, gdb: GdbClient, qtest: QtestClient, *, scratch: int) -> None:
        self._gdb, self._qtest = gdb, qtest
        self._scratch = scratch
        self._file: bytearray | None = None
        self._dirty = False
        self._special: dict[str, int] = {}

    @property
    def loaded(self) -> bool:
        """Whether anybody looked at the registers since the core last ran."""
        return self._file is not None

    def read(self, selector: int) -> int:
        """Reads by DCRSR selector (ARMv7-M ARM, C1.6.3); those that this core does not have read as zero."""
        if selector <= _XPSR:
            return _unpack(self._loaded(), selector)
        special = self._specials()
        if selector in (17, 18):
            return special["msp" if selector == 17 else "psp"]
        if selector == 20:
            return sum((special[name] & 0xFF) << 8 * index for index, name in enumerate(_CFBP))
        return 0

    def write(self, selector: int, value: int) -> None:
        """Writes by DCRSR selector. The core gets it at once or with ``flush``."""
        if selector <= _XPSR:
            _pack(self._loaded(), selector, value & ~1 if selector == PC else value)
            self._dirty = True
            if selector in (_SP, _XPSR):  # which MSP or PSP mirror, or are chosen by
                self._special = {}
        elif selector in (17, 18):
            self._write_special("msp" if selector == 17 else "psp", value)
        elif selector == 20:
            for index, name in enumerate(_CFBP):
                self._write_special(name, value >> 8 * index & 0xFF)

    def flush(self) -> None:
        """Hands what was written to the core; before it runs."""
        if self._dirty and self._file is not None:
            self._gdb.write_registers(self._file)
        self._dirty = False

    def forget(self) -> None:
        """Drops the copy: the core is about to run, or was reset."""
        self._file = None
        self._dirty = False
        self._special = {}

    def _loaded(self) -> bytearray:
        if self._file is None:
            self._file = self._gdb.read_registers()
        return self._file

    def _specials(self) -> dict[str, int]:
        if not self._special:
            code = [(_MRS[0], _MRS[1] | rd << 8 | sysm) for rd, sysm in enumerate(_SYSM.values())]
            after = self._run(code)
            self._special = {name: _unpack(after, rd) for rd, name in enumerate(_SYSM)}
            self._special[self._sp_in_use()] = self.read(_SP)
        return self._special

    def _sp_in_use(self) -> str:
        thread = not self.read(_XPSR) & _IPSR
        return "psp" if thread and self._special["control"] & _SPSEL else "msp"

    def _write_special(self, name: str, value: int) -> None:
        special = self._specials()
        if name == self._sp_in_use():
            self.write(_SP, value & ~3)
        elif special[name] != value:
            if special["control"] & _NPRIV and not self.read(_XPSR) & _IPSR:
                raise GdbFault(f"{name} cannot be written while unprivileged code is halted")
            self._run([(_MSR_R0[0], _MSR_R0[1] | _SYSM[name])], r0=value)
            self.forget()

    def _run(self, code: Sequence[tuple[int, int]], *, r0: int = 0) -> bytearray:
        """Runs instructions in borrowed RAM, interrupts and timers held; returns the registers after them."""
        self.flush()
        before = self._gdb.read_registers()
        borrowed = self._qtest.read(self._scratch, 4 * len(code))
        self._qtest.write(self._scratch, b"".join(struct.pack("<HH", *halves) for halves in code))
        self._gdb.write_register(_GDB_XPSR, _THUMB)  # out of an IT block, which would skip them
        self._gdb.write_register(0, r0)
        self._gdb.write_register(PC, self._scratch)
        self._gdb.set_step_flags(_NO_TRACE)
        for _ in code:
            self._gdb.step()
        after = self._gdb.read_registers()
        self._qtest.write(self._scratch, borrowed)
        self._gdb.write_register(_GDB_XPSR, _unpack(before, _XPSR))
        _pack(before, _SP, _unpack(after, _SP))  # CONTROL chooses which one it is
        self._gdb.write_registers(before)
        return after


def _unpack(file: bytearray, number: int) -> int:
    return int(struct.unpack_from("<I", file, 4 * number)[0])


def _pack(file: bytearray, number: int, value: int) -> None:
    struct.pack_into("<I", file, 4 * number, value & 0xFFFFFFFF)
