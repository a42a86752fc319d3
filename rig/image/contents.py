# SPDX-License-Identifier: MIT
"""Every byte of a firmware image with its owner: section, symbol, object, library and source folder.

Owns the join of three sources: symbols of the ELF, objects of the linker map, source files of the DWARF. The
bytes are cut into parts that do not overlap and leave nothing out, so every sum over them equals the ELF:
of a section its size, of a region the sections in it (``memory.py`` counts those on its own).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

from rig.image.image import Range
from rig.image.linker_map import LINKER, LinkerMap, Origin, Piece
from rig.image.memory import MemoryReport, RegionUse, SectionUse, SymbolUse

Kind = Literal["symbol", "unattributed", "padding"]
_SpanT = TypeVar("_SpanT", SymbolUse, Piece)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one owner. ``regions``: where they take memory (initialised data twice: flash and RAM).

    ``kind`` is ``unattributed`` for bytes of no symbol (strings, literals of assembly, vectors) and
    ``padding`` for fill between objects. ``origin`` is None without a map, ``source`` without DWARF.
    """

    section: str
    regions: tuple[str, ...]
    address: int
    size: int
    kind: Kind
    symbol: str = ""
    aliases: tuple[str, ...] = ()
    origin: Origin | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """The static memory of one ELF, joined. ``notes`` says what could not be told, and why.

    ``image_sha256`` is the image's identity (``image.py``), ``build_id`` the linker's, None without one.
    """

    elf: Path
    image_sha256: str
    build_id: str | None
    regions: tuple[RegionUse, ...]
    sections: tuple[SectionUse, ...]
    parts: tuple[Part, ...]
    has_symbols: bool
    has_map: bool
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all sections, each counted once."""
        return sum(section.size for section in self.sections)

    def of_kind(self, kind: Kind) -> int:
        """Bytes of one kind, each counted once."""
        return sum(part.size for part in self.parts if part.kind == kind)

    def sizes(self, key: Callable[[Part], str | None]) -> dict[str, dict[str, int]]:
        """Bytes by the key of each part and by region, largest first; parts whose key is None are left out.

        The sum over all keys of a region is the region's ``used`` where no key is None.
        """
        found: dict[str, dict[str, int]] = {}
        for part in self.parts:
            if (name := key(part)) is not None:
                row = found.setdefault(name, {})
                for region in part.regions:
                    row[region] = row.get(region, 0) + part.size
        return dict(sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])))

    @property
    def libraries(self) -> dict[str, dict[str, int]]:
        """Bytes by library and region; fill is a library of its own, ``(padding)``."""
        return self.sizes(library_of) if self.has_map else {}

    @property
    def objects(self) -> dict[tuple[str, str], dict[str, int]]:
        """Bytes by (library, object) and region, fill left out."""
        origins = {f"{o.library}\0{o.object}": (o.library, o.object) for p in self.parts if (o := p.origin)}
        sums = self.sizes(lambda p: f"{p.origin.library}\0{p.origin.object}" if p.origin else None)
        return {origins[key]: sizes for key, sizes in sums.items()}

    @property
    def sources(self) -> dict[str, dict[str, int]]:
        """Bytes by folder of source files and region; ``(unknown)`` where no DWARF tells."""
        known = any(part.source for part in self.parts)
        return self.sizes(lambda part: part.source or "(unknown)") if known else {}

    @property
    def symbols(self) -> list[Part]:
        """The parts that are symbols, largest first."""
        found = [part for part in self.parts if part.kind == "symbol"]
        return sorted(found, key=lambda part: (-part.size, part.symbol, part.address))


def library_of(part: Part) -> str:
    """The library of a part, or what it is instead."""
    return part.origin.library if part.origin else f"({part.kind})"


def join(
    report: MemoryReport, linker_map: LinkerMap | None, sources: Callable[[int, Origin | None], str | None]
) -> tuple[Part, ...]:
    """Cuts every section into parts. ``sources`` tells the source folder of an address or an object."""
    parts: list[Part] = []
    for section in report.sections:
        symbols = sorted((s for s in report.symbols if _inside(s, section)), key=lambda use: use.address)
        pieces = list(_clipped(section, linker_map.of_section(section.name))) if linker_map else []
        parts += _cut(section, symbols, pieces, sources)
    return tuple(parts)


def regions_of_linker(values: Mapping[str, int]) -> list[Range]:
    """The regions that the linker script's own symbols state: ``__flash_start``, ``__flash_size``, …"""
    pairs = [(name, values.get(f"__{name}_start"), values.get(f"__{name}_size")) for name in ("flash", "ram")]
    return [Region(name, start, size) for name, start, size in pairs if start is not None and size]


@dataclass(frozen=True, slots=True)
class Region:
    """A range of memory."""

    name: str
    start: int
    size: int


def _inside(symbol: SymbolUse, section: SectionUse) -> bool:
    return (
        symbol.section == section.name and section.address <= symbol.address < section.address + section.size
    )


def _clipped(section: SectionUse, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces without overlaps: of strings that were merged the map tells the size before merging."""
    end = section.address + section.size
    for place, piece in enumerate(pieces):
        limit = min([end, *(later.address for later in pieces[place + 1 : place + 2])])
        # Fill that is a whole section is memory that the linker script reserves (a stack).
        whole = piece.origin is None and piece.size == section.size
        origin = Origin(LINKER, section.name) if whole else piece.origin
        if limit > piece.address:
            yield Piece(piece.section, piece.address, min(piece.size, limit - piece.address), origin)


def _cut(
    section: SectionUse,
    symbols: Sequence[SymbolUse],
    pieces: Sequence[Piece],
    sources: Callable[[int, Origin | None], str | None],
) -> Iterator[Part]:
    regions = tuple(dict.fromkeys(r for r in (section.region, section.load_region) if r is not None))
    edges = {section.address, section.address + section.size}
    for start, size in _spans(symbols, pieces):
        edges |= {start, start + size}
    ordered = sorted(edge for edge in edges if 0 <= edge - section.address <= section.size)
    starts, heads = [symbol.address for symbol in symbols], [piece.address for piece in pieces]
    for start, end in pairwise(ordered):
        symbol, piece = _covering(symbols, starts, start), _covering(pieces, heads, start)
        origin = piece.origin if piece else Origin(LINKER, section.name) if pieces else None
        fill = piece is not None and origin is None and symbol is None
        kind: Kind = "symbol" if symbol else "padding" if fill else "unattributed"
        yield Part(
            section.name, regions, start, end - start, kind,
            symbol.name if symbol else "", symbol.aliases if symbol else (), origin,
            None if fill else sources(start, origin),
        )  # fmt: skip


def _spans(symbols: Iterable[SymbolUse], pieces: Iterable[Piece]) -> Iterator[tuple[int, int]]:
    yield from ((symbol.address, symbol.size) for symbol in symbols)
    yield from ((piece.address, piece.size) for piece in pieces)


def _covering(spans: Sequence[_SpanT], starts: Sequence[int], address: int) -> _SpanT | None:
    place = bisect_right(starts, address) - 1
    found = spans[place] if place >= 0 else None
    return found if found is not None and address < found.address + found.size else None
