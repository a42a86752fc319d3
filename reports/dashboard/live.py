# SPDX-License-Identifier: MIT
"""Tells open pages that something changed, by server-sent events; what changed they ask for themselves.

Owns one look a second at the bench, shared by all who follow, so that ten open pages cost what one does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from reports.dashboard.sources import Sources

LOOK_S: Final = 1.0
_BEAT_S: Final = 15.0
MOST_FOLLOWERS: Final = 32


def fingerprint(sources: Sources) -> str:
    """A text that is another one when a page may have something new."""
    newest = [run.run_id for run in sources.store.runs(1)]
    moved = sorted((alert.id, alert.state, alert.changed_utc) for alert in sources.store.alerts(None))
    busy = [(a.run_id, a.board, a.now, a.ended, a.doing, a.prompts, a.lines) for a in sources.going_on()]
    said = repr((sources.store.count(), newest, moved, busy))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


class Live:
    """Looks while its task runs, each ``every_s`` seconds; made and used in one event loop."""

    def __init__(self, look: Callable[[], str], every_s: float = LOOK_S) -> None:
        self._look, self._every_s = look, every_s
        self._turn = asyncio.Event()
        self._ended = asyncio.Event()
        self.followers = 0

    async def run(self) -> None:
        """Looks until ``end``; a look that fails is no change."""
        seen = ""
        while not self._ended.is_set():
            found = seen
            with suppress(Exception):
                found = await asyncio.to_thread(self._look)
            if found != seen:
                seen = found
                self._turn.set()
                self._turn = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self._every_s)

    def end(self) -> None:
        """Ends the looking and all streams."""
        self._ended.set()
        self._turn.set()

    async def follow(self) -> AsyncIterator[bytes]:
        """The events of one page, and a beat now and then, by which a dead connection is noticed."""
        self.followers += 1
        try:
            yield b"retry: 3000\n\n"
            while not self._ended.is_set():
                try:
                    await asyncio.wait_for(self._turn.wait(), _BEAT_S)
                except TimeoutError:
                    yield b": beat\n\n"
                    continue
                if not self._ended.is_set():
                    yield b"event: change\ndata: {}\n\n"
        finally:
            self.followers -= 1
