# SPDX-License-Identifier: MIT
"""Decodes the crash record that the firmware keeps over a reset: where it was, and what the core says of why.

Owns the meaning of the record's fields and of the fault status bits. How the record reaches the rig is no
matter of this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rig.image.addresses import CodeMap, CodePlace

# ARMv7-M Architecture Reference Manual (DDI 0403E), B3.2.15 CFSR and B3.2.16 HFSR.
MMARVALID, BFARVALID = 1 << 7, 1 << 15
CFSR_BITS = {
    0: ("IACCVIOL", "instruction fetch from a forbidden address"),
    1: ("DACCVIOL", "data access to a forbidden address"),
    3: ("MUNSTKERR", "memory protection fault on return from an exception"),
    4: ("MSTKERR", "memory protection fault on entry to an exception (stack)"),
    5: ("MLSPERR", "memory protection fault on saving floating-point state"),
    8: ("IBUSERR", "bus error on an instruction fetch"),
    9: ("PRECISERR", "bus error on a data access"),
    10: ("IMPRECISERR", "bus error on an earlier data access"),
    11: ("UNSTKERR", "bus error on return from an exception"),
    12: ("STKERR", "bus error on entry to an exception (stack)"),
    13: ("LSPERR", "bus error on saving floating-point state"),
    16: ("UNDEFINSTR", "undefined instruction"),
    17: ("INVSTATE", "invalid state: a branch to an even address, or a damaged PSR"),
    18: ("INVPC", "invalid return from an exception"),
    19: ("NOCP", "coprocessor instruction without the coprocessor"),
    24: ("UNALIGNED", "unaligned access"),
    25: ("DIVBYZERO", "division by zero"),
}
HFSR_BITS = {
    1: ("VECTTBL", "bus error on reading the vector table"),
    30: ("FORCED", "escalated from a lesser fault"),
    31: ("DEBUGEVT", "debug event without a debugger"),
}
CAUSES = {
    "hardfault": "hard fault",
    "assert": "failed assertion",
    "stack": "stack overflow",
    "malloc": "out of heap",
    "vector": "exception without a handler",
}


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A decoded crash. ``None`` stands for what the record does not hold; ``text`` is one paragraph."""

    cause: str
    task: str | None
    boot: int | None
    pc: CodePlace | None
    caller: CodePlace | None
    faults: tuple[str, ...]
    fault_address: int | None
    text: str


def decode_crash(fields: Mapping[str, str], code: CodeMap | None) -> CrashReport:
    """Decodes the fields of the console's ``crash`` reply; numbers but ``boot`` are hexadecimal, 0x or not.

    ``code`` is the image that crashed; without it addresses stay numbers. Never raises: what a damaged record
    does not tell is left out, and a value that is no number is quoted in the text.
    """
    code = code or CodeMap([], [])
    numbers = {
        key: _hex(fields.get(key)) for key in ("pc", "lr", "psr", "sp", "cfsr", "hfsr", "mmfar", "bfar")
    }
    pc, lr, cfsr = numbers["pc"], numbers["lr"], numbers["cfsr"] or 0
    boot = fields.get("boot", "")
    report = CrashReport(
        cause=fields.get("cause", "unknown"),
        task=fields.get("task") or None,
        boot=int(boot) if boot.isdecimal() else None,
        pc=code.place(pc) if pc is not None else None,
        caller=code.call_place(lr) if lr is not None and _is_return_address(lr) else None,
        faults=(*_bits(cfsr, CFSR_BITS), *_bits(numbers["hfsr"] or 0, HFSR_BITS)),
        fault_address=_fault_address(cfsr, numbers["mmfar"], numbers["bfar"]),
        text="",
    )
    return _with_text(report, fields, numbers)


def is_exception_return(lr: int) -> bool:
    """True for an EXC_RETURN value (DDI 0403E, B1.5.8): a handler's link register, no address of code."""
    return lr >= 0xFFFF_FF00


def _is_return_address(lr: int) -> bool:
    return lr > 1 and not is_exception_return(lr)  # 0 or 1: nobody called, or the record does not know


def _with_text(
    report: CrashReport, fields: Mapping[str, str], numbers: Mapping[str, int | None]
) -> CrashReport:
    head = CAUSES.get(report.cause, report.cause).capitalize()
    head += f" in task '{report.task}'" if report.task else ""
    head += f", boot {report.boot}" if report.boot is not None else ""
    head += f", at {report.pc}" if report.pc else ""
    head += f", called from {report.caller}" if report.caller else ""
    sentences = [head, *report.faults]
    if report.fault_address is not None:
        sentences.append(f"address of the access 0x{report.fault_address:08X}")
    registers = [
        f"{key} 0x{numbers[key]:08X}" for key in ("pc", "lr", "sp", "psr") if numbers[key] is not None
    ]
    sentences.append(", ".join(registers))
    sentences += [
        f"{key}='{fields[key]}' is no number" for key in numbers if fields.get(key) and numbers[key] is None
    ]
    return replace(report, text=". ".join(sentence for sentence in sentences if sentence) + ".")


def _hex(value: str | None) -> int | None:
    return int(value, 16) if value and re.fullmatch("(0[xX])?[0-9a-fA-F]{1,8}", value) else None


def _bits(value: int, names: Mapping[int, tuple[str, str]]) -> list[str]:
    return [f"{word} ({name})" for bit, (name, word) in names.items() if value >> bit & 1]


def _fault_address(cfsr: int, mmfar: int | None, bfar: int | None) -> int | None:
    if cfsr & MMARVALID:
        return mmfar
    return bfar if cfsr & BFARVALID else None
