# SPDX-License-Identifier: MIT
"""The linker map of GNU ld: which object of which library every byte of an image came from.

Owns the map's form (``ld -Map``) and the check that a map is of the same link as an ELF; what the bytes are
is told by the ELF's symbols (``contents.py``). A name that is too long for its column wraps onto a line of
its own; what comes after it is then on the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from rig.errors import ImageFault
from rig.image.elf import read_file
from rig.image.symbols import ElfSection

BEGIN, END = "Linker script and memory map", "OUTPUT("
LINKER = "(linker script)"
"""The object of bytes that no object brought: reserved by the linker script itself."""
LOOSE = "(objects)"
"""The library of objects that were linked one by one and belong to no target."""
SHOWN = 5  # differences of a map that is refused

_OUTPUT = re.compile(r"([^\s(/][^\s(]*)(?:\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?:\s+load address .*)?)?$")
_INPUT = re.compile(r" ([^\s(*]\S*)(?:\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*))?$")
_WRAPPED = re.compile(
    r"\s{8,}0x([0-9a-f]+)\s+0x([0-9a-f]+)(?: (?!load address)(\S.*))?(?:\s+load address .*)?$"
)
_FILL = re.compile(r" \*fill\*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)")
_SYMBOL = re.compile(r"\s{8,}0x([0-9a-f]+)\s{8,}([A-Za-z_.$][\w.$]*)$")
_MEMBER = re.compile(r"(.*?)([^/]+\.a)\((.+)\)$")
_TARGET = re.compile(r"(?:.*/)?CMakeFiles/([^/]+)\.dir/(.+)$")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who brought bytes: an archive, or a target of the build, and the object in it."""

    library: str
    object: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one output section that lie together; ``origin`` is None for fill between pieces."""

    section: str
    address: int
    size: int
    origin: Origin | None

    @property
    def end(self) -> int:
        """The address just after it."""
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class LinkerMap:
    """A map: its output sections (address, size), pieces in their order, and symbols by name."""

    path: Path
    sections: Mapping[str, tuple[int, int]]
    pieces: tuple[Piece, ...]
    symbols: Mapping[str, int]

    def of_section(self, name: str) -> list[Piece]:
        """The pieces of an output section in order of address."""
        return sorted((p for p in self.pieces if p.section == name), key=lambda piece: piece.address)


def read_map(path: Path) -> LinkerMap:
    """Reads a map. Raises ImageFault when the file is none of GNU ld, or is cut off."""
    text = read_file(path).decode("utf-8", errors="replace")
    _, found, body = text.partition(f"\n{BEGIN}\n")
    if not found:
        raise ImageFault(f"{path}: no linker map of GNU ld: it has no line '{BEGIN}'")
    if f"\n{END}" not in body:
        raise ImageFault(f"{path}: the linker map is cut off: it has no line '{END}…'")
    sections: dict[str, tuple[int, int]] = {}
    symbols: dict[str, int] = {}
    raw: list[tuple[str, int, int, str | None]] = []
    for output, address, size, file in _lines(body, symbols):
        if file is None:
            sections.setdefault(output, (address, size))
        elif size:
            raw.append((output, address, size, file or None))
    origins = _origins({file for *_, file in raw if file})
    pieces = (Piece(output, at, size, origins[file] if file else None) for output, at, size, file in raw)
    return LinkerMap(path, sections, tuple(pieces), symbols)


def check_same_link(
    linker_map: LinkerMap, elf: Path, sections: Sequence[ElfSection], symbols: Mapping[str, int]
) -> None:
    """Raises ImageFault with what differs when the map is of another link than the ELF.

    Every section that takes memory must be where the map has it, and every symbol that both know.
    """
    differences = [*_section_differences(linker_map, sections), *_symbol_differences(linker_map, symbols)]
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise ImageFault(
            f"{linker_map.path}: the map of another build than {elf}: {'; '.join(differences[:SHOWN])}{more}",
            hint="Give the map of this link by --map, or build both again",
        )


def _section_differences(linker_map: LinkerMap, sections: Iterable[ElfSection]) -> Iterator[str]:
    for section in sections:
        place = linker_map.sections.get(section.name)
        if place is None:
            yield f"section {section.name} is not in the map"
        elif place != (section.address, section.size):
            yield (
                f"section {section.name} is {section.size} bytes at 0x{section.address:08X}, "
                f"in the map {place[1]} at 0x{place[0]:08X}"
            )


def _symbol_differences(linker_map: LinkerMap, symbols: Mapping[str, int]) -> Iterator[str]:
    for name in sorted(linker_map.symbols.keys() & symbols.keys()):
        seen, mapped = symbols[name], linker_map.symbols[name]
        if seen != mapped:
            yield f"{name} is at 0x{seen:08X}, in the map at 0x{mapped:08X}"


def _lines(body: str, symbols: dict[str, int]) -> Iterator[tuple[str, int, int, str | None]]:
    """(output section, address, size, file) of each entry: file None for the section itself, "" for fill."""
    output, waiting, is_input = "", False, False
    for line in body.splitlines():
        if waiting and (match := _WRAPPED.fullmatch(line)):
            if bool(match[3]) == is_input:
                yield output, int(match[1], 16), int(match[2], 16), match[3]
        elif match := _FILL.match(line):
            yield output, int(match[1], 16), int(match[2], 16), ""
        elif match := _SYMBOL.fullmatch(line):
            symbols.setdefault(match[2], int(match[1], 16))
        elif match := _INPUT.fullmatch(line):
            is_input, waiting = True, match[2] is None
            if match[2]:
                yield output, int(match[2], 16), int(match[3], 16), match[4]
            continue
        elif match := _OUTPUT.fullmatch(line):
            output, is_input, waiting = match[1], False, match[2] is None
            if match[2]:
                yield output, int(match[2], 16), int(match[3], 16), None
            continue
        waiting = False


def _origins(files: set[str]) -> dict[str, Origin]:
    """The library and object that each file of the map stands for, without folders of the build machine."""
    found: dict[str, Origin] = {}
    loose: dict[str, dict[str, str]] = {}
    for file in files:
        if match := _MEMBER.match(file):
            found[file] = Origin(match[2], match[3])
        elif match := _TARGET.match(file):
            loose.setdefault(match[1], {})[file] = match[2]
        else:
            loose.setdefault(LOOSE, {})[file] = file
    for library, paths in loose.items():
        folder = _common_folder(list(paths.values()))
        found |= {file: Origin(library, path[len(folder) :]) for file, path in paths.items()}
    return found


def _common_folder(paths: Sequence[str]) -> str:
    """The folders that all paths begin with, ended by a slash; empty where there are none."""
    columns = zip(*(PurePosixPath(path).parent.parts for path in paths), strict=False)
    common = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    return f"{PurePosixPath(*common)}/".replace("//", "/") if common else ""
