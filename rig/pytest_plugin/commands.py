# SPDX-License-Identifier: MIT
"""A board's console commands as cases say them: what it answers, and with what it refuses.

Owns three words; which commands there are is the suite's. Judges only that a refusal which must come does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields


class Commands:
    """The commands of one board; a call waits ``reply_s`` at most, longer than the board itself does."""

    def __init__(self, console: ConsoleLink, reply_s: float) -> None:
        self._console = console
        self._reply_s = reply_s

    def ask(self, command: str, **arguments: str | int) -> Fields:
        """The fields of the answer. Raises CommandRefused."""
        return self._console.request(command, arguments, deadline=Deadline.after(self._reply_s)).fields

    def rows(self, command: str) -> Sequence[Fields]:
        """The data lines of the answer. Raises CommandRefused."""
        return self._console.request(command, deadline=Deadline.after(self._reply_s)).rows

    def refusal(self, command: str, **arguments: str | int) -> str:
        """The code of the refusal that must come."""
        with pytest.raises(CommandRefused) as refused:
            self.ask(command, **arguments)
        return refused.value.code
