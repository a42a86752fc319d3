# SPDX-License-Identifier: MIT
"""The model of NOR flash in an emulated board, by the probe: its operations stopped, torn, failed and read.

Owns ``g_nor_control`` on the rig's side (``firmware/boards/mps2/nor_model.h``): its form, version and words.
What the model does with it is the firmware's. An image for silicon has no model, which is told by its ELF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Final, Literal, Protocol

from rig.deadline import Deadline, poll
from rig.errors import ImageFault, RigFault
from rig.image.elf import open_elf
from rig.image.symbols import sized_symbols

SYMBOL, STOP_SYMBOL = "g_nor_control", "nor_stop"
MAGIC: Final = 0x31524F4E
VERSION: Final = 1
Kind = Literal["erase", "program"]
PHASES: Final = ("other", "download", "verify", "mark", "confirm", "boot", "recovery")
"""The words of ``flash_phase_t``."""

_HEAD: Final = struct.Struct("<IHH 8I 4I")
_ROW: Final = struct.Struct("<IIIBBBB")
_KINDS: Final[dict[int, Kind]] = {1: "erase", 2: "program"}
_STOPS, _STOP_AT, _FAIL, _FAIL_AT, _STUCK_ADDRESS, _STUCK_MASK, _GO_ON = 8, 12, 20, 24, 28, 32, 36
_STOPPED, _NOW = 40, _HEAD.size


class Stop(IntFlag):
    """Where an operation stops: before it, with its first part done, with a random part of its bits done."""

    BEFORE = 1
    PART = 2
    BITS = 4


@dataclass(frozen=True, slots=True)
class NorPlace:
    """Where a firmware has it: its block of ``size`` bytes and ``stop``, the function it stands in."""

    control: int
    size: int
    stop: int

    @property
    def rows(self) -> int:
        """How many operations its log holds."""
        return (self.size - _NOW) // _ROW.size - 1


@dataclass(frozen=True, slots=True)
class NorOperation:
    """An operation of the flash. In another run it is the same one by all but its number, counted from 1.

    ``status``: 0, or the positive number of the firmware's error where it was refused or failed.
    """

    number: int
    address: int
    length: int
    kind: Kind
    phase: str
    status: int


@dataclass(frozen=True, slots=True)
class NorState:
    """What the model says of itself. ``stopped`` is None unless it stands at a stop of the operation ``now``.

    ``count`` operations there were since power-on, ``refused`` of them against the rules of NOR flash.
    """

    stopped: Stop | None
    phase: str
    count: int
    refused: int
    now: NorOperation | None


class Memory(Protocol):
    """What is asked of a probe."""

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory while the core runs."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM while the core runs."""
        ...


def find_nor(elf: Path) -> NorPlace | None:
    """Where that firmware has the model; None where it has none. Raises ImageFault for a form not known."""
    with open_elf(elf) as opened:
        found = {s.name: s for s in sized_symbols(opened) if s.name in (SYMBOL, STOP_SYMBOL)}
    if len(found) < 2:
        return None
    control = found[SYMBOL]
    if control.size < _NOW + 2 * _ROW.size or (control.size - _NOW) % _ROW.size:
        raise ImageFault(f"{elf}: {SYMBOL} has {control.size} bytes, expected a head of {_NOW} and rows")
    return NorPlace(control.address, control.size, found[STOP_SYMBOL].address)


