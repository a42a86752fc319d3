# SPDX-License-Identifier: MIT
"""Reads the static memory of an ELF with all that stands beside it, and says what is missing.

Owns which file is the map of an ELF, where regions come from when no board states them, and the notes on an
image without symbols, map, debug information or build id. The accounting is that of ``contents.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import ImageFault
from rig.image.contents import Contents, join, regions_of_linker
from rig.image.elf import open_elf
from rig.image.image import Range, load_image
from rig.image.linker_map import LinkerMap, check_same_link, read_map
from rig.image.memory import memory_report
from rig.image.source_folders import SourceFolders
from rig.image.symbols import SHN_UNDEF, STT_FUNC, memory_sections, raw_symbols

BUILD_ID = ".note.gnu.build-id"
_NOTE_HEADER = 16  # sizes, type and the owner's name "GNU" (System V ABI, note section)


@dataclass(frozen=True, slots=True)
class _Named:
    """What the ELF says beside sizes; ``values`` of its global symbols is None without a symbol table."""

    values: dict[str, int] | None
    build_id: str | None
    has_dwarf: bool


def read_contents(elf: Path, regions: Sequence[Range] = (), map_path: Path | None = None) -> Contents:
    """The memory of an ELF over these regions, or over those that its linker symbols state.

    The map is ``map_path``, or the file beside the ELF with its name and ``.map``; without one the objects
    are not known and a note says so. Raises ImageFault: no ELF, no regions, a section in none of them, a map
    of another build.
    """
    image = load_image(elf)
    if image.kind != "elf":
        raise ImageFault(f"{elf}: a {image.kind} file has no sections and no symbols: give the ELF")
    named = _named(elf)
    places = list(regions) or regions_of_linker(named.values or {})
    if not places:
        raise ImageFault(
            f"{elf}: no memory regions: the ELF has no __flash_start, __flash_size, __ram_start, __ram_size",
            hint="Name its board by --board",
        )
    linker_map = _map_of(elf, map_path, named)
    report = memory_report(elf, places)
    return Contents(
        elf, image.sha256, named.build_id, report.regions, report.sections,
        join(report, linker_map, SourceFolders.of(elf).folder),
        named.values is not None, linker_map is not None,
        tuple(_notes(elf, named, linker_map)),
    )  # fmt: skip


def _named(path: Path) -> _Named:
    with open_elf(path) as elf:
        note = elf.get_section_by_name(BUILD_ID)
        build_id = note.data()[_NOTE_HEADER:].hex() if note and note.data_size > _NOTE_HEADER else None
        symbols, has_dwarf = raw_symbols(elf), elf.has_dwarf_info()
    # Names of one translation unit alone may stand for several symbols: they tell nothing of the link.
    known = (s for s in symbols if s.is_global and s.section != SHN_UNDEF)
    values = {s.name: s.value & ~1 if s.type == STT_FUNC else s.value for s in known}
    return _Named(values if symbols else None, build_id, has_dwarf)


def _map_of(elf: Path, map_path: Path | None, named: _Named) -> LinkerMap | None:
    path = map_path or elf.with_suffix(".map")
    if map_path is None and not path.exists():
        return None
    linker_map = read_map(path)
    check_same_link(linker_map, elf, memory_sections(elf), named.values or {})
    return linker_map


def _notes(elf: Path, named: _Named, linker_map: LinkerMap | None) -> list[str]:
    notes = []
    if named.values is None:
        notes.append(f"{elf}: no symbol table (stripped): only regions and sections are known")
    if linker_map is None:
        notes.append(f"no {elf.with_suffix('.map').name} beside the ELF: libraries and objects are not known")
    if not named.has_dwarf:
        notes.append("no debug information: source folders are not known")
    if named.build_id is None:
        notes.append(
            "no build id in the image: it is known by its SHA-256, and its map by sizes and addresses"
        )
    return notes
