# SPDX-License-Identifier: MIT
"""``limits.toml``: which limit holds for a measurement on a board. Owns the file's form, not the verdict.

One ``[[limit]]`` table per limit::

    [[limit]]
    measurement = "kernel.yield"        # its name
    unit = "cycles"                     # must be the measurement's, or its outcome is ERROR
    statistic = "p99"                   # what is judged; without it the measurement's own
    upper = 400                         # lower, upper or both; both bounds pass
    guard_band = 0.05                   # a pass this near to a bound is marginal: fraction of the range, or
                                        # of the bound where only one is given; without it nothing is
    origin = "requirement: KRN-012"     # or "datasheet: DS8626 rev 9, table 31",
                                        # or "provisional: measured 20261122T101500Z-a1b2 + 20 %"
    board = "mps2"                      # holds only there; also clock and build

Of the limits that match, the one with the most of ``board``, ``clock`` and ``build`` wins. Two that could
both match, neither being the more special one, are refused, unless a third with the keys of both decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from rig.errors import UsageFault
from rig.evidence import toml_text
from rig.evidence.measurement import SpecLimit

PLACE_KEYS = ("board", "clock", "build")
_REQUIRED = ("measurement", "unit", "origin")
_TEXTS = (*_REQUIRED, *PLACE_KEYS, "statistic")
_NUMBERS = ("lower", "upper", "guard_band")
_ORIGIN = re.compile(r"(requirement|datasheet): *\S.*|provisional: *measured +\S+ *\+ *\S.*")
_ORIGINS = "'requirement: <id>', 'datasheet: <where>' or 'provisional: measured <run> + <margin>'"


@dataclass(frozen=True, slots=True)
class Entry:
    """One limit: the measurement it is for and the place (``board``, ``clock``, ``build``) it is bound to."""

    measurement: str
    place: Mapping[str, str]
    limit: SpecLimit

    def holds_at(self, place: Mapping[str, str | None]) -> bool:
        """True if every place it is bound to is this one."""
        return all(place.get(key) == value for key, value in self.place.items())


@dataclass(frozen=True, slots=True)
class LimitTable:
    """All limits of the files that were loaded; without any by default."""

    entries: tuple[Entry, ...] = ()

    def find(
        self, measurement: str, board: str | None = None, clock: str | None = None, build: str | None = None
    ) -> SpecLimit | None:
        """The most special limit that holds for the measurement there, or None."""
        place = {"board": board, "clock": clock, "build": build}
        found = [e for e in self.entries if e.measurement == measurement and e.holds_at(place)]
        return max(found, key=lambda entry: len(entry.place)).limit if found else None

    @property
    def measurements(self) -> frozenset[str]:
        """The names that have limits somewhere."""
        return frozenset(entry.measurement for entry in self.entries)


def load_limits(*paths: Path, root: Path | None = None) -> LimitTable:
    """Reads one or more ``limits.toml``; their places are shown relative to ``root`` where they lie below it.

    Raises UsageFault with every fault of all files, one ``file:line: …`` per line.
    """
    faults: list[str] = []
    entries = [entry for path in paths for entry in _load(path, _shown(path, root), faults)]
    faults += [_clash(a, b) for a, b in combinations(entries, 2) if _ambiguous(a, b, entries)]
    if faults:
        raise UsageFault("\n".join(["the limits cannot be used:", *faults]))
    return LimitTable(tuple(entries))


def _shown(path: Path, root: Path | None) -> str:
    inside = root is not None and path.absolute().is_relative_to(root.absolute())
    return path.absolute().relative_to(root.absolute()).as_posix() if root and inside else str(path)


def _load(path: Path, shown: str, faults: list[str]) -> list[Entry]:
    text, document, why = toml_text.read(path, shown)
    before = len(faults)
    faults += [why] if why else []
    unknown = sorted(document.keys() - {"limit"})
    faults += [f"{shown}: unknown key '{key}', expected [[limit]] tables only" for key in unknown]
    try:
        tables = toml_text.tables_of(document, text, "limit")
    except ValueError as error:
        faults.append(f"{shown}: {error}")
    if len(faults) > before:
        return []
    return [entry for table, at in tables if (entry := _entry(table, shown, at, faults))]


def _entry(table: Mapping[str, Any], shown: str, at: Mapping[str, int], faults: list[str]) -> Entry | None:
    """The limit of a table, or None after its faults are added to ``faults``."""
    own = [f"{shown}:{at.get(key, at[''])}: {fault}" for key, fault in _table_faults(table)]
    faults += own
    if own:
        return None
    place = {key: table[key] for key in PLACE_KEYS if key in table}
    numbers = {key: table.get(key) for key in ("lower", "upper")}
    try:
        limit = SpecLimit(
            **numbers,
            origin=table["origin"],
            at=f"{shown}:{at['']}",
            provisional=table["origin"].startswith("provisional"),
            guard_band=table.get("guard_band", 0.0),
            statistic=table.get("statistic"),
            unit=table["unit"],
        )
    except (ValueError, OverflowError) as error:
        faults.append(f"{shown}:{at['']}: {table['measurement']}: {error}")
        return None
    return Entry(table["measurement"], place, limit)


def _table_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Faults of a table's keys and types, each with the key it is of."""
    for key in sorted(table.keys() - {*_TEXTS, *_NUMBERS}):
        yield key, f"unknown key '{key}'{toml_text.nearest(key, [*_TEXTS, *_NUMBERS])}"
    for key in _REQUIRED:
        if key not in table:
            yield "", f"{key} is missing"
    for key in _TEXTS:
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            yield key, f"{key} must be a text that is not empty, got {table[key]!r}"
    for key in _NUMBERS:
        if key in table and type(table[key]) not in (int, float):
            yield key, f"{key} must be a number, got {table[key]!r}"
    origin = table.get("origin")
    if isinstance(origin, str) and origin.strip() and not _ORIGIN.fullmatch(origin):
        yield "origin", f"origin must be {_ORIGINS}, got {origin!r}"


def _ambiguous(a: Entry, b: Entry, entries: list[Entry]) -> bool:
    """True if both may hold at one place and neither is the more special one there."""
    if a.measurement != b.measurement or any(
        a.place[k] != b.place[k] for k in a.place.keys() & b.place.keys()
    ):
        return False
    if len(a.place) != len(b.place) and (
        a.place.items() <= b.place.items() or b.place.items() <= a.place.items()
    ):
        return False
    both = {**a.place, **b.place}
    decided = any(e.measurement == a.measurement and e.place == both for e in entries if e not in (a, b))
    return not decided


def _clash(a: Entry, b: Entry) -> str:
    return (
        f"{b.limit.at}: {b.measurement}: this limit and that of {a.limit.at} could both hold, and neither is "
        f"the more special one (keys: {', '.join(b.place) or 'none'} / {', '.join(a.place) or 'none'})"
    )
