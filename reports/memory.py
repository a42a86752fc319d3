# SPDX-License-Identifier: MIT
"""The memory of a board as its run tells it: regions by the linker, heap and stacks as they were measured.

Owns which measurements of the memory suite make one map, by their names and context: ``memory.region.R.used``
(``size``, ``start``, ``section …``, ``symbol …``), ``memory.heap.free`` and ``.min_ever`` (``total``),
``memory.stack.T.unused`` (``size``), joined with ``.static_worst`` and ``.lowest``; ``memory.library.L.R``.
What lacks its size is left to be shown as a plain figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.text import size
from rig.events import Scalar
from rig.evidence.model import MeasurementResult

Kind = Literal["region", "heap", "stack"]
_REGION = re.compile(r"memory\.region\.(?P<name>.+)\.used")
_STACK = re.compile(r"memory\.stack\.(?P<name>.+)\.unused")
_LIBRARY = re.compile(r"memory\.library\.(?P<name>.+)\.(?P<region>[^.]+)")
_JOINED = re.compile(r"memory\.stack\.(?P<name>.+)\.(?P<what>static_worst|lowest)")
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
class Stack:
    """What is known of one stack, in bytes: its size, static worst case, and what was never used of it.

    ``lowest`` is the least unused after any case of the run, ``after`` the case that reached it; ``unused``
    and ``firmware`` what the probe and the firmware saw at the end. None is not known.
    """

    name: str
    size: float | None
    worst: MeasurementResult | None
    lowest: MeasurementResult | None
    unused: MeasurementResult | None

    @property
    def unbounded(self) -> str:
        """What makes the worst case endless; empty where nothing does."""
        return str(self.worst.context.get("unbounded", "")) if self.worst else ""

    @property
    def margin(self) -> float | None:
        """Bytes that the worst case leaves."""
        known = self.worst is not None and self.size is not None and not self.unbounded
        return self.size - self.worst.max if known and self.size is not None and self.worst else None

    @property
    def least(self) -> float | None:
        """The least that was ever unused, as far as anybody saw."""
        seen = [m.max for m in (self.lowest, self.unused) if m is not None]
        return min(seen, default=None)

    @property
    def after(self) -> str:
        """The case after which it was lowest."""
        return str(self.lowest.context.get("after", "")) if self.lowest else ""

    @property
    def firmware(self) -> Scalar:
        """Unused bytes by the firmware's own count."""
        return self.unused.context.get("firmware") if self.unused else None

    @property
    def path(self) -> str:
        """The deepest way down, as ``a > b``."""
        return str(self.worst.context.get("path", "")) if self.worst else ""


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """The rooms of one board; ``names`` are the measurements that are told by them.

    ``joined`` has every stack that a run knows; ``libraries`` the bytes by library and region.
    """

    regions: tuple[Room, ...]
    heaps: tuple[Room, ...]
    stacks: tuple[Room, ...]
    joined: tuple[Stack, ...] = ()
    libraries: tuple[tuple[str, dict[str, float]], ...] = ()
    told: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The measurements that need not be shown again."""
        rooms = (*self.regions, *self.heaps, *self.stacks)
        of_rooms = frozenset(room.measurement.name for room in rooms)
        return of_rooms | self.told | ({_LEAST} if self.heaps else set())

    def __bool__(self) -> bool:
        return bool(self.regions or self.heaps or self.stacks)


def memory_map(measurements: Sequence[MeasurementResult]) -> MemoryMap:
    """The map of one board, from all its measurements."""
    regions, heaps, stacks = (tuple(of(measurements)) for of in (_regions, _heaps, _stacks))
    joined, libraries = _joined(measurements, stacks), _libraries(measurements)
    parts = [m for stack in joined for m in (stack.worst, stack.lowest) if m is not None]
    told = {m.name for m in parts} | {m.name for m in measurements if _LIBRARY.fullmatch(m.name)}
    return MemoryMap(regions, heaps, stacks, joined, libraries, frozenset(told))


def _joined(measurements: Iterable[MeasurementResult], stacks: Sequence[Room]) -> tuple[Stack, ...]:
    """Every stack that has a worst case or a low mark, with what else is known of it."""
    rooms = {room.name: room for room in stacks}
    found: dict[str, dict[str, MeasurementResult]] = {}
    for m in measurements:
        if match := _JOINED.fullmatch(m.name):
            found.setdefault(match["name"], {})[match["what"]] = m
    rows = []
    for name, known in found.items():
        worst, lowest = known.get("static_worst"), known.get("lowest")
        room = rooms.get(name)
        sizes = [room.total if room else None, *(_known(m, "size") for m in (lowest, worst) if m)]
        size = next((size for size in sizes if size is not None), None)
        rows.append(Stack(name, size, worst, lowest, room.measurement if room else None))
    return tuple(rows)


def _libraries(measurements: Iterable[MeasurementResult]) -> tuple[tuple[str, dict[str, float]], ...]:
    found: dict[str, dict[str, float]] = {}
    for m in measurements:
        if match := _LIBRARY.fullmatch(m.name):
            found.setdefault(match["name"], {})[match["region"]] = m.max
    return tuple(sorted(found.items(), key=lambda item: -sum(item[1].values())))


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
