# SPDX-License-Identifier: MIT
"""From which folder of the source tree the code of an image came, by its DWARF.

Owns the lookup: code by the address ranges of the compilation units, data (which has no such ranges) by the
source file whose object the linker map names.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rig.image.elf import open_elf
from rig.image.linker_map import Origin

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

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
            units = dict(_units(elf))
            aranges = elf.get_dwarf_info().get_aranges()
            entries = aranges.entries if aranges else []
            found = [(e.begin_addr, e.begin_addr + e.length, units.get(e.info_offset)) for e in entries]
        files: dict[str, set[str]] = {}
        for path in units.values():
            files.setdefault(path.name, set()).add(_shown(path))
        spans = [(start, end, _shown(path)) for start, end, path in found if path and end > start > 0]
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
    for unit in elf.get_dwarf_info().iter_CUs():
        attributes = unit.get_top_DIE().attributes
        name = attributes.get("DW_AT_name")
        if name is not None:
            path = PurePosixPath(name.value.decode(errors="replace"))
            folder = attributes.get("DW_AT_comp_dir")
            if ".." in path.parts and folder is not None:  # an archive's: the path says where it was built
                path = PurePosixPath(folder.value.decode(errors="replace")) / path.name
            yield unit.cu_offset, path


def _shown(path: PurePosixPath) -> str:
    parent = path.parent
    return str(parent) if not parent.is_absolute() else str(PurePosixPath(*parent.parts[1:][-_KEPT:]))
