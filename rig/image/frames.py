# SPDX-License-Identifier: MIT
"""How deep a function drives the stack, whom it calls and how deep it is then: from its Thumb code.

Owns the reading of instructions (Armv7-M Architecture Reference Manual, A7): all ways through a function are
followed, with the depth that each instruction adds or takes. What cannot be told from the code is said:
calls through a register, and a stack pointer that is moved by a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from rig.image.machine_code import Instruction, MachineCode
from rig.image.symbols import ElfSymbol

_CONDITION = "eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
_MNEMONIC: Final = re.compile(
    r"(push|pop|stmdb|ldm|vpush|vpop|vstmdb|vldmia|str|strd|ldr|ldrd|subw?|addw?|mov|blxns|bxns|blx|bx|bl|b|"
    rf"tbb|tbh|cbz|cbnz|udf)({_CONDITION})?(\.w|\.n)?"
)
_NUMBER: Final = re.compile(r"#(-?(?:0x)?[0-9a-f]+)")
_FRAME_POINTERS: Final = ("r7", "fp", "r11")
MOST_VISITS: Final = 32
"""Depths at which one instruction is looked at; code that a compiler makes has one or two."""
_BYTES: Final = {"d": 8, "s": 4, "q": 16}


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or a jump out of the function, at ``at``, with ``depth`` bytes of its own in use."""

    at: int
    target: int
    depth: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A function's own use of the stack. ``indirect``: calls through a register, as (address, depth).

    ``dynamic`` is the address of an instruction that moves the stack pointer by a value, or further at every
    round of a loop; None without one.
    """

    depth: int
    calls: tuple[Call, ...]
    indirect: tuple[tuple[int, int], ...]
    dynamic: int | None


class _Walk:
    """Follows all ways through one function."""

    def __init__(self, code: MachineCode, function: ElfSymbol) -> None:
        self._code, self._function = code, function
        self._instructions = {item[0]: item for item in code.instructions(function)}
        self._depths: dict[int, int] = {}
        self._visits: dict[int, int] = {}
        self._waiting: list[tuple[int, int]] = [(function.address, 0)]
        self._calls: dict[tuple[int, int], int] = {}
        self._indirect: dict[int, int] = {}
        self._dynamic: int | None = None
        self._deepest = 0

    def frame(self) -> Frame:
        while self._waiting:
            self._follow(*self._waiting.pop())
        calls = (Call(at, target, depth) for (at, target), depth in sorted(self._calls.items()))
        return Frame(self._deepest, tuple(calls), tuple(sorted(self._indirect.items())), self._dynamic)

    def _follow(self, at: int, depth: int) -> None:
        """From one instruction to the next until the way ends, or was gone with as much depth before."""
        mnemonic = ""
        while at in self._instructions and self._depths.get(at, -1) < depth and not self._grows(at):
            self._depths[at] = depth
            _, size, mnemonic, operands = self._instructions[at]
            base, condition = _parted(mnemonic)
            if base:
                depth = self._step(at, size, base, operands, depth, conditional=bool(condition))
            if depth < 0:
                return
            at += size
        # Assembly may run on into the next function; behind a call that does not return, nothing does.
        runs_on = at == self._function.end and mnemonic and not mnemonic.startswith("bl")
        if runs_on and self._code.at(at) is not None:
            self._call(at, at, depth)

    def _grows(self, at: int) -> bool:
        """Whether the stack is deeper at every round of a loop: then no round is the last."""
        self._visits[at] = self._visits.get(at, 0) + 1
        if self._visits[at] <= MOST_VISITS:
            return False
        self._dynamic = at
        return True

    def _step(self, at: int, size: int, base: str, operands: str, depth: int, *, conditional: bool) -> int:
        """The depth behind an instruction, -1 where nothing goes on behind it."""
        if base[0] in "btcu":
            return self._branch(at, size, base, operands, depth, conditional=conditional)
        if base.startswith("ld") and operands.startswith("pc"):
            self._table_or_return(at, operands, depth)
            return depth if conditional else -1
        change = _change(base, operands)
        if change is None:
            self._dynamic = at
            return depth
        self._deepest = max(self._deepest, depth + change)
        if base in ("pop", "ldm") and "pc" in operands:
            return depth if conditional else -1
        # Of what is done under a condition, the deeper way holds.
        return max(depth, depth + change) if conditional else max(0, depth + change)

    def _branch(self, at: int, size: int, base: str, operands: str, depth: int, *, conditional: bool) -> int:
        number = _NUMBER.search(operands)
        target = int(number[1], 0) if number else None
        if base == "udf":
            return -1
        if base in ("tbb", "tbh"):
            self._waiting += [(to, depth) for to in self._table(at + size, 1 if base == "tbb" else 2)]
            return -1
        if base in ("cbz", "cbnz") or (base == "b" and target is not None and self._inside(target)):
            self._waiting.append((target or 0, depth))
            return depth if conditional or base != "b" else -1
        if target is not None:
            self._call(at, target, depth)
        elif operands != "lr":
            self._indirect[at] = max(depth, self._indirect.get(at, 0))
        returns = base in ("bl", "blx", "blxns")
        return depth if returns or conditional else -1

    def _call(self, at: int, target: int, depth: int) -> None:
        self._calls[at, target] = max(depth, self._calls.get((at, target), 0))

    def _inside(self, address: int) -> bool:
        return self._function.address <= address < self._function.end

    def _table(self, start: int, width: int) -> Iterator[int]:
        """Where a table branch may go: the table stands behind it, up to the next instruction."""
        at = start
        while at not in self._instructions and self._inside(at):
            entry = int.from_bytes(self._code.read(at, width), "little")
            if self._inside(to := start + 2 * entry):
                yield to
            at += width

    def _table_or_return(self, at: int, operands: str, depth: int) -> None:
        """``ldr pc``: a return, a jump by a table of addresses behind it, or a jump to anywhere."""
        if "[sp]" in operands:
            return
        place = at + self._instructions[at][1]
        place += -place % 4
        found = False
        while place not in self._instructions and self._inside(place):
            word = self._code.word(place) or 0
            if word & 1 and self._inside(word & ~1):
                self._waiting.append((word & ~1, depth))
                found = True
            place += 4
        if not found:
            self._indirect[at] = max(depth, self._indirect.get(at, 0))


def frame_of(code: MachineCode, function: ElfSymbol) -> Frame:
    """The frame of a function. Costs about 3 µs per instruction."""
    return _Walk(code, function).frame()


@cache
def _parted(mnemonic: str) -> tuple[str, str]:
    """What it does and under which condition, "" for none; both are "" where neither moves the stack."""
    match = _MNEMONIC.fullmatch(mnemonic)
    return (match[1], match[2] or "") if match else ("", "")


def _change(base: str, operands: str) -> int | None:
    """Bytes that an instruction adds to the stack (below 0: takes); None for as many as a register says."""
    if base in ("push", "vpush"):
        return _listed(operands)
    if base in ("pop", "vpop"):
        return -_listed(operands)
    if base in ("stmdb", "vstmdb"):
        return _listed(operands) if operands.startswith("sp!") else 0
    if base in ("ldm", "vldmia"):
        return -_listed(operands) if operands.startswith("sp!") else 0
    if base in ("str", "strd", "ldr", "ldrd"):
        return _written_back(operands)
    return _moved(base, operands)


def _written_back(operands: str) -> int:
    """``[sp, #-8]!`` and ``[sp], #8``: the stack pointer moves with the access."""
    if "[sp" not in operands or not (operands.endswith("!") or "], #" in operands):
        return 0
    number = _NUMBER.search(operands)
    return -int(number[1], 0) if number else 0


def _moved(base: str, operands: str) -> int | None:
    if not operands.startswith("sp,"):
        return 0
    number = _NUMBER.search(operands)
    if base.startswith(("sub", "add")) and number:
        return int(number[1], 0) * (1 if base.startswith("sub") else -1)
    # A frame pointer takes the stack back to where it was: never deeper.
    return 0 if base == "mov" and operands.endswith(_FRAME_POINTERS) else None


def _listed(operands: str) -> int:
    """Bytes of a list of registers, as ``{r4, r5, lr}`` or ``{d8, d9}``."""
    names = operands[operands.index("{") + 1 :].rstrip("}^ ").split(", ")
    return sum(_BYTES.get(name[0], 4) if name[1:].isdigit() else 4 for name in names)


def saved_by(instructions: list[Instruction]) -> Mapping[str, int]:
    """Bytes that a context switch stores through another register than the stack pointer: core, FPU."""
    found = {"core": 0, "fpu": 0}
    for _, _, mnemonic, operands in instructions:
        if mnemonic.startswith(("stmdb", "vstmdb")) and "!" in operands and not operands.startswith("sp"):
            found["fpu" if mnemonic.startswith("v") else "core"] += _listed(operands)
    return found
