# SPDX-License-Identifier: MIT
"""The machine code of an image, function by function, and its words: what static analysis reads.

Owns the use of capstone and of the ELF's mapping symbols (Arm ELF ABI, "mapping symbols": ``$t`` begins code,
``$d`` data), by which literal pools and jump tables are told from instructions. Functions are decoded when
they are asked for: of an image, analysis needs a part.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from pathlib import Path

from rig.errors import ImageFault
from rig.image.elf import SHF_ALLOC, SHF_EXECINSTR, loaded_bytes, open_elf, read_file, read_headers
from rig.image.symbols import STT_FUNC, STT_NOTYPE, ElfSymbol, RawSymbol, raw_symbols, sized

Instruction = tuple[int, int, str, str]
"""Address, size, mnemonic and operands, as capstone writes them."""

_LARGEST = 0x10000  # bytes of a function, within which one is looked for that an address may be in


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where code (True) and data (False) begin, in order of address."""

    at: list[int]
    code: list[bool]

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """The stretches of code and data from start to end; all is code where nothing is marked."""
        place = bisect_right(self.at, start) - 1
        is_code = self.code[place] if place >= 0 else True
        for index in range(place + 1, bisect_left(self.at, end)):
            if self.at[index] > start:
                yield start, self.at[index], is_code
            start, is_code = self.at[index], self.code[index]
        if start < end:
            yield start, end, is_code


