# SPDX-License-Identifier: MIT
"""A firmware image as the bytes that stand in a board's flash, read from ELF, Intel HEX or raw binary.

Owns reading, the image's identity (SHA-256 over the flat binary, as the board computes it over its own flash)
and the check that an image is one for a board. Nothing is written anywhere.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from rig.errors import ImageFault
from rig.image.elf import MAGIC, loaded_bytes, read_file, read_headers
from rig.image.intel_hex import read_hex

GAP_FILL = 0xFF
MAX_SPAN = 64 * 1024 * 1024
"""Bytes between the lowest and the highest address of an image; beyond, it cannot be one binary."""

Kind = Literal["elf", "hex", "bin"]


class Range(Protocol):
    """A range of a board's memory, as the inventory's MemoryRange."""

    @property
    def name(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes and the load (physical) address of the first."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """The address just after the last byte."""
        return self.address + len(self.data)

    def __str__(self) -> str:
        return f"0x{self.address:08X}..0x{self.end - 1:08X} ({len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Image:
    """A firmware image: segments in order of address, none touching another, at least one."""

    path: Path
    kind: Kind
    segments: tuple[Segment, ...]
    entry: int | None

    @property
    def start(self) -> int:
        """The lowest load address."""
        return self.segments[0].address

    @property
    def end(self) -> int:
        """The address just after the highest byte."""
        return self.segments[-1].end

    @property
    def flat(self) -> bytes:
        """All bytes from ``start`` to ``end``, gaps filled with 0xFF, as ``objcopy -O binary`` writes."""
        if self.end - self.start > MAX_SPAN:
            raise ImageFault(
                f"{self.path}: {self.end - self.start} bytes from first to last is more than an image"
            )
        binary = bytearray([GAP_FILL]) * (self.end - self.start)
        for segment in self.segments:
            binary[segment.address - self.start : segment.end - self.start] = segment.data
        return bytes(binary)

    @property
    def sha256(self) -> str:
        """The image's identity: SHA-256 of ``flat``, 64 hex digits."""
        return hashlib.sha256(self.flat).hexdigest()


def load_image(path: Path, base: int | None = None) -> Image:
    """Reads an image; what it is shows from its first bytes, then from its name.

    ``base`` is the load address of a raw binary; the other kinds say their own and do not look at it.
    Raises ImageFault for anything that is not a whole image for an Arm microcontroller.
    """
    data = read_file(path)
    kind = _kind(path, data)
    if kind == "bin" and base is None:
        raise ImageFault(f"{path}: a raw binary does not say its address: give one")
    if kind == "bin":
        return Image(path, kind, _joined(path, [Segment(base or 0, data)]), None)
    if kind == "elf":
        return _load_elf(path, data)
    segments, entry = read_hex(path, data)
    return Image(path, kind, _joined(path, [Segment(*part) for part in segments]), entry)


def check_image(image: Image, flash: Sequence[Range], ram: Sequence[Range]) -> None:
    """Raises ImageFault, with every fault at once, unless a board with this memory can hold and start it.

    Every segment lies in one flash range; the vector table at the lowest address has an initial stack pointer
    in RAM and a reset handler that is Thumb code of the image (ARMv7-M ARM, B1.5.3).
    """
    faults = [
        f"segment {segment} is outside the board's flash ({_ranges(flash)})"
        for segment in image.segments
        if not any(r.start <= segment.address and segment.end <= r.start + r.size for r in flash)
    ]
    faults += _vector_faults(image, ram)
    if faults:
        raise ImageFault(f"{image.path}: not an image for this board: {'; '.join(faults)}")


def _vector_faults(image: Image, ram: Sequence[Range]) -> list[str]:
    if len(image.segments[0].data) < 8:
        return [f"no vector table: the first segment has {len(image.segments[0].data)} bytes"]
    stack, reset = struct.unpack_from("<II", image.segments[0].data)
    faults = []
    if stack % 4 or not any(r.start < stack <= r.start + r.size for r in ram):
        faults.append(f"initial stack pointer 0x{stack:08X} is not in the board's RAM ({_ranges(ram)})")
    if not reset & 1:
        faults.append(f"reset vector 0x{reset:08X} is even: not Thumb code")
    if not any(segment.address <= (reset & ~1) < segment.end for segment in image.segments):
        faults.append(f"reset vector 0x{reset:08X} is outside the image")
    return faults


def _ranges(ranges: Iterable[Range]) -> str:
    return ", ".join(f"{r.name} 0x{r.start:08X}..0x{r.start + r.size - 1:08X}" for r in ranges) or "none"


def _kind(path: Path, data: bytes) -> Kind:
    suffix = path.suffix.lower()
    if data.startswith(MAGIC) or suffix in (".elf", ".axf"):
        return "elf"
    if suffix in (".hex", ".ihex", ".ihx") or (suffix != ".bin" and data.startswith(b":")):
        return "hex"
    return "bin"


def _load_elf(path: Path, data: bytes) -> Image:
    headers = read_headers(path, data)
    segments = [Segment(address, part) for address, part in loaded_bytes(headers, data)]
    if not segments:
        raise ImageFault(f"{path}: the ELF loads nothing")
    return Image(path, "elf", _joined(path, segments), headers.entry)


def _joined(path: Path, parts: Iterable[Segment]) -> tuple[Segment, ...]:
    joined: list[Segment] = []
    for part in sorted(parts, key=lambda part: part.address):
        if part.end > 2**32:
            raise ImageFault(f"{path}: {part} ends above 32-bit addresses")
        if joined and part.address < joined[-1].end:
            raise ImageFault(f"{path}: {part} overlaps {joined[-1]}")
        if joined and part.address == joined[-1].end:
            part = Segment(joined[-1].address, joined.pop().data + part.data)
        joined.append(part)
    return tuple(joined)
