# SPDX-License-Identifier: MIT
"""The memory of a board as its run tells it: regions by the linker, heap and stacks as they were measured.

Owns which measurements of the memory suite make one map, by their names and context: ``memory.region.R.used``
(``size``, ``start``, ``section …``, ``symbol …``), ``memory.heap.free`` and ``.min_ever`` (``total``),
``memory.stack.T.unused`` (``size``). What lacks its size is left to be shown as a plain figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.text import size
from rig.evidence.model import MeasurementResult

Kind = Literal["region", "heap", "stack"]
_REGION = re.compile(r"memory\.region\.(?P<name>.+)\.used")
_STACK = re.compile(r"memory\.stack\.(?P<name>.+)\.unused")
_FREE, _LEAST = "memory.heap.free", "memory.heap.min_ever"


@dataclass(frozen=True, slots=True)
class Room:
    """A region, a heap or a stack, in bytes: what is used of ``total``, None where nobody said.

    ``peak``: the most that was ever used, where that is known apart. ``limit``: the most that may be used.
    ``parts`` (sections) and ``largest`` (symbols) say what is in it, as far as the run knows.
    """

    kind: Kind
    name: str
    used: float
    total: float | None
    measurement: MeasurementResult
    start: str = ""
    peak: float | None = None
    limit: float | None = None
    parts: tuple[tuple[str, float], ...] = ()
    largest: tuple[tuple[str, float], ...] = ()

    @property
    def share(self) -> float:
        """The part in use, from 0 to 1; 0 where the size is unknown."""
        return min(1.0, max(0.0, self.used / self.total)) if self.total else 0.0

    @property
    def text(self) -> str:
        """``60.2 KiB of 256 KiB``."""
        return size(self.used) + (f" of {size(self.total)}" if self.total else "")


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """The rooms of one board; ``names`` are the measurements that are told by them."""

    regions: tuple[Room, ...]
    heaps: tuple[Room, ...]
    stacks: tuple[Room, ...]

    @property
    def names(self) -> frozenset[str]:
        """The measurements that need not be shown again."""
        rooms = (*self.regions, *self.heaps, *self.stacks)
        return frozenset(room.measurement.name for room in rooms) | ({_LEAST} if self.heaps else set())

    def __bool__(self) -> bool:
        return bool(self.regions or self.heaps or self.stacks)


def memory_map(measurements: Sequence[MeasurementResult]) -> MemoryMap:
    """The map of one board, from all its measurements."""
    return MemoryMap(tuple(_regions(measurements)), tuple(_heaps(measurements)), tuple(_stacks(measurements)))


def _regions(measurements: Iterable[MeasurementResult]) -> Iterable[Room]:
    for m in measurements:
        if match := _REGION.fullmatch(m.name):
            yield Room(
                "region",
                match["name"],
                m.max,
                _known(m, "size"),
                m,
                start=str(m.context.get("start", "")),
                limit=m.upper,
                parts=_listed(m, "section "),
                largest=_listed(m, "symbol "),
            )


def _heaps(measurements: Iterable[MeasurementResult]) -> Iterable[Room]:
    by_name = {m.name: m for m in measurements}
    free, least = by_name.get(_FREE), by_name.get(_LEAST)
    if free is not None and (total := _known(free, "total")) is not None:
        peak = total - least.max if least is not None else None
        yield Room("heap", str(free.context.get("scheme", "heap")), total - free.max, total, free, peak=peak)


def _stacks(measurements: Iterable[MeasurementResult]) -> Iterable[Room]:
    for m in measurements:
        total = _known(m, "size")
        if (match := _STACK.fullmatch(m.name)) and total is not None:
            most = None if m.lower is None else total - m.lower
            yield Room("stack", match["name"], total - m.max, total, m, limit=most)


def _known(m: MeasurementResult, key: str) -> float | None:
    value = m.context.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _listed(m: MeasurementResult, prefix: str) -> tuple[tuple[str, float], ...]:
    items = ((key.removeprefix(prefix), value) for key, value in m.context.items() if key.startswith(prefix))
    sizes = ((name, float(value)) for name, value in items if isinstance(value, int | float) and value > 0)
    return tuple(sorted(sizes, key=lambda item: -item[1]))
