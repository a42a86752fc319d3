# SPDX-License-Identifier: MIT
"""What an address in a firmware image means: the function it is in, and file and line where DWARF tells.

Owns the lookup and how a place is written. It works with what the ELF has: with line programs, with symbols
alone, or with neither.
"""

from __future__ import annotations

import os.path
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from rig.image.elf import SHF_EXECINSTR, open_elf
from rig.image.symbols import ElfSymbol, sized_symbols

if TYPE_CHECKING:
    from elftools.dwarf.lineprogram import LineProgram
    from elftools.elf.elffile import ELFFile


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A place in the code. ``function`` and ``file`` are None where the ELF does not tell."""

    address: int
    function: str | None = None
    offset: int = 0
    file: str | None = None
    line: int | None = None

    @property
    def source(self) -> str:
        """File and line, or nothing where the ELF does not tell."""
        return f"{self.file}:{self.line}" if self.file else ""

    def __str__(self) -> str:
        if self.function is None:
            return f"0x{self.address:08X}"
        where = f" ({self.file}:{self.line})" if self.file else f" (0x{self.address:08X})"
        return f"{self.function}+0x{self.offset:X}{where}"


@dataclass(frozen=True, slots=True)
class _LineSpan:
    start: int
    end: int
    file: str
    line: int


_SpanT = TypeVar("_SpanT", ElfSymbol, _LineSpan)


class CodeMap:
    """The code addresses of one ELF file, read once."""

    def __init__(self, functions: list[ElfSymbol], lines: list[_LineSpan]) -> None:
        """Takes both in order of address; ``CodeMap.of`` reads them from a file."""
        self._functions = functions
        self._function_starts = [function.address for function in functions]
        self._lines = lines
        self._line_starts = [span.start for span in lines]

    @classmethod
    def of(cls, elf_path: Path, project_root: Path | None = None) -> CodeMap:
        """Reads symbols and line programs; takes about a second per MB of DWARF. Raises ImageFault.

        Files below ``project_root`` are shown relative to it.
        """
        with open_elf(elf_path) as elf:
            functions = [symbol for symbol in sized_symbols(elf) if symbol.kind == "function"]
            lines = sorted(_line_spans(elf, project_root), key=lambda span: span.start)
        return cls(functions, lines)

    def place(self, address: int) -> CodePlace:
        """The place of an instruction; the Thumb bit is ignored."""
        address &= ~1
        function = _covering(self._functions, self._function_starts, address)
        span = _covering(self._lines, self._line_starts, address)
        return CodePlace(
            address=address,
            function=function.name if function else None,
            offset=address - function.address if function else 0,
            file=span.file if span else None,
            line=span.line if span else None,
        )

    def start_of(self, function: str) -> int | None:
        """The address of a function by its name, if there is one and only one."""
        found = [known.address for known in self._functions if known.name == function]
        return found[0] if len(found) == 1 else None

    def call_place(self, return_address: int) -> CodePlace:
        """The place of the call that returns to ``return_address``: the instruction before it."""
        return self.place((return_address & ~1) - 1)


def _covering(spans: Sequence[_SpanT], starts: list[int], address: int) -> _SpanT | None:
    index = bisect_right(starts, address) - 1
    return spans[index] if index >= 0 and address < spans[index].end else None


def _line_spans(elf: ELFFile, project_root: Path | None) -> Iterator[_LineSpan]:
    if not elf.has_dwarf_info():
        return
    code = [
        (s["sh_addr"], s["sh_addr"] + s["sh_size"])
        for s in elf.iter_sections()
        if s["sh_flags"] & SHF_EXECINSTR
    ]
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        comp_dir = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
        folder = PurePosixPath(comp_dir.value.decode(errors="replace") if comp_dir else "")
        if not folder.is_absolute():  # a mapped prefix: the files' own paths are mapped, too
            folder = PurePosixPath()
        names: dict[int, str] = {}
        states = [entry.state for entry in program.get_entries() if entry.state is not None]
        for state, following in pairwise(states):
            # Code that the linker dropped keeps its line programs, at addresses where no code is.
            if state.end_sequence or state.address == following.address or not _inside(code, state.address):
                continue
            if state.file not in names:
                names[state.file] = _shown(folder / _file_path(program, state.file), project_root)
            yield _LineSpan(state.address, following.address, names[state.file], state.line)


def _inside(ranges: Sequence[tuple[int, int]], address: int) -> bool:
    return any(start <= address < end for start, end in ranges)


def _file_path(program: LineProgram, index: int) -> PurePosixPath:
    # DWARF 5 (6.2.4) counts files and folders from 0, folder 0 being the unit's; before, both count from 1.
    header, first = program.header, 0 if program.header.version >= 5 else 1
    if not 0 <= index - first < len(header.file_entry):
        return PurePosixPath("?")
    entry = header.file_entry[index - first]
    folder = entry.dir_index - first
    folders = header.include_directory
    parent = folders[folder].decode(errors="replace") if 0 <= folder < len(folders) else ""
    return PurePosixPath(parent, entry.name.decode(errors="replace"))


def _shown(path: PurePosixPath, project_root: Path | None) -> str:
    plain = PurePosixPath(os.path.normpath(path))
    if not plain.is_absolute():
        return str(plain)
    if project_root and plain.is_relative_to(project_root):
        return str(plain.relative_to(project_root))
    return str(PurePosixPath(*plain.parts[1:][-3:]))
