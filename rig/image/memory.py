# SPDX-License-Identifier: MIT
"""Static memory of a firmware ELF: what each memory region, section and symbol takes.

Owns the accounting: every byte of every section belongs to one symbol or is *unattributed* (literals,
vectors, assembly without sizes), and initialised data counts twice, in RAM where it lives and in flash where
it is kept. Memory that is taken while the firmware runs is no matter of this module (``kernel_view.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rig.errors import ImageFault
from rig.image.elf import open_elf
from rig.image.image import Range
from rig.image.symbols import ElfSection, ElfSymbol, Role, memory_sections, sized_symbols


@dataclass(frozen=True, slots=True)
class RegionUse:
    """A memory region: ``used`` is the sum of its sections, ``padding`` the alignment gaps between them."""

    name: str
    start: int
    size: int
    used: int
    padding: int

    @property
    def free(self) -> int:
        """Bytes that neither a section nor padding takes."""
        return self.size - self.used - self.padding


@dataclass(frozen=True, slots=True)
class SectionUse:
    """A section: where it lives (``region``), where its bytes are kept (``load_region``, None if nowhere)."""

    name: str
    role: Role
    address: int
    load_address: int
    size: int
    region: str
    load_region: str | None
    unattributed: int


@dataclass(frozen=True, slots=True)
class SymbolUse:
    """A symbol and the bytes that are its own; ``aliases`` are other names of the same bytes."""

    name: str
    section: str
    address: int
    size: int
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """The static memory of one ELF. Sizes in bytes; symbols largest first."""

    regions: tuple[RegionUse, ...]
    sections: tuple[SectionUse, ...]
    symbols: tuple[SymbolUse, ...]

    def total(self, role: Role) -> int:
        """Bytes of all sections of a role, as ``size`` prints them."""
        return sum(section.size for section in self.sections if section.role == role)

    @property
    def unattributed(self) -> int:
        """Bytes of sections that belong to no symbol."""
        return sum(section.unattributed for section in self.sections)


def memory_report(path: Path, regions: Sequence[Range]) -> MemoryReport:
    """Counts the static memory of an ELF over the board's regions.

    Raises ImageFault when the file is no usable ELF or a section lies in no region.
    """
    sections = memory_sections(path)
    with open_elf(path) as elf:
        symbols = sized_symbols(elf)
    owned = {section.index: own_bytes(section, symbols) for section in sections}
    uses = tuple(_section_use(path, section, owned[section.index], regions) for section in sections)
    largest_first = sorted(
        (use for own in owned.values() for use in own), key=lambda use: (-use.size, use.name)
    )
    return MemoryReport(
        tuple(_region_use(region, sections) for region in regions), uses, tuple(largest_first)
    )


def own_bytes(section: ElfSection, symbols: Iterable[ElfSymbol]) -> list[SymbolUse]:
    """The symbols of a section in order of address, each with the bytes that no symbol before it has."""
    uses: list[SymbolUse] = []
    cursor, section_end = section.address, section.address + section.size
    for symbol in symbols:
        if symbol.section != section.index:
            continue
        own = min(symbol.end, section_end) - max(symbol.address, cursor)
        if own > 0:
            uses.append(SymbolUse(symbol.name, section.name, max(symbol.address, cursor), own, ()))
            cursor = symbol.end
        elif uses and symbol.address >= uses[-1].address:  # all its bytes are counted: another name for them
            last = uses.pop()
            names = (*last.aliases, symbol.name)
            uses.append(SymbolUse(last.name, last.section, last.address, last.size, names))
    return uses


def _section_use(
    path: Path, section: ElfSection, own: Iterable[SymbolUse], regions: Sequence[Range]
) -> SectionUse:
    place = _region_of(path, section, section.address, regions)
    kept = _region_of(path, section, section.load_address, regions) if section.loaded else None
    unattributed = section.size - sum(use.size for use in own)
    return SectionUse(
        section.name,
        section.role,
        section.address,
        section.load_address,
        section.size,
        place,
        kept,
        unattributed,
    )


def _region_of(path: Path, section: ElfSection, address: int, regions: Sequence[Range]) -> str:
    for region in regions:
        if region.start <= address and address + section.size <= region.start + region.size:
            return region.name
    names = ", ".join(f"{r.name} 0x{r.start:08X}..0x{r.start + r.size - 1:08X}" for r in regions) or "none"
    place = f"0x{address:08X}..0x{address + section.size - 1:08X}"
    raise ImageFault(f"{path}: section {section.name} {place} is in no memory region ({names})")


def _region_use(region: Range, sections: Iterable[ElfSection]) -> RegionUse:
    spans = {(section.address, section.size, section.align) for section in sections}
    spans |= {(s.load_address, s.size, s.align) for s in sections if s.loaded}
    inside = sorted(span for span in spans if region.start <= span[0] < region.start + region.size)
    gaps = [(b[0] - a[0] - a[1], b[2]) for a, b in pairwise(inside)]
    padding = sum(gap for gap, align in gaps if 0 < gap < align)
    return RegionUse(region.name, region.start, region.size, sum(size for _, size, _ in inside), padding)
