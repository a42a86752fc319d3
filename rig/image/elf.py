# SPDX-License-Identifier: MIT
"""ELF files of 32-bit little-endian Arm chips: the check that one is whole, and what it loads where.

Owns the headers (System V ABI, 32-bit) down to the loaded bytes, read here so that no damaged file can do
more than raise ImageFault; symbols and debug information go through pyelftools, opened here after that check.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import ImageFault

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

MAGIC = b"\x7fELF"
EM_ARM = 40
PT_LOAD = 1
SHT_NULL, SHT_NOBITS = 0, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM = struct.Struct("<IIIIIIII")
_SECTION = struct.Struct("<IIIIIIIIII")


@dataclass(frozen=True, slots=True)
class Program:
    """A program header; ``paddr`` is the load address."""

    type: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section header; ``name`` is an offset into the names' section."""

    name: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int

    @property
    def loaded(self) -> bool:
        """True when its bytes are in the file and go into the board's memory."""
        return bool(self.flags & SHF_ALLOC) and self.type not in (SHT_NULL, SHT_NOBITS) and self.size > 0


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a whole ELF file."""

    entry: int
    programs: tuple[Program, ...]
    sections: tuple[Section, ...]

    def load_address(self, section: Section) -> int:
        """Where the section is kept: its place in the loaded segment that holds it (as objcopy finds it)."""
        for program in self.programs:
            inside = section.offset - program.offset
            if program.type == PT_LOAD and section.loaded and 0 <= inside <= program.filesz - section.size:
                return program.paddr + inside
        return section.addr


def read_file(path: Path) -> bytes:
    """The content of an image file; raises ImageFault when it cannot be read or is empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageFault(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise ImageFault(f"{path}: the file is empty")
    return data


def read_headers(path: Path, data: bytes) -> Headers:
    """The headers of the ELF file ``data``; ``path`` is for messages.

    Raises ImageFault: not an ELF, truncated (names the missing bytes), or for another chip.
    """
    if not data.startswith(MAGIC):
        raise ImageFault(f"{path}: not an ELF file: it begins with {data[:4].hex(' ')}")
    _check_end(path, data, _HEADER.size, "its header")
    ident, _, machine, _, entry, phoff, shoff, *_, phsize, phnum, shsize, shnum, _ = _HEADER.unpack_from(data)
    if (ident[4], ident[5], machine) != (1, 1, EM_ARM):
        seen = f"{32 * ident[4]}-bit {'big' if ident[5] == 2 else 'little'}-endian, machine {machine}"
        expected = f"expected 32-bit little-endian, machine {EM_ARM} (Arm)"
        raise ImageFault(f"{path}: image for another chip: {seen}; {expected}")
    programs = [Program(*row[:6]) for row in _table(path, data, _PROGRAM, (phoff, phsize, phnum), "program")]
    sections = [Section(*row[:6]) for row in _table(path, data, _SECTION, (shoff, shsize, shnum), "section")]
    ends = [p.offset + p.filesz for p in programs] + [
        s.offset + s.size for s in sections if s.type != SHT_NOBITS
    ]
    _check_end(path, data, max(ends, default=0), "what its headers name")
    return Headers(entry, tuple(programs), tuple(sections))


def loaded_bytes(headers: Headers, data: bytes) -> list[tuple[int, bytes]]:
    """Load address and bytes of all that the ELF puts into memory, in file order.

    By section where there are any, as objcopy does: a segment may begin with the ELF's own headers, which are
    no firmware.
    """
    sections = [section for section in headers.sections if section.loaded]
    if sections:
        return [(headers.load_address(s), data[s.offset : s.offset + s.size]) for s in sections]
    programs = [p for p in headers.programs if p.type == PT_LOAD and p.filesz]
    return [(p.paddr, data[p.offset : p.offset + p.filesz]) for p in programs]


@contextmanager
def open_elf(path: Path) -> Iterator[ELFFile]:
    """The file in pyelftools, once found whole. Raises ImageFault, also for damage inside."""
    # Imported here: only those pay for it who ask for symbols.
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.construct import ConstructError
    from elftools.elf.elffile import ELFFile

    read_headers(path, read_file(path))
    with path.open("rb") as file:
        try:
            yield ELFFile(file)
        except (ELFError, DWARFError, ConstructError, UnicodeDecodeError) as error:
            raise ImageFault(f"{path}: the ELF is damaged: {error}") from error


def _table(
    path: Path, data: bytes, row: struct.Struct, place: tuple[int, int, int], what: str
) -> list[tuple[int, ...]]:
    offset, size, count = place
    if not count:
        return []
    if size != row.size:
        raise ImageFault(f"{path}: the ELF is damaged: {what} headers of {size} bytes, not {row.size}")
    _check_end(path, data, offset + count * size, f"its {what} headers")
    return [row.unpack_from(data, offset + number * size) for number in range(count)]


def _check_end(path: Path, data: bytes, end: int, what: str) -> None:
    if (missing := end - len(data)) > 0:
        raise ImageFault(
            f"{path}: truncated: {missing} bytes are missing (the file has {len(data)}, {what} end at {end})"
        )
