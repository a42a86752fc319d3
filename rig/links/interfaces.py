# SPDX-License-Identifier: MIT
"""What the upper half may ask of a link, whatever is behind it: probe, emulated board, or a test's fake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rig.deadline import Deadline
from rig.links.wire import Fields


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a console's stream: the count of bytes received before it. Searches start from a mark."""

    offset: int


@dataclass(frozen=True, slots=True)
class ConsoleMatch:
    """What ``expect`` found: the match, when its last byte came (run clock), and the mark just after it."""

    match: re.Match[bytes]
    t_ns: int
    after: Mark


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An unsolicited frame of the board (``boot``, ``crash``): its name, number since boot, fields, time."""

    name: str
    index: int
    fields: Fields
    t_ns: int
    after: Mark


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: the fields of its last line and one mapping per data line, in order."""

    fields: Fields
    rows: tuple[Fields, ...]


class Console(Protocol):
    """The line dialogue with the firmware. All waiting is by deadline; nothing here ever discards input."""

    board: str

    def mark(self) -> Mark:
        """The place where the stream ends now."""
        ...

    def expect(self, pattern: bytes, deadline: Deadline, *, since: Mark) -> ConsoleMatch:
        """Blocks until the regular expression matches after ``since``. Raises BoardSilent, LinkLost."""
        ...

    def wait_event(self, name: str, deadline: Deadline, *, since: Mark) -> WireEvent:
        """Blocks until an event frame of that name came after ``since``. Raises BoardSilent, LinkLost."""
        ...

    def request(
        self, command: str, args: Mapping[str, str | int] | None = None, *, deadline: Deadline
    ) -> Reply:
        """Sends a command, repeats it where a line was lost or damaged, and returns the checked answer.

        Raises CommandRefused (the board said no), BoardGarbled, BoardSilent, BoardRebooted, LinkLost.
        """
        ...

    def send_raw(self, data: bytes) -> None:
        """Writes bytes as they are."""
        ...

    def evidence(self, mark: Mark | None = None) -> str:
        """Where a mark (default: now) stands in the transcript, for messages: ``PATH:BYTE``."""
        ...


@dataclass(frozen=True, slots=True)
class FlashReport:
    """What flashing did: bytes by kind and seconds by phase, in order of execution."""

    image_sha256: str
    bytes_image: int
    bytes_erased: int
    bytes_programmed: int
    skipped: bool
    method: str
    seconds: Mapping[str, float]


class Probe(Protocol):
    """A debug probe that is attached to one core. Addresses and lengths are in bytes."""

    board: str

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory, also while the core runs, without halting it. Raises LinkLost."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM or registers of peripherals (not flash). Raises LinkLost."""
        ...

    def flash(self, image: Path, *, force: bool = False) -> FlashReport:
        """Checks, erases, programs, reads back and compares.

        Raises ImageFault, WrongBoard, FlashFault, LinkLost.
        """
        ...

    def reset(self) -> None:
        """Resets the board and lets it run."""
        ...

    def reset_and_halt(self) -> None:
        """Resets the board and halts the core before its first instruction."""
        ...

    def halt(self) -> None:
        """Halts the core."""
        ...

    def resume(self) -> None:
        """Lets the core run."""
        ...

    def read_register(self, name: str) -> int:
        """Reads a core register of a halted core (``pc``, ``lr``, ``msp``, …)."""
        ...

    def run_to(self, address: int, deadline: Deadline) -> bool:
        """Runs to a breakpoint at ``address``; returns False, core halted, when the deadline passed first."""
        ...


class Power(Protocol):
    """Switches a board on and off."""

    board: str

    def on(self) -> None:
        """Power on; returns when the supply is good."""
        ...

    def off(self) -> None:
        """Power off at once, as if the plug were pulled."""
        ...

    @property
    def is_on(self) -> bool:
        """Whether the supply is good now."""
        ...
