# SPDX-License-Identifier: MIT
"""The fixture ``nor``: faults of the flash of a board, where its images have the model of it.

Owns which cases have none. What the model can do is ``rig/links/nor_control.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.nor_control import NorControl as NorControl
    from rig.pytest_plugin.updates import Updates

NO_MODEL: Final = "its images have no model of NOR flash, and faults of a real one cannot be made"


class SessionMemory:
    """A board's memory by whatever probe is attached now: with its power the board loses the one before."""

    def __init__(self, session: BoardSession) -> None:
        self._session = session

    def read_memory(self, address: int, length: int) -> bytes:
        """As the probe."""
        return self._session.probe.read_memory(address, length)

    def write_memory(self, address: int, data: bytes) -> None:
        """As the probe."""
        self._session.probe.write_memory(address, data)


@pytest.fixture
def nor(updates: Updates) -> Iterator[NorControl]:
    """The model of the board's flash, at rest before the case and after it. Skips where there is none."""
    from rig.links.nor_control import NorControl, find_nor

    place = find_nor(updates.firmware.bootloader())
    if place is None:
        pytest.skip(NO_MODEL)
    control = NorControl(place, SessionMemory(updates.board))
    yield control
    control.calm()
