# SPDX-License-Identifier: MIT
"""Where shadows are kept: one SQLite file, so that they outlive the service. Knows nothing of their rules."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from rig.services.aws.shadow_document import Shadow

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shadows (
  thing TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, timestamp INTEGER NOT NULL,
  state TEXT NOT NULL, metadata TEXT NOT NULL, present INTEGER NOT NULL, PRIMARY KEY (thing, name))
"""


class ShadowStore:
    """The shadows of all things. ``name`` is empty for the classic one. Raises sqlite3.Error.

    For one thread at a time; a connection per call, so that the file may vanish or fill between two.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as connection, connection:
            connection.execute(_SCHEMA)

    def load(self, thing: str, name: str) -> Shadow:
        """The shadow, or one that does not exist: of version 0 if there never was one."""
        query = (
            "SELECT version, timestamp, state, metadata, present FROM shadows WHERE thing = ? AND name = ?"
        )
        with closing(self._open()) as connection:
            row = connection.execute(query, (thing, name)).fetchone()
        if row is None:
            return Shadow(exists=False)
        return Shadow(row[0], row[1], json.loads(row[2]), json.loads(row[3]), bool(row[4]))

    def save(self, thing: str, name: str, shadow: Shadow) -> None:
        """Keeps the shadow; with the operating system when it returns."""
        texts = (json.dumps(shadow.state), json.dumps(shadow.metadata))
        row = (thing, name, shadow.version, shadow.timestamp, *texts, shadow.exists)
        with closing(self._open()) as connection, connection:
            connection.execute("INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path)
        connection.execute("PRAGMA synchronous = OFF")  # it must outlive the service, not the machine
        return connection
