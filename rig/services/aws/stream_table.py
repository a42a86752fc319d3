# SPDX-License-Identifier: MIT
"""Streams and their files within one transaction or reading. A stream is written once and never changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: whose it is, and the size in bytes of each of its files."""

    name: str
    thing: str
    version: int
    description: str
    sizes: Mapping[int, int]


class StreamTable:
    """The streams as ``connection`` sees them. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, name: str, thing: str, description: str, files: Mapping[int, bytes]) -> None:
        """A new stream with its files by number."""
        row = (name, thing, VERSION, description)
        self._connection.execute("INSERT INTO streams VALUES (?, ?, ?, ?)", row)
        self._connection.executemany(
            "INSERT INTO files (stream, file, content) VALUES (?, ?, ?)",
            [(name, number, content) for number, content in files.items()],
        )

    def find(self, name: str) -> Stream | None:
        """The stream; None where there is none of that name."""
        query = "SELECT thing, version, description FROM streams WHERE stream = ?"
        row = self._connection.execute(query, (name,)).fetchone()
        if row is None:
            return None
        files = self._connection.execute(
            "SELECT file, length(content) FROM files WHERE stream = ? ORDER BY file", (name,)
        )
        return Stream(name, row[0], row[1], row[2], dict(files.fetchall()))

    @contextmanager
    def content(self, stream: str, file: int) -> Iterator[sqlite3.Blob | None]:
        """A file to read from at any place, without all of it in memory; None where there is none."""
        query = "SELECT place FROM files WHERE stream = ? AND file = ?"
        row = self._connection.execute(query, (stream, file)).fetchone()
        if row is None:
            yield None
            return
        with self._connection.blobopen("files", "content", row[0], readonly=True) as blob:
            yield blob
