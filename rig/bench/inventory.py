# SPDX-License-Identifier: MIT
"""The inventory: ``devices.yaml`` as frozen records, one per board; facts, no options.

Owns the records and what each fact means, which ``inventory_schema`` reads from their docstrings. What one
value may be is ``inventory_values``; how text becomes data is ``inventory_yaml``; what is refused, and in
which words, is ``inventory_check``. The last two are imported when a file is loaded, as yaml and pydantic
cost time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from rig import project
from rig.bench.inventory_values import (
    NAME,
    Address,
    Argv,
    Baud,
    Features,
    Frequency,
    Length,
    Line,
    Name,
    Port,
    ProbeId,
    Seconds,
    Shift,
    Size,
    Word,
    Word32,
    nearest,
)
from rig.errors import UnknownBoard

FILE_NAME: Final = "devices.yaml"
EMULATED: Final = "emulated"
RTT: Final = "rtt"
"""How the port of a console begins that is read by the probe."""


class _Fact:
    """Base of the records: an unknown key is refused, and no value is converted on the quiet."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}


@dataclass(frozen=True, slots=True)
class MemoryRange(_Fact):
    """Bytes of a board's address space that an image may use.

    ``name``: what reports and ``emulator.flash`` call it. ``start``: address of the first byte.
    ``size``: in bytes, 1 or more. Ranges of one board do not overlap.
    """

    name: Name
    start: Address
    size: Size

    @property
    def end(self) -> int:
        """The address just after the last byte."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class DeviceId(_Fact):
    """A word by which the chip names itself: ``read32(address) & mask == value``.

    ``address``: a multiple of 4, outside flash and RAM. ``mask``: drops what differs between revisions; 0
    would accept any chip and is refused. ``value``: has no bit outside the mask.
    """

    address: Address
    mask: Word32
    value: Word32


@dataclass(frozen=True, slots=True)
class SerialPlace(_Fact):
    """Where the unit's serial number stands; text if it is printable up to the first NUL, else shown as hex.

    ``address``: outside the flash ranges, so that no image can overwrite it, and outside RAM. ``length``: in
    bytes, 1 to 64.
    """

    address: Address
    length: Length


@dataclass(frozen=True, slots=True)
class Identity(_Fact):
    """What the probe must read before anything is written.

    ``cpuid``: the core's CPUID register at 0xE000ED00 (Armv7-M ARM, B3.2.3). ``device_id``: None where the
    chip has no such word. ``serial``: None where units carry no number; they cannot be told apart then.
    """

    cpuid: Word32
    device_id: DeviceId | None = None
    serial: SerialPlace | None = None


@dataclass(frozen=True, slots=True)
class ProbeFacts(_Fact):
    """The debug probe of a board.

    ``type``: pyOCD's name of the probe plug-in (``qemu`` is ours). ``id``: the unique id in full (``remote``:
    HOST:PORT), as pieces of it may match another board's. ``target``: the pyOCD target type.
    ``frequency_hz``: SWD clock in Hz; None is pyOCD's default of 1 MHz.
    """

    type: Literal["qemu", "cmsisdap", "stlink", "jlink", "remote"]
    id: ProbeId
    target: Word
    frequency_hz: Frequency | None = None


@dataclass(frozen=True, slots=True)
class ConsoleFacts(_Fact):
    """The console of a board.

    ``port``: a device path, ``socket://HOST:PORT``, ``rfc2217://HOST:PORT``, or ``emulated`` for the UART of
    the emulator; ``rtt`` where the probe reads and writes the console in the board's RAM, by a control block
    that is looked for there or stands at the address of ``rtt://0x20000400``. ``baud``: bits per second, 8N1
    always; sockets and RTT have no use for it.
    """

    port: Port
    baud: Baud


@dataclass(frozen=True, slots=True)
class PowerFacts(_Fact):
    """How a board's supply is switched.

    ``driver``: 'emulated' starts and kills the emulator; 'command' runs argument lists, never a shell; with
    'none' the supply is always on. ``on``: the program that switches it on, and its arguments; for 'command'
    only, as are the next two. ``off``: the same for off. ``status``: asks which of them it is: exit status 0
    means on, 1 means off; None where nobody can tell. ``settle_s``: seconds after switching until the supply
    is what was asked for.
    """

    driver: Literal["emulated", "none", "command"]
    on: Argv | None = None
    off: Argv | None = None
    status: Argv | None = None
    settle_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class MarkerFacts(_Fact):
    """A pin that the firmware raises while it takes a sample of a benchmark, for a logic analyser.

    ``pin``: the chip's name of it. ``channel``: the analyser's name of the channel that it is wired to.
    ``active``: its level during a sample.
    """

    pin: Word
    channel: Word
    active: Literal["high", "low"] = "high"


@dataclass(frozen=True, slots=True)
class FirmwareFacts(_Fact):
    """The default firmware of a board.

    ``preset``: one of ``firmware/CMakePresets.json``.

    ``run_on_silicon``: false where it was written for a chip and nobody has run it on one yet, so that every
    report says so; None where there is nothing to say.
    """

    preset: Name
    run_on_silicon: bool | None = None


@dataclass(frozen=True, slots=True)
class EmulatorFacts(_Fact):
    """The QEMU process that is the board; its boot ROM and flash algorithm come from the firmware's build.

    ``machine``: QEMU's name of it. ``clock``: ``exact`` is deterministic, ``paced`` about real time, ``free``
    the fastest and judges no time. ``flash``: the name of the flash range that is kept in a file over power
    cycles. ``flash_size``: size in bytes of that file, which starts with the range and may hold more.
    ``icount_shift``: an instruction takes 2^shift ns; None with the free clock only.
    ``cpu``: another core than the machine's own; None leaves it. ``storage``: how flash outlives power:
    ``backend`` is memory that the core may write, with the file behind it; ``loader`` is ROM to the core,
    filled from the file at power-on, which only the probe can write, without a flash algorithm;
    ``controller`` is flash that the machine models with its controller, kept in the file when power is
    switched off in order: a QEMU process that is killed forgets what was written since power-on.
    ``network``: the machine's network card, wired to the rig's network where a suite asks for it; None where
    it has none. ``uart1``: what its second UART is wired to where a suite asks for it; None is nothing.
    """

    machine: Word
    clock: Literal["exact", "paced", "free"]
    flash: Name
    flash_size: Size
    icount_shift: Shift | None = None
    cpu: Word | None = None
    storage: Literal["backend", "loader", "controller"] = "backend"
    network: Literal["lan9118"] | None = None
    uart1: Literal["wifi"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board(_Fact):
    """One board: a place on the bench with its links.

    ``name``: its key in the file. ``at``: where that stands (``devices.yaml:12``). ``description``: for
    people. ``features``: what suites may ask of it, words of ``inventory_values.FEATURES``. ``core_hz``: core
    clock in Hz. ``flash``: what images may be written to, at least one range. ``ram``: at least one range,
    the first is used by flash algorithms. ``firmware``: None where the firmware is not built here.
    ``marker``: None where no pin is wired to a logic analyser. ``emulator``: None for a physical board.
    """

    name: Name
    at: str
    core_hz: Frequency
    flash: tuple[MemoryRange, ...]
    ram: tuple[MemoryRange, ...]
    identity: Identity
    probe: ProbeFacts
    console: ConsoleFacts
    power: PowerFacts
    description: Line = ""
    features: Features = frozenset()
    firmware: FirmwareFacts | None = None
    marker: MarkerFacts | None = None
    emulator: EmulatorFacts | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The boards of one file, by name, in its order."""

    path: Path
    boards: Mapping[str, Board]

    @property
    def state_dir(self) -> Path:
        """Where locks and the flash of emulated boards are kept: ``.rig`` beside the file, unless shipped."""
        return project.state_dir(self.path)

    def board(self, name: str) -> Board:
        """The board of that name; raises UnknownBoard with the nearest name and those there are."""
        if name in self.boards:
            return self.boards[name]
        near = nearest(name, self.boards)
        raise UnknownBoard(
            f"no board {name!r} in {self.path}",
            hint=(f"Did you mean {near!r}? " if near else "") + f"There are: {', '.join(self.boards)}",
        )


def load_inventory(path: Path) -> Inventory:
    """Reads and checks an inventory. Raises InventoryFault: every fault of the file, each with its place."""
    from rig.bench.inventory_check import check_inventory

    return check_inventory(path)


def board_names(path: Path) -> tuple[str, ...]:
    """The names of a file's boards, unchecked but for their letters; none where it cannot be read."""
    from rig.bench.inventory_yaml import Unreadable, read_document

    try:
        names = read_document(path).key_lines("boards")
    except (OSError, Unreadable):
        return ()
    return tuple(name for name in names if re.fullmatch(NAME, name))


def find_inventory(start: Path) -> Path | None:
    """The ``devices.yaml`` of ``start`` or of the nearest folder above it, or None."""
    folders = (start, *start.parents)
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def shipped_inventory() -> Path | None:
    """The ``devices.yaml`` that came with a wheel: emulated boards, for those with no file of their own."""
    folder = project.shipped_project()
    return folder / FILE_NAME if folder is not None else None
