# SPDX-License-Identifier: MIT
"""From which folder of the source tree the code of an image came, by its DWARF.

Owns the lookup: code by the address ranges of the compilation units, data (which has no such ranges) by the
source file whose object the linker map names.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rig.errors import ImageFault
from rig.image.elf import open_elf
from rig.image.linker_map import Origin

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

AT_NAME, AT_COMP_DIR = 0x03, 0x1B
FORM_STRING, FORM_STRP, FORM_UDATA, FORM_LINE_STRP, FORM_IMPLICIT_CONST = 0x08, 0x0E, 0x0F, 0x1F, 0x21
_STRINGS = (FORM_STRING, FORM_STRP, FORM_LINE_STRP)
_SIZES = {0x01: 4, 0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x17: 4, 0x19: 0, FORM_IMPLICIT_CONST: 0}
"""Bytes of the forms of fixed size: addr, data2, data4, data8, data1, flag, sec_offset, flag_present."""
_KEPT = 3  # last folders that are shown of a path of the machine that built


class SourceFolders:
    """The source folders of one ELF; knows none where it has no DWARF."""

    def __init__(self, ranges: list[tuple[int, int, str]], files: dict[str, set[str]]) -> None:
        """``ranges``: (start, end, folder) in order; ``files``: the folders by name of source file."""
        self._ranges = ranges
        self._starts = [start for start, *_ in ranges]
        self._files = files
        self._known: dict[Origin, str | None] = {}

    @classmethod
    def of(cls, elf_path: Path) -> SourceFolders:
        """Reads the units' names and address ranges, about 0.05 s. Raises ImageFault for a damaged ELF."""
        with open_elf(elf_path) as elf:
            if not elf.has_dwarf_info():
                return cls([], {})
            try:
                units, found = dict(_units(elf)), list(_ranges(_data(elf, ".debug_aranges")))
            except (struct.error, IndexError, ValueError) as error:
                raise ImageFault(f"{elf_path}: the debug information is damaged: {error}") from error
        files: dict[str, set[str]] = {}
        for path in units.values():
            files.setdefault(path.name, set()).add(_shown(path))
        known = ((start, end, units.get(unit)) for start, end, unit in found)
        spans = [(start, end, _shown(path)) for start, end, path in known if path and end > start > 0]
        return cls(sorted(spans), files)

    def folder(self, address: int, origin: Origin | None) -> str | None:
        """The folder of the source that the byte at an address of an object came from; None if unknown."""
        place = bisect_right(self._starts, address) - 1
        if place >= 0 and address < self._ranges[place][1]:
            if origin is not None:
                self._known[origin] = self._ranges[place][2]
            return self._ranges[place][2]
        return self._of_object(origin) if origin else None

    def _of_object(self, origin: Origin) -> str | None:
        """By the code of the same object, or else where one source file alone has its name."""
        if origin not in self._known:
            name = PurePosixPath(origin.object).name.removesuffix(".obj").removesuffix(".o")
            folders = self._files.get(name, set()) | self._files.get(f"{name}.c", set())
            self._known[origin] = next(iter(folders)) if len(folders) == 1 else None
        return self._known[origin]


def _units(elf: ELFFile) -> Iterator[tuple[int, PurePosixPath]]:
    """(offset, source path) of each compilation unit.

    Read here and not by pyelftools, which decodes all of a unit's abbreviations for it: that takes as long as
    all else of ``rig image memory``. Form: DWARF 5, sections 7.5.1 to 7.5.6; also right for 2 to 4.
    """
    sections = {name: _data(elf, f".debug_{name}") for name in ("info", "abbrev", "str", "line_str")}
    info, at = sections["info"], 0
    while at + 11 <= len(info):
        length, version = struct.unpack_from("<IH", info, at)
        if length >= 0xFFFFFFF0 or not 2 <= version <= 5:
            return  # 64-bit DWARF, or one that is not known: no folders, but no wrong ones
        if version == 5:  # unit type and address size come first
            (abbrevs,), die = struct.unpack_from("<I", info, at + 8), at + 12
        else:
            (abbrevs,), die = struct.unpack_from("<I", info, at + 6), at + 11
        found = _attributes(sections, abbrevs, die)
        if AT_NAME in found:
            path = PurePosixPath(found[AT_NAME])
            if ".." in path.parts and AT_COMP_DIR in found:  # an archive's: where it was built tells
                path = PurePosixPath(found[AT_COMP_DIR]) / path.name
            yield at, path
        at += 4 + length


def _ranges(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(start, end, unit) of all code (DWARF 5, 6.1.2); a set of another address size than 4 is left out."""
    at = 0
    while at + 12 <= len(data):
        length, _, unit, address_size, segment_size = struct.unpack_from("<IHIBB", data, at)
        end = min(at + 4 + length, len(data))
        place = at + 16  # the first pair is aligned to its own size
        while (address_size, segment_size) == (4, 0) and place + 8 <= end:
            start, size = struct.unpack_from("<II", data, place)
            yield start, start + size, unit
            place += 8
        at += 4 + length


def _data(elf: ELFFile, name: str) -> bytes:
    section = elf.get_section_by_name(name)
    return bytes(section.data()) if section else b""


def _attributes(sections: Mapping[str, bytes], abbrevs: int, die: int) -> dict[int, str]:
    """Name and folder of the entry at ``die``; an attribute of unknown form ends the reading."""
    found: dict[int, str] = {}
    code, die = _uleb(sections["info"], die)
    for attribute, form in _abbreviation(sections["abbrev"], abbrevs, code):
        if form in _STRINGS:
            text, die = _string(sections, form, die)
            if attribute in (AT_NAME, AT_COMP_DIR):
                found[attribute] = text
        elif form in _SIZES:
            die += _SIZES[form]
        elif form == FORM_UDATA:
            _, die = _uleb(sections["info"], die)
        else:
            break
        if len(found) == 2:
            break
    return found


def _abbreviation(abbrev: bytes, at: int, wanted: int) -> list[tuple[int, int]]:
    """The attributes and forms of an abbreviation of the table at ``at``; none when it is not there."""
    code, at = _uleb(abbrev, at)
    while code:
        _, at = _uleb(abbrev, at)  # the tag
        at += 1  # has children
        pairs: list[tuple[int, int]] = []
        while not pairs or pairs[-1] != (0, 0):
            attribute, at = _uleb(abbrev, at)
            form, at = _uleb(abbrev, at)
            if form == FORM_IMPLICIT_CONST:
                _, at = _uleb(abbrev, at)
            pairs.append((attribute, form))
        if code == wanted:
            return pairs[:-1]
        code, at = _uleb(abbrev, at)
    return []


def _string(sections: Mapping[str, bytes], form: int, at: int) -> tuple[str, int]:
    """The text of an attribute and where the next one begins."""
    info = sections["info"]
    if form == FORM_STRING:
        end = info.index(b"\0", at)
        return info[at:end].decode(errors="replace"), end + 1
    strings = sections["line_str" if form == FORM_LINE_STRP else "str"]
    (offset,) = struct.unpack_from("<I", info, at)
    return strings[offset : strings.index(b"\0", offset)].decode(errors="replace"), at + 4


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    value, shift = data[at], 0
    if value < 0x80:  # nearly all have one byte
        return value, at + 1
    value = 0
    while True:
        octet = data[at]
        value |= (octet & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not octet & 0x80:
            return value, at


def _shown(path: PurePosixPath) -> str:
    parent = path.parent
    return str(parent) if not parent.is_absolute() else str(PurePosixPath(*parent.parts[1:][-_KEPT:]))
