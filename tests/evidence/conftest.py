# SPDX-License-Identifier: MIT
"""The databases of the store's tests: an SQLite file, and a PostgreSQL server of the test run's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, own_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running server; each test takes a database of its own from it."""
    with own_server() as server, server.running():
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, to be opened: of each kind of database in turn."""
    if request.param == "sqlite":
        (tmp_path / "stores").mkdir()
        return str(tmp_path / "stores" / "shared.sqlite")
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()