class MachineCode:
    """The functions of one ELF and its loaded bytes."""

    def __init__(
        self,
        segments: Sequence[tuple[int, bytes]],
        symbols: Sequence[ElfSymbol],
        marks: _Marks,
        labels: Mapping[str, int],
        places: Sequence[tuple[int, int]],
    ) -> None:
        """``read_code`` makes it; ``symbols`` in order of address, ``labels`` those without a size.

        ``places``: where the sections with code are (start, end).
        """
        from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, Cs

        self._segments = segments
        self._marks = marks
        self.labels = labels
        self._names = {value & ~1: name for name, value in labels.items()}
        self._places = places
        self.start = min((address for address, _ in segments), default=0)
        self._decoder = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS)
        self.functions = [symbol for symbol in symbols if symbol.kind == "function"]
        self._starts = [function.address for function in self.functions]
        self.objects = [symbol for symbol in symbols if symbol.kind == "object"]

    def named(self, name: str) -> ElfSymbol | None:
        """The function of that name; where there is none, a copy by the compiler (``name.constprop.0``)."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, ElfSymbol]:
        found: dict[str, ElfSymbol] = {}
        for name, function in self._plain_names:
            if name not in found or (function.name == name != found[name].name):
                found[name] = function
        return found

    @cached_property
    def _plain_names(self) -> Sequence[tuple[str, ElfSymbol]]:
        return [(plain(function.name), function) for function in self.functions]

    def matching(self, pattern: str) -> list[ElfSymbol]:
        """The functions whose plain name is of a pattern (``fnmatch``)."""
        is_of = re.compile(translate(pattern)).match
        return [function for name, function in self._plain_names if is_of(name)]

    def object_named(self, name: str) -> ElfSymbol | None:
        """The object of that name, or of ``file.c:name`` where several have it; None unless it is one."""
        file, _, bare = name.rpartition(":")
        found = [o for o in self.objects if o.name == bare and file in ("", o.file)]
        return found[0] if len(found) == 1 else None

    def at(self, address: int) -> ElfSymbol | None:
        """The function that an address is in; the Thumb bit is ignored.

        For code of no function with a size (assembly, pieces beside one) the code from there to the next
        function, under its label or else its address. None where there is no code.
        """
        address &= ~1
        place = bisect_right(self._starts, address) - 1
        while place >= 0 and self._starts[place] > address - _LARGEST:
            if address < self.functions[place].end:
                first = bisect_left(self._starts, self._starts[place])
                return self.functions[first]  # of several names the first: global before local
            place -= 1
        return self._nameless(address)

    def _nameless(self, address: int) -> ElfSymbol | None:
        limit = next((end for start, end in self._places if start <= address < end), None)
        if limit is None:
            return None
        following = bisect_right(self._starts, address)
        end = min(limit, self._starts[following]) if following < len(self._starts) else limit
        _, end, is_code = next(self._marks.spans(address, end))
        name = self._names.get(address, f"0x{address:08X}")
        return ElfSymbol(name, address, end - address, "function", 0, is_global=False) if is_code else None

    def instructions(self, function: ElfSymbol) -> list[Instruction]:
        """The instructions of a function, without its literal pools and tables."""
        found: list[Instruction] = []
        for start, end, is_code in self._marks.spans(function.address, function.end):
            if is_code:
                found += self._decoder.disasm_lite(self.read(start, end - start), start)
        return found

    def read(self, address: int, size: int) -> bytes:
        """Loaded bytes; fewer where the image has no more."""
        for start, data in self._segments:
            if start <= address < start + len(data):
                return data[address - start : address - start + size]
        return b""

    def word(self, address: int) -> int | None:
        """The 32-bit word at an address, None where nothing is loaded."""
        data = self.read(address, 4)
        return int.from_bytes(data, "little") if len(data) == 4 else None

    def functions_in(self, symbol: ElfSymbol) -> list[ElfSymbol]:
        """The functions that the words of an object, or the literals of a function, point to; each once."""
        if symbol.kind == "object":
            spans = [(symbol.address, symbol.end)]
        else:
            marked = self._marks.spans(symbol.address, symbol.end)
            spans = [(start, end) for start, end, is_code in marked if not is_code]
        return self._pointed_to(spans)

    @cached_property
    def taken(self) -> frozenset[str]:
        """The names of all functions whose address stands in the image: what a pointer may ever reach."""
        spans = [(o.address, o.end) for o in self.objects]
        spans += [
            (a, b) for f in self.functions for a, b, code in self._marks.spans(f.address, f.end) if not code
        ]
        return frozenset(function.name for function in self._pointed_to(spans))

    def _pointed_to(self, spans: Iterable[tuple[int, int]]) -> list[ElfSymbol]:
        words = {word for start, end in spans for word in self._words(start, end)}
        starts = {word & ~1 for word in words if word & 1}
        return [f for f in self.functions if f.address in starts and self.at(f.address) == f]

    def _words(self, start: int, end: int) -> Iterator[int]:
        """The aligned words that lie wholly between two addresses; none where nothing is loaded."""
        for address, data in self._segments:
            first = -(-max(start, address) // 4) * 4
            count = (min(end, address + len(data)) - first) // 4
            if count > 0:
                yield from struct.unpack_from(f"<{count}I", data, first - address)


def read_code(path: Path) -> MachineCode:
    """Reads an ELF. Raises ImageFault for one without a symbol table: nothing says where functions are."""
    data = read_file(path)
    headers = read_headers(path, data)
    code = [(s.addr, s.addr + s.size) for s in headers.sections if s.flags & SHF_EXECINSTR]
    with open_elf(path) as elf:
        raw = raw_symbols(elf)
    symbols = sized(raw)
    if not symbols:
        raise ImageFault(f"{path}: no symbol table (stripped): its functions are not known")
    # Of a damaged table, what reaches out of its section would be walked to the end of memory.
    places = [(s.addr, s.addr + s.size) for s in headers.sections if s.flags & SHF_ALLOC]
    inside = [s for s in symbols if _within(s, code if s.kind == "function" else places)]
    return MachineCode(loaded_bytes(headers, data), inside, _marks(raw), _labels(raw), code)


def _within(symbol: ElfSymbol, places: Iterable[tuple[int, int]]) -> bool:
    return any(start <= symbol.address and symbol.end <= end for start, end in places)


def plain(name: str) -> str:
    """A function's name in the source: without what the compiler adds to its copies and parts."""
    return name.partition(".")[0] or name


def _marks(symbols: Iterable[RawSymbol]) -> _Marks:
    found = {
        symbol.value: symbol.name[1] == "t"
        for symbol in symbols
        if symbol.name[:2] in ("$t", "$d") and symbol.name[2:3] in ("", ".")
    }
    ordered = sorted(found.items())
    return _Marks([address for address, _ in ordered], [is_code for _, is_code in ordered])


def _labels(symbols: Iterable[RawSymbol]) -> dict[str, int]:
    """Global symbols without a size: those of the linker script, and functions in assembly."""
    return {
        symbol.name: symbol.value
        for symbol in symbols
        if symbol.is_global and symbol.type in (STT_NOTYPE, STT_FUNC) and not symbol.size
    }
