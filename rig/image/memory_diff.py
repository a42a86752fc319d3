# SPDX-License-Identifier: MIT
"""What grew, shrank, came, went or moved between two images, to the symbol.

Owns which rows of two tables are the same thing. The sum of all changes is the difference of the totals,
because bytes without a symbol and fill are rows like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rig.image.memory_table import Row, Table

Verb = Literal["grown", "shrunk", "new", "gone", "moved"]
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: bytes before and after; where it was and is, as ``library object section``."""

    verb: Verb
    name: str
    before: int
    after: int
    was: str
    now: str

    @property
    def delta(self) -> int:
        """Bytes more; below 0: fewer."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes between two tables, those of most bytes first."""

    before: Table
    after: Table
    changes: tuple[Change, ...]

    @property
    def delta(self) -> int:
        """Bytes more in total."""
        return self.after.total - self.before.total


def difference(before: Table, after: Table) -> Difference:
    """Compares two tables. A symbol that is in another object or section than before has *moved*."""
    old, new = _summed(before.rows), _summed(after.rows)
    same = [_changed(key, old[key], new[key]) for key in old.keys() & new.keys() if old[key] != new[key]]
    gone, came = old.keys() - new.keys(), new.keys() - old.keys()
    moved = dict(_moves(gone, came))
    changes = [
        *same,
        *(Change("moved", a[0], old[a], new[b], _place(a), _place(b)) for a, b in moved.items()),
        *(Change("gone", key[0], old[key], 0, _place(key), "") for key in gone - moved.keys()),
        *(Change("new", key[0], 0, new[key], "", _place(key)) for key in came - set(moved.values())),
    ]
    ordered = sorted(changes, key=lambda c: (-abs(c.delta), c.verb, c.name, c.was, c.now))
    return Difference(before, after, tuple(ordered))


def _summed(rows: Iterable[Row]) -> dict[_Key, int]:
    """Sizes by name and place: static objects of functions may share their name in one file."""
    found: dict[_Key, int] = {}
    for row in rows:
        key = (row.name, row.library, row.object, row.section)
        found[key] = found.get(key, 0) + row.size
    return found


def _moves(gone: Iterable[_Key], came: Iterable[_Key]) -> Iterator[tuple[_Key, _Key]]:
    """Pairs of one name that went from one place alone and came to one alone."""
    old, new = _by_name(gone), _by_name(came)
    for name in old.keys() & new.keys():
        if len(old[name]) == len(new[name]) == 1 and not name.startswith("("):
            yield old[name][0], new[name][0]


def _by_name(keys: Iterable[_Key]) -> dict[str, list[_Key]]:
    found: dict[str, list[_Key]] = {}
    for key in keys:
        found.setdefault(key[0], []).append(key)
    return found


def _changed(key: _Key, before: int, after: int) -> Change:
    return Change("grown" if after > before else "shrunk", key[0], before, after, _place(key), _place(key))


def _place(key: _Key) -> str:
    return " ".join(word for word in key[1:] if word)
