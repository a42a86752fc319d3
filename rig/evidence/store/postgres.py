# SPDX-License-Identifier: MIT
"""The store in a PostgreSQL database that several hosts share: the connection, and what its errors mean.

Those that write take turns by an advisory lock, as they do on the one file of SQLite. A connection that was
lost is made again at the next operation. psycopg is imported on first use only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString

from rig.errors import EvidenceFault, UsageFault
from rig.evidence.store.database import BUSY_S, Link, Row, must_not_be_newer
from rig.evidence.store.schema import VERSION, steps

if TYPE_CHECKING:
    import psycopg

SCHEMES: Final = ("postgresql://", "postgres://")
REACHED_WITHIN_S: Final = 5
"""How long a server may take to answer the first time, in whole seconds."""

_WORDS: Final = {"blob": "BYTEA", "clustered": ""}
_TURN: Final = 0x52494753  # "RIGS", the number of the advisory lock
_MEANS: Final = {
    "25006": ("it may only be read", "Is it a standby, or set to read only?"),
    "53100": ("there is no space left", "Make space on the server ('rig store prune' drops samples first)"),
    "53300": ("it has too many connections", "Try again when others are done"),
    "55P03": ("another process holds it", "Try again when the other one is done"),
    "42501": ("this user may not do that", "Grant it the rights on the tables of the store"),
}
"""By SQLSTATE (PostgreSQL's documentation, appendix A)."""
_CONNECTION, _SHUTDOWN = "08", "57P"


class PostgresLink:
    """A connection to the server."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self.connection = connection

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See Link."""
        return list(self.connection.execute(_in_its_form(sql), values).fetchall())

    def tuples(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See Link."""
        from psycopg.rows import tuple_row

        with self.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(_in_its_form(sql), values).fetchall()

    def do(self, sql: str, values: Sequence[object] = ()) -> int:
        """See Link."""
        return self.connection.execute(_in_its_form(sql), values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """See Link."""
        with self.connection.cursor() as cursor:
            cursor.executemany(_in_its_form(sql), rows)


class PostgresServer:
    """The database named by a ``postgresql://`` address. Safe to use from any thread, one at a time."""

    def __init__(self, address: str, *, busy_s: float = BUSY_S) -> None:
        self._address = address
        self._busy_s = busy_s
        self._lock = threading.RLock()
        self._open: PostgresLink | None = None
        self.shown = _without_secrets(address)
        """See Database."""

    @property
    def file(self) -> Path | None:
        """See Database."""
        return None

    @contextmanager
    def reading(self) -> Iterator[Link]:
        """See Database."""
        with self._lock, self._explained():
            yield self._connected()

    @contextmanager
    def writing(self) -> Iterator[Link]:
        """See Database."""
        with self._lock, self._explained():
            link = self._connected()
            with link.connection.transaction():
                link.ask("SELECT pg_advisory_xact_lock(?)", (_TURN,))
                yield link

    def compact(self) -> None:
        """See Database: a server's autovacuum does."""

    def close(self) -> None:
        """See Database."""
        if self._open is not None:
            with suppress(Exception):  # it may be broken already
                self._open.connection.close()
            self._open = None

    def _connected(self) -> PostgresLink:
        import psycopg

        if self._open is not None:
            try:
                self._open.do("SELECT 1")
            except psycopg.OperationalError:
                self.close()
        if self._open is None:
            link = PostgresLink(self._opened())
            try:
                _bring_up(link, self.shown)
            except BaseException:
                link.connection.close()
                raise
            self._open = link
        return self._open

    def _opened(self) -> psycopg.Connection[dict[str, Any]]:
        import psycopg
        from psycopg.rows import dict_row

        try:
            connection = psycopg.connect(
                self._address,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=REACHED_WITHIN_S,
                fallback_application_name="rig",
            )
        except psycopg.OperationalError as error:
            raise EvidenceFault(
                f"the store cannot be reached: {_first_line(error)}",
                evidence=self.shown,
                hint="Runs go on without it; 'rig store ingest' brings in later what it missed",
            ) from error
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{self._busy_s * 1e3:.0f}ms",))
        connection.execute("SET client_min_messages TO warning")
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            what, hint = _MEANS.get(error.sqlstate or "", (_first_line(error), None))
            lost = (error.sqlstate or _CONNECTION).startswith((_CONNECTION, _SHUTDOWN))
            if isinstance(error, psycopg.OperationalError) and lost:
                what = f"the connection was lost: {_first_line(error)}"
                self.close()
            raise EvidenceFault(
                f"the store cannot be used: {what}", evidence=self.shown, hint=hint
            ) from error


def _bring_up(link: PostgresLink, shown: str) -> None:
    """Makes or migrates the tables, one process at a time. Raises EvidenceFault for a newer schema."""
    version = _version(link)
    must_not_be_newer(version, shown)
    if version == VERSION:
        return
    with link.connection.transaction():
        link.ask("SELECT pg_advisory_xact_lock(?)", (_TURN,))
        link.do("CREATE TABLE IF NOT EXISTS rig_schema (version BIGINT NOT NULL)")
        version = _version(link)  # another process may have been quicker
        for statement in steps(version, **_WORDS):
            link.do(statement)
        link.do("DELETE FROM rig_schema")
        link.do("INSERT INTO rig_schema (version) VALUES (?)", (VERSION,))


def _version(link: PostgresLink) -> int:
    if link.ask("SELECT to_regclass('rig_schema') AS found")[0]["found"] is None:
        return 0
    rows = link.ask("SELECT version FROM rig_schema")
    return int(rows[0]["version"]) if rows else 0


def _in_its_form(sql: str) -> LiteralString:
    """Values are ``%s`` to psycopg; the texts are all the store's own."""
    return sql.replace("%", "%%").replace("?", "%s")


def _without_secrets(address: str) -> str:
    """The address without password and options. Raises UsageFault if it is none."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise UsageFault(
            "not an address of a PostgreSQL database", hint="Expected postgresql://USER@HOST:PORT/DATABASE"
        ) from error
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
