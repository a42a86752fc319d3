# SPDX-License-Identifier: MIT
"""The sections in memory and the symbols of an ELF file, as plain records. Owns nothing but this reading."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rig.errors import ImageFault
from rig.image.elf import SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS, open_elf, read_file, read_headers

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

Role = Literal["text", "data", "bss"]
Kind = Literal["function", "object"]
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_FILE = 0, 1, 2, 4
STB_LOCAL = 0
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00
KINDS: dict[int, Kind] = {STT_FUNC: "function", STT_OBJECT: "object"}
_SYMBOL = struct.Struct("<IIIBBH")


class RawSymbol(NamedTuple):
    """An entry of the symbol table; ``file`` is the source file of a local one."""

    name: str
    value: int
    size: int
    type: int
    section: int
    is_global: bool
    file: str


@dataclass(frozen=True, slots=True)
class ElfSection:
    """A section that takes memory. ``loaded``: its bytes are in the image, kept at ``load_address``."""

    index: int
    name: str
    address: int
    load_address: int
    size: int
    align: int
    role: Role
    loaded: bool


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A function or object; ``address`` without the Thumb bit; ``section`` is the index of its section.

    ``file`` is the source file of a symbol that only one file knows, as the compiler named it; else empty.
    """

    name: str
    address: int
    size: int
    kind: Kind
    section: int
    is_global: bool
    file: str = ""

    @property
    def end(self) -> int:
        """The address just after it."""
        return self.address + self.size


def memory_sections(path: Path) -> tuple[ElfSection, ...]:
    """All sections that take memory on the board, in file order. Raises ImageFault.

    ``role`` as ``size`` (Berkeley format) counts: text is code or read-only, data has contents, bss has none.
    """
    headers = read_headers(path, read_file(path))
    found = []
    with open_elf(path) as elf:
        for index, (header, section) in enumerate(zip(headers.sections, elf.iter_sections(), strict=True)):
            if not header.flags & SHF_ALLOC or not header.size:
                continue
            has_contents = header.type != SHT_NOBITS
            readonly = header.flags & SHF_EXECINSTR or not header.flags & SHF_WRITE
            role: Role = "text" if readonly else "data" if has_contents else "bss"
            place = (
                header.addr,
                headers.load_address(header),
                header.size,
                int(section["sh_addralign"]) or 1,
            )
            found.append(ElfSection(index, section.name, *place, role, has_contents))
    return tuple(found)


def raw_symbols(elf: ELFFile) -> list[RawSymbol]:
    """The whole symbol table in its order; empty without one. Reads it at once, which is quick.

    Form: System V ABI, "Symbol Table". Raises ImageFault for a table that is damaged.
    """
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return []
    names = elf.get_section(table["sh_link"]).data()
    data, found, file = table.data(), [], ""
    if len(data) % _SYMBOL.size:
        raise ImageFault(f"the ELF is damaged: a symbol table of {len(data)} bytes")
    for at, value, size, info, _, section in _SYMBOL.iter_unpack(data):
        name = names[at : names.find(b"\0", at)].decode("utf-8", errors="replace")
        if info & 0xF == STT_FILE:
            file = name  # stands before the local symbols of its file
        is_local = info >> 4 == STB_LOCAL
        found.append(
            RawSymbol(name, value, size, info & 0xF, section, not is_local, file if is_local else "")
        )
    return found


def sized_symbols(elf: ELFFile) -> list[ElfSymbol]:
    """All functions and objects of the symbol table with a size, in order of address."""
    return sized(raw_symbols(elf))


def sized(symbols: Iterable[RawSymbol]) -> list[ElfSymbol]:
    """Those of a table that was read already."""
    found = []
    for raw in symbols:
        kind = KINDS.get(raw.type)
        if kind and raw.size and 0 < raw.section < SHN_LORESERVE:
            address = raw.value & ~1 if kind == "function" else raw.value
            place = (raw.section, raw.is_global, raw.file)
            found.append(ElfSymbol(raw.name, address, raw.size, kind, *place))
    return sorted(found, key=lambda symbol: (symbol.address, -symbol.size, not symbol.is_global, symbol.name))
