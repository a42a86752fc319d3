# SPDX-License-Identifier: MIT
"""What the store asks of a database: a connection that takes SQL, for reading or in one transaction.

SQL is written once, with ``?`` for values; ``sqlite.py`` and ``postgres.py`` are the two that take it. Both
raise EvidenceFault in words of their own for what goes wrong, and ``Unusable`` where the whole must be made
again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

from rig.errors import EvidenceFault
from rig.evidence.store.schema import VERSION

BUSY_S: Final = 30.0
"""How long one waits for another that writes, in seconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]
_T = TypeVar("_T")


class Unusable(Exception):
    """The database is damaged or of the old index's version: it must be made again. Stays in the store."""


class Link(Protocol):
    """An open connection. Each of its methods blocks until the database has answered."""

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a query; columns by name."""
        ...

    def tuples(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query without the names of columns, for very many of them."""
        ...

    def do(self, sql: str, values: Sequence[object] = ()) -> int:
        """Executes a statement; how many rows it changed."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Executes a statement for each of many rows."""
        ...


class Database(Protocol):
    """A place that keeps the tables; usable from any thread, one at a time."""

    @property
    def shown(self) -> str:
        """What to call it in a message; holds no secret."""
        ...

    @property
    def file(self) -> Path | None:
        """The file that it is; None for a server."""
        ...

    def reading(self) -> AbstractContextManager[Link]:
        """The connection, to read. Raises EvidenceFault, Unusable."""
        ...

    def writing(self) -> AbstractContextManager[Link]:
        """The connection in one transaction, all or nothing; waits for others that write."""
        ...

    def compact(self) -> None:
        """Gives back the room of what was taken out, where the database does not do so by itself."""
        ...

    def close(self) -> None:
        """Lets go of the connection; it is opened again when it is asked for."""
        ...


def must_not_be_newer(version: int, shown: str) -> None:
    """Raises EvidenceFault for a schema that a newer rig has made: it is never touched."""
    if version > VERSION:
        raise EvidenceFault(
            f"the store is of schema {version}; this rig knows up to {VERSION}",
            evidence=shown,
            hint="Use the rig that made it, or a newer one",
        )


def microseconds(moment: datetime) -> int:
    """A moment as the tables have it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """A moment of the tables, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def cell(value: object) -> object:
    """A value as both databases take it.

    Mappings and sequences become JSON, flags 0 or 1, NaN nothing; halves of characters and NUL, which a board
    may say, are written out.
    """
    kind = type(value)
    if value is None or kind is int:
        return value
    if kind is float:
        return None if math.isnan(cast(float, value)) else value
    if isinstance(value, str | Path):
        text = str(value)
        plain = text.isascii() and "\0" not in text
        return text if plain else text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    return json.dumps(list(value)) if isinstance(value, tuple | list) else value


def marks(values: Collection[object]) -> str:
    """A ``?`` for each value of a list in SQL; a list of none holds nothing."""
    return ", ".join("?" * len(values)) or "NULL"


def portions(values: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """The values in lists of so many, for statements that name each of them."""
    left = iter(values)
    while portion := list(islice(left, size)):
        yield portion


def insert(table: str, columns: Sequence[str], *, again: str = "") -> str:
    """The statement that puts a row into a table; ``again``: what to do where it is there already."""
    names = ", ".join(f'"{name}"' for name in columns)
    conflict = f" ON CONFLICT {again}" if again else ""
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))}){conflict}"
