# SPDX-License-Identifier: MIT
"""The functions and instructions of a firmware image, by address: which function, which offset, which code.

Owns the lookup by the ELF's symbols, static functions and assembly without a size too, and how an instruction
is told from another across builds. File and line are the matter of ``addresses``.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import ImageFault
from rig.image.elf import Section, open_elf, read_file, read_headers

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

NOWHERE = "(no symbol)"
WAIT_FOR_INTERRUPT = bytes.fromhex("30bf")
_HALFWORD = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Function:
    """A function; ``address`` without the Thumb bit. Its name is unique: ``name@file`` if need be."""

    name: str
    address: int
    end: int


class Functions:
    """The functions of one ELF file, read once."""

    def __init__(self, functions: list[Function], code: list[tuple[int, bytes]]) -> None:
        """Takes both in order of address; ``Functions.of`` reads them from a file."""
        self._functions = functions
        self._starts = [function.address for function in functions]
        self._code = code

    @classmethod
    def of(cls, elf_path: Path) -> Functions:
        """Reads symbols and code. Raises ImageFault, also for an ELF without symbols."""
        data = read_file(elf_path)
        headers = read_headers(elf_path, data)
        sections = sorted((s for s in headers.sections if s.loaded), key=lambda section: section.addr)
        with open_elf(elf_path) as elf:
            functions = _functions(elf, sections)
        if not functions:
            raise ImageFault(f"{elf_path}: it has no symbols of functions", hint="Was it stripped?")
        return cls(functions, [(s.addr, data[s.offset : s.offset + s.size]) for s in sections])

    def at(self, address: int) -> Function | None:
        """The function that an instruction belongs to, or None. The Thumb bit is ignored."""
        address &= ~1
        index = bisect_right(self._starts, address) - 1
        inside = index >= 0 and address < self._functions[index].end
        return self._functions[index] if inside else None

    def named(self, name: str) -> Function:
        """The function of that name. Raises ImageFault."""
        found = next((function for function in self._functions if function.name == name), None)
        if found is None:
            raise ImageFault(f"the image has no function '{name}'")
        return found

    def code(self, address: int) -> bytes:
        """The two or four bytes of an instruction; empty where the image has none."""
        address &= ~1
        for start, data in self._code:
            if start <= address <= start + len(data) - _HALFWORD.size:
                (first,) = _HALFWORD.unpack_from(data, address - start)
                length = 4 if first >= 0xE800 else 2  # Armv7-M ARM, A5.1
                return data[address - start : address - start + length]
        return b""


def operation(code: bytes) -> str:
    """An instruction as text that is the same where only the distance to its operand differs.

    Branches and loads relative to the PC keep their kind, condition and register (Armv7-M ARM, A5.2, A5.3).
    """
    if len(code) == 4:
        return _long_operation(*struct.unpack("<HH", code)) or code.hex()
    (half,) = _HALFWORD.unpack(code) if code else (0,)
    if half & 0xF800 in (0x4800, 0xE000):  # LDR literal, B
        return f"{half & 0xFF00 if half & 0xF800 == 0x4800 else 0xE000:04x}+"
    if half & 0xF000 == 0xD000 and half & 0x0F00 < 0x0E00:  # B with a condition
        return f"{half & 0xFF00:04x}+"
    if half & 0xF500 == 0xB100:  # CBZ, CBNZ
        return f"{half & 0xF907:04x}+"
    return code.hex()


def _long_operation(first: int, second: int) -> str | None:
    """Of B, BL and B with a condition (A5.3.4), or None: a barrier or a special register is no distance."""
    if first & 0xF800 != 0xF000 or not second & 0x8000:
        return None
    if second & 0x1000:
        return f"{second & 0xD000:04x}++"
    return f"{first & 0xFBC0:04x}++" if first & 0x0380 != 0x0380 else None


def _functions(elf: ELFFile, sections: list[Section]) -> list[Function]:
    table = elf.get_section_by_name(".symtab")
    found: dict[int, tuple[tuple[object, ...], str, str, int]] = {}
    for name, file, address, size, is_global in _symbols(table):
        rank = (-size, not is_global, name)
        if address not in found or rank < found[address][0]:
            found[address] = (rank, name, file, size)
    times = Counter(name for _, name, _, _ in found.values())
    functions = []
    starts = sorted(found)
    for number, address in enumerate(starts):
        _, name, file, size = found[address]
        end = address + size if size else _end_of(address, starts[number + 1 :], sections)
        functions.append(Function(name if times[name] == 1 else f"{name}@{file}", address, end))
    return functions


def _end_of(address: int, following: list[int], sections: list[Section]) -> int:
    """Where a function without a size ends: at the next one, or with its section."""
    limits = [section.addr + section.size for section in sections if section.addr <= address]
    inside = [limit for limit in limits if limit > address]
    return min([*following[:1], *inside], default=address)


def _symbols(table: object) -> Iterator[tuple[str, str, int, int, bool]]:
    file = "?"
    for symbol in table.iter_symbols() if table else ():  # type: ignore[attr-defined]
        kind, section = symbol["st_info"]["type"], symbol["st_shndx"]
        if kind == "STT_FILE":
            file = symbol.name
        elif kind == "STT_FUNC" and isinstance(section, int):
            is_global = symbol["st_info"]["bind"] != "STB_LOCAL"
            yield symbol.name, file, symbol["st_value"] & ~1, symbol["st_size"], is_global
