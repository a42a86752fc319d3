# SPDX-License-Identifier: MIT
"""The store as one SQLite file: who may open it when, and what its errors mean. Knows nothing of runs.

WAL mode; several processes may read and write at once. A lock file beside it keeps the replacing of the
whole file (exclusive) apart from its use (shared): the lock is held for one operation, never in between, so
that a dashboard that is open all day holds up nobody.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from rig.errors import EvidenceFault
from rig.evidence.store.database import BUSY_S, Link, Row, Unusable, insert, must_not_be_newer
from rig.evidence.store.schema import DECIDED, OLD_INDEX, VERSION, steps

_WORDS: Final = {"blob": "BLOB", "clustered": "WITHOUT ROWID"}
_MEANS: Final = {
    "SQLITE_BUSY": ("another process holds it", "Try again when the other one is done"),
    "SQLITE_LOCKED": ("another process holds it", "Try again when the other one is done"),
    "SQLITE_FULL": ("there is no space left", "Make space ('rig store prune' drops samples first)"),
    "SQLITE_READONLY": ("it may only be read", "Look at the rights of the file and its folder"),
    "SQLITE_CANTOPEN": ("it cannot be opened", "Look at the rights of the file and its folder"),
}


class SqliteLink:
    """A connection to the file, or to a new one that is to take its place."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See Link."""
        return list(map(dict, self.connection.execute(sql, values).fetchall()))

    def tuples(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See Link."""
        cursor = self.connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, values).fetchall()

    def do(self, sql: str, values: Sequence[object] = ()) -> int:
        """See Link."""
        return self.connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """See Link."""
        self.connection.executemany(sql, rows)


class SqliteFile:
    """The file at ``path``, made when it is missing. Safe to use from any thread, one at a time."""

    def __init__(self, path: Path, *, busy_s: float = BUSY_S) -> None:
        self.path = path
        self._busy_s = busy_s
        self._lock = threading.RLock()
        self._open: tuple[SqliteLink, int] | None = None
        """The connection, and the inode of the file that it is of."""

    @property
    def shown(self) -> str:
        """See Database."""
        return str(self.path)

    @property
    def file(self) -> Path | None:
        """See Database."""
        return self.path

    @contextmanager
    def reading(self) -> Iterator[Link]:
        """See Database."""
        with self._lock, self._held(exclusive=False), self._explained():
            yield self._connected()

    @contextmanager
    def writing(self) -> Iterator[Link]:
        """See Database; takes the write lock at once, so that two writers wait rather than collide."""
        with self._lock, self._held(exclusive=False), self._explained():
            link = self._connected()
            with _transaction(link):
                yield link

    @contextmanager
    def replaced(self) -> Iterator[Link]:
        """A new, empty store that takes the old one's place at the end of the block, all in one transaction.

        What people decided is carried over. Where it cannot be read any more, the old file stays beside it,
        as ``….damaged``.
        """
        scratch = self.path.with_name(f".{self.path.name}.new")
        with self._lock, self._held(exclusive=True), self._explained():
            self._must_not_be_newer()
            decided = self._decided()
            self.close()
            _remove(scratch)
            with closing(self._opened(scratch)) as connection:
                link = SqliteLink(connection)
                with _transaction(link):
                    _migrate(link, 0)
                    for table, rows in (decided or {}).items():
                        _put_back(link, table, rows)
                    yield link
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if decided is None:
                self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            _remove(self.path)
            scratch.replace(self.path)

    def compact(self) -> None:
        """See Database; needs as much room again while it does so."""
        with self.reading() as link:
            link.do("VACUUM")
            link.do("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """See Database."""
        if self._open is not None:
            self._open[0].connection.close()
            self._open = None

    # --- the file

    def _connected(self) -> SqliteLink:
        """The connection to the file that is there now: another process may have replaced it."""
        inode = self.path.stat().st_ino if self.path.exists() else None
        if self._open is None or self._open[1] != inode:
            self.close()
            connection = self._opened(self.path)
            try:
                link = SqliteLink(connection)
                self._bring_up(link)
            except BaseException:
                connection.close()
                raise
            self._open = (link, self.path.stat().st_ino)
        return self._open[0]

    def _opened(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up(self, link: SqliteLink) -> None:
        """Migrates an older store and makes the tables of an empty one. Raises EvidenceFault, Unusable."""
        version = _version(link)
        must_not_be_newer(version, self.shown)
        if version < VERSION:
            with _transaction(link):
                version = _version(link)  # another process may have been quicker
                if version == OLD_INDEX or (version == 0 and link.ask("SELECT 1 FROM sqlite_master")):
                    raise Unusable(f"{self.path}: an older rig's index")
                _migrate(link, version)

    def _must_not_be_newer(self) -> None:
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(self.path)) as connection:
            must_not_be_newer(connection.execute("PRAGMA user_version").fetchone()[0], self.shown)

    def _decided(self) -> dict[str, list[Row]] | None:
        """The rows of what people decided, by table; None where they cannot be read any more."""
        if not self.path.exists():
            return {}
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            link = SqliteLink(connection)
            there = {row["name"] for row in link.ask("SELECT name FROM sqlite_master")}
            return {table: link.ask(f"SELECT * FROM {table}") for table in DECIDED if table in there}
        return None

    @contextmanager
    def _held(self, *, exclusive: bool) -> Iterator[BinaryIO]:
        """Holds the lock beside the file; blocks until it is free."""
        try:
            file = self.path.with_name(f".{self.path.stem}.lock").open("ab")
        except OSError as error:
            message, hint = f"the store cannot be used: {error.strerror}", None
            if isinstance(error, FileNotFoundError):
                message = f"there is no store: no folder {self.path.parent}"
                hint = "A run here makes one; or name another by --store. 'rig demo DIR' makes up a year"
            raise EvidenceFault(message, evidence=self.shown, hint=hint) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield file

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorname", "")
            means = [words for name, words in _MEANS.items() if code.startswith(name)]
            what, hint = means[0] if means else (str(error), None)
            message = f"the store cannot be used: {what}"
            raise EvidenceFault(message, evidence=self.shown, hint=hint) from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise Unusable(f"{self.path}: {error}") from error
        except OSError as error:
            raise EvidenceFault(f"the store cannot be used: {error.strerror}", evidence=self.shown) from error


@contextmanager
def _transaction(link: SqliteLink) -> Iterator[None]:
    link.do("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            link.do("ROLLBACK")
        raise
    link.do("COMMIT")


def _migrate(link: SqliteLink, version: int) -> None:
    for statement in steps(version, **_WORDS):
        link.do(statement)
    link.do(f"PRAGMA user_version = {VERSION}")


def _version(link: SqliteLink) -> int:
    return int(link.ask("PRAGMA user_version")[0]["user_version"])


def _put_back(link: SqliteLink, table: str, rows: list[Row]) -> None:
    for row in rows:
        link.do(insert(table, list(row)), list(row.values()))


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
