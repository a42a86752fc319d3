# SPDX-License-Identifier: MIT
"""Puts the lines of one reply together, whatever was lost, doubled, damaged or sent again. Pure.

Owns which lines make a reply; when to ask again is ``console.py``'s.
"""

from __future__ import annotations

from rig.links.interfaces import Reply
from rig.links.wire import Frame


class Assembly:
    """The reply to one sequence number.

    Lines are told apart by their index. Asking again makes the board say the same lines again, which fills
    gaps. A line that differs from the one of the same index means that the board executed the command again:
    what did not come (again) in this round is then of another execution and is dropped. A round ends where
    the index does not grow.
    """

    def __init__(self) -> None:
        self._lines: dict[int, Frame] = {}
        self._rounds: dict[int, int] = {}
        self._round = 0
        self._previous = -1
        self._last: Frame | None = None
        self.restarts = 0
        """How often lines contradicted each other."""

    def add(self, frame: Frame) -> None:
        """Takes the next line of the reply."""
        if frame.index <= self._previous:
            self._round += 1
        self._previous = frame.index
        if self._contradicts(frame):
            self._keep_this_round()
        self._lines[frame.index] = frame
        self._rounds[frame.index] = self._round
        if frame.kind != "data":
            self._last = frame

    @property
    def last(self) -> Frame | None:
        """The ok or err line, once it is there."""
        return self._last

    @property
    def complete(self) -> bool:
        """Whether every line is there."""
        return self._last is not None and len(self._lines) == self._last.index + 1

    @property
    def gap(self) -> bool:
        """Whether the last line is there and one before it is not."""
        return self._last is not None and not self.complete

    def reply(self) -> Reply:
        """The whole reply; only once ``complete``."""
        assert self._last is not None
        rows = tuple(self._lines[index].fields for index in range(self._last.index))
        return Reply(self._last.fields, rows)

    def __str__(self) -> str:
        if not self._lines:
            return "no line of it came"
        if self._last is None:
            return f"{len(self._lines)} lines of it came, not the last one"
        return f"{len(self._lines)} of its {self._last.index + 1} lines came"

    def _keep_this_round(self) -> None:
        self.restarts += 1
        self._lines = {
            index: line for index, line in self._lines.items() if self._rounds[index] == self._round
        }
        if self._last is not None and self._last.index not in self._lines:
            self._last = None

    def _contradicts(self, frame: Frame) -> bool:
        same = self._lines.get(frame.index)
        if same is not None and same.body != frame.body:
            return True
        if self._last is not None and frame.index > self._last.index:
            return True
        return frame.kind != "data" and any(index > frame.index for index in self._lines)
