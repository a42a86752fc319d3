# SPDX-License-Identifier: MIT
"""The fixture ``fresh_name``: names that a case makes up, so that nothing of another case is taken for its.

Owns that the run knows them: a transcript is full of them, so a case that is played gets the same ones again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

import pytest

from rig.pytest_plugin.current import of_request

DREW: Final = "drew"
"""The kind of the event that tells of a name; its source is ``mqtt``, whose topics they are."""


@pytest.fixture
def fresh_name(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives names of eight hexadecimal digits, each of them new."""
    qualification, case = of_request(request)
    if qualification.board.played is not None:
        return qualification.board.played.names(case)

    def draw() -> str:
        name = secrets.token_hex(4)
        qualification.event("mqtt", DREW, {"name": name})
        return name

    return draw
