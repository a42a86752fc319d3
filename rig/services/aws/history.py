# SPDX-License-Identifier: MIT
"""What became of the jobs, event by event, for who watches. Kept with the changes themselves."""

from __future__ import annotations

import json
import sqlite3
import threading

from rig.services.aws.json_object import Tree
from rig.services.aws.ota_database import OtaDatabase


def note(connection: sqlite3.Connection, at: float, event: str, **facts: object) -> None:
    """Notes an event within the transaction of ``connection``. ``at``: seconds since 1970."""
    told = json.dumps({"event": event, **facts})
    connection.execute("INSERT INTO history (at, event) VALUES (?, ?)", (at, told))


class History:
    """Reads the events, and wakes who waits for one. Safe from any thread."""

    def __init__(self, database: OtaDatabase) -> None:
        self._database = database
        self._changed = threading.Condition()

    def since(self, last: int) -> list[Tree]:
        """Every event after the one of that number (0: all), each with its ``number`` and ``at``."""
        query = "SELECT id, at, event FROM history WHERE id > ? ORDER BY id"
        with self._database.reading() as connection:
            rows = connection.execute(query, (last,)).fetchall()
        return [{"number": row[0], "at": row[1], **json.loads(row[2])} for row in rows]

    def last(self) -> int:
        """The number of the last event; 0 where there is none."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM history").fetchone()[0])

    def wait(self, timeout_s: float) -> None:
        """Blocks until something may have been noted, or the time has passed."""
        with self._changed:
            self._changed.wait(timeout_s)

    def wake(self) -> None:
        """Something was noted."""
        with self._changed:
            self._changed.notify_all()
