# SPDX-License-Identifier: MIT
"""What must be said though nobody asked: kept with the change that it is of, until the broker has it.

A service that is killed between the two says it when it is back. The other replies are not kept: a device
that hears none asks again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from rig.services.aws.json_object import Tree, compact
from rig.services.aws.ota_database import OtaDatabase

Publish = Callable[[str, bytes], Callable[[float], bool]]
"""Says the payload on the topic, now or when the broker is back; what it returns blocks for at most so many
seconds until the broker has it, and tells whether it does."""

_LOOK_S: Final = 0.5


def put(connection: sqlite3.Connection, topic: str, said: Tree) -> None:
    """Has it said once the transaction of ``connection`` has ended."""
    connection.execute("INSERT INTO outbox (topic, payload) VALUES (?, ?)", (topic, compact(said)))


class Outbox:
    """Empties the outbox on a thread of its own while the context is entered, in the order it was filled."""

    def __init__(self, database: OtaDatabase, publish: Publish) -> None:
        self._database = database
        self._publish = publish
        self._filled = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def __enter__(self) -> Outbox:
        self._thread.start()
        self.look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._filled.set()
        self._thread.join()

    def look(self) -> None:
        """Something may have been put there. From any thread."""
        self._filled.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._filled.wait(_LOOK_S)
            self._filled.clear()
            with suppress(sqlite3.Error):  # what cannot be read or removed now is tried with the next
                self._empty()

    def _empty(self) -> None:
        while (first := self._first()) is not None and not self._ended.is_set():
            place, topic, payload = first
            arrived = self._publish(topic, payload)
            while not arrived(_LOOK_S):
                if self._ended.is_set():
                    return
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM outbox WHERE id = ?", (place,))

    def _first(self) -> tuple[int, str, bytes] | None:
        with self._database.reading() as connection:
            query = "SELECT id, topic, payload FROM outbox ORDER BY id LIMIT 1"
            row: tuple[int, str, bytes] | None = connection.execute(query).fetchone()
            return row
