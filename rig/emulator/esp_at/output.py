# SPDX-License-Identifier: MIT
"""What the parts of an emulated Wi-Fi module share: the line out, the words to the rig, and a lapse of time.

Owns no state of the module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol

from rig.emulator.esp_at.command import Command
from rig.events import Scalar


class Refused(Exception):
    """The command ends with ERROR; ``said`` are lines before it."""

    def __init__(self, *said: str) -> None:
        super().__init__(*said)
        self.said = said


class Output(Protocol):
    """Where a part of the module speaks."""

    def line(self, text: str) -> None:
        """A line to the board."""

    def raw(self, data: bytes) -> None:
        """Bytes to the board, as they are."""

    async def drained(self) -> None:
        """Waits until the board has taken nearly all that was said to it."""

    def tell(self, what: str, **data: Scalar) -> None:
        """Tells the rig what happened; no key is ever in it."""


Handler = Callable[[Command], Awaitable[None] | None]
"""Does a command: returns, or is awaited, for OK; Refused or Malformed is ERROR."""

Handlers = dict[tuple[str, str], Handler]
"""By name and kind of the command."""


def work(body: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Starts work of the module's. An error that it did not expect goes to the loop's exception handler."""
    task = asyncio.get_running_loop().create_task(body)
    task.add_done_callback(lambda done: None if done.cancelled() else done.result())
    return task


async def lapse(duration_s: float) -> None:
    """Lets modelled time go by: how long a radio takes for what it does."""
    over = asyncio.get_running_loop().create_future()
    timer = asyncio.get_running_loop().call_later(duration_s, over.set_result, None)
    try:
        await over
    finally:
        timer.cancel()