class NorControl:
    """The model of one board; a board that loses its power forgets what it was told. Raises LinkLost."""

    def __init__(self, place: NorPlace, memory: Memory) -> None:
        self.place = place
        self._memory = memory

    def state(self) -> NorState:
        """What it says now. Raises RigFault where what lies there is no block of this form."""
        head = self._memory.read_memory(self.place.control, _NOW + _ROW.size)
        if not self._is_whole(head):
            return NorState(None, PHASES[0], 0, 0, None)
        stopped, phase, count, refused = _HEAD.unpack_from(head)[-4:]
        now = self._operation(head[_NOW:]) if count else None
        return NorState(Stop(stopped) if stopped else None, self._phase(phase), count, refused, now)

    def operations(self, since: int = 0) -> tuple[NorOperation, ...]:
        """Those numbered above ``since``, as far as the log reaches back.

        One that is being done, or stands at a stop, is not in it yet.
        """
        state, rows = self.state(), self.place.rows
        last = state.count - (state.stopped is not None)
        first = max(since, last - rows)
        if first >= last:
            return ()
        begin = self.place.control + _NOW + _ROW.size
        log = self._memory.read_memory(begin, rows * _ROW.size)
        found = ((number, log[number % rows * _ROW.size :][: _ROW.size]) for number in range(first, last))
        return tuple(self._operation(row) for before, row in found if _ROW.unpack(row)[0] == before + 1)

    def stop(self, stops: Stop, *, at: int = 0, seed: int = 0) -> None:
        """Has it stop at operation ``at``, or at every one; ``seed`` decides what a torn operation has done.

        ``Stop(0)``: at none. It stands at each of the stops in turn, until ``go_on``.
        """
        self._write(_STOPS, 0)
        self._write(_STOP_AT, at, seed)
        self._write(_STOPS, stops)

    def await_stop(self, deadline: Deadline) -> NorState:
        """The state once it stands at a stop. Raises RigFault where it does not in time."""
        if not poll(lambda: self.state().stopped is not None, deadline, 0.005):
            raise RigFault(
                f"the flash stopped at no operation in {deadline.timeout_s:g} s; it is at {self.state()}"
            )
        return self.state()

    def go_on(self) -> None:
        """Leaves the stop it stands at."""
        self._write(_GO_ON, 1)

    def fail(self, *kinds: Kind, at: int = 0) -> None:
        """Has operations of such kinds fail: number ``at``, or every one. They change nothing then."""
        self._write(_FAIL, 0)
        self._write(_FAIL_AT, at)
        self._write(_FAIL, sum(1 << number for number, kind in _KINDS.items() if kind in kinds))

    def stick(self, address: int, mask: int) -> None:
        """Has these bits of a byte stay as they are, whatever is erased or programmed; 0: none."""
        self._write(_STUCK_MASK, 0)
        self._write(_STUCK_ADDRESS, address)
        self._write(_STUCK_MASK, mask)

    def calm(self) -> None:
        """Takes back all that it was told, and leaves a stop."""
        self.stop(Stop(0))
        self.fail()
        self.stick(0, 0)
        if self.state().stopped is not None:
            self.go_on()

    def _write(self, at: int, *words: int) -> None:
        if not self._is_whole(self._memory.read_memory(self.place.control, _HEAD.size)):
            self._begin()
        self._memory.write_memory(self.place.control + at, struct.pack(f"<{len(words)}I", *words))

    def _begin(self) -> None:
        """A block that power-on left without its magic, made as the model makes it; it keeps it then."""
        magic = struct.pack("<I", MAGIC)
        rest = struct.pack("<HH", VERSION, self.place.size).ljust(self.place.size - len(magic), b"\0")
        self._memory.write_memory(self.place.control + len(magic), rest)
        self._memory.write_memory(self.place.control, magic)

    def _is_whole(self, head: bytes) -> bool:
        magic, version, size = struct.unpack_from("<IHH", head)
        if magic != MAGIC:
            return False
        if (version, size) != (VERSION, self.place.size):
            raise RigFault(
                f"the flash model's block at {self.place.control:#010x} has version {version} and {size} "
                f"bytes; expected were version {VERSION} and {self.place.size} bytes",
                hint="Does another image run than the ELF that was read?",
            )
        return True

    def _operation(self, row: bytes) -> NorOperation:
        number, address, length, kind, phase, status, _ = _ROW.unpack_from(row)
        word = _KINDS.get(kind)
        if word is None:
            raise RigFault(f"operation {number} of the flash model is of kind {kind}, which there is not")
        return NorOperation(number, address, length, word, self._phase(phase), status)

    def _phase(self, number: int) -> str:
        return PHASES[number] if number < len(PHASES) else f"phase {number}"
