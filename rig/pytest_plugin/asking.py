# SPDX-License-Identifier: MIT
"""The board's commands as a suite asks them: an answer's fields, or the code of a refusal that must come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink


class Asking:
    """Asks by one console. ``reply_s`` is for the slowest answer: longer than the board's own time-outs."""

    def __init__(self, console: ConsoleLink, reply_s: float) -> None:
        self.console = console
        self.reply_s = reply_s

    def ask(self, command: str, **args: str | int) -> Mapping[str, str]:
        """The fields of the answer. Blocks; raises as ``Console.request`` does."""
        return self.console.request(command, args, deadline=Deadline.after(self.reply_s)).fields

    def refusal(self, command: str, **args: str | int) -> str:
        """The code of the refusal that must come."""
        with pytest.raises(CommandRefused) as refused:
            self.ask(command, **args)
        return refused.value.code
