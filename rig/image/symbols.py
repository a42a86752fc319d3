# SPDX-License-Identifier: MIT
"""The sections in memory and the symbols of an ELF file, as plain records. Owns nothing but this reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rig.image.elf import SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS, open_elf, read_file, read_headers

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

Role = Literal["text", "data", "bss"]
Kind = Literal["function", "object"]
KINDS: dict[str, Kind] = {"STT_FUNC": "function", "STT_OBJECT": "object"}


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
    """A function or object; ``address`` without the Thumb bit; ``section`` is the index of its section."""

    name: str
    address: int
    size: int
    kind: Kind
    section: int
    is_global: bool

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


def sized_symbols(elf: ELFFile) -> list[ElfSymbol]:
    """All functions and objects of the symbol table with a size, in order of address."""
    table = elf.get_section_by_name(".symtab")
    found = []
    for symbol in table.iter_symbols() if table else ():
        kind = KINDS.get(symbol["st_info"]["type"])
        section = symbol["st_shndx"]
        if kind and symbol["st_size"] and isinstance(section, int):
            address = symbol["st_value"] & ~1 if kind == "function" else symbol["st_value"]
            is_global = symbol["st_info"]["bind"] != "STB_LOCAL"
            found.append(ElfSymbol(symbol.name, address, symbol["st_size"], kind, section, is_global))
    return sorted(found, key=lambda symbol: (symbol.address, -symbol.size, not symbol.is_global, symbol.name))
