# SPDX-License-Identifier: MIT
"""The lanes of a board as ``static/timeline.js`` reads them: JSON that may stand in a page as it is.

Owns the form and the budget: times of everything, words only of as much as a page can carry. Times are whole
microseconds, those of marks and lines as differences. A lane has ``spans`` (begin, length, colour, words) and
``rows``, each of one colour, on one side of the line (-1 above, 1 below, 0 both), with ``t`` and the words
``x`` of the first of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from reports.lanes import Lane, Mark, Timeline
from reports.text import one_line

_LONGEST: Final = 240
_SIDES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


class Budget:
    """Characters that may still be spent on words."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def take(self, words: str) -> bool:
        """Whether there is room for them; if so it is theirs."""
        if len(words) > self._left:
            return False
        self._left -= len(words) + 3
        return True


def timeline_data(told_of: Timeline, characters: int) -> str:
    """The JSON: harmless inside of an element of a page, as it has neither ``<`` nor ``&``.

    ``characters``: how much of it may be words. What is no line of the console comes first.
    """
    budget = Budget(characters)
    lanes = [_lane(lane, budget) for lane in told_of.lanes]
    lines = told_of.lines
    rows = _rows(lines.bad, budget, side=0)
    rows += _rows(lines.sent, budget, side=1)
    rows.append(_row("bar", -1, lines.heard, _words(lines.words, budget)))
    lanes.append({"name": "UART", "spans": [], "rows": [row for row in rows if row["t"]]})
    text = json.dumps({"end": _us(told_of.end_ns), "lanes": lanes}, separators=(",", ":"), ensure_ascii=False)
    for character, escape in _SIDES.items():
        text = text.replace(character, escape)
    return text


def _lane(lane: Lane, budget: Budget) -> dict[str, Any]:
    spans = [
        [
            _us(span.begin_ns),
            _us(span.end_ns - span.begin_ns),
            span.colour,
            span.says if budget.take(span.says) else "",
            span.group,
        ]
        for span in lane.spans
    ]
    return {"name": lane.name, "spans": spans, "rows": _rows(lane.marks, budget, side=0)}


def _rows(marks: Sequence[Mark], budget: Budget, side: int) -> list[dict[str, Any]]:
    """One row per colour."""
    colours: dict[str, list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.t_ns):
        colours.setdefault(mark.colour, []).append(mark)
    return [
        _row(colour, side, [m.t_ns for m in some], _words([m.says for m in some], budget))
        for colour, some in colours.items()
    ]


def _words(said: Iterable[str], budget: Budget) -> list[str]:
    """The words of the first marks, as far as there is room."""
    found: list[str] = []
    for text in said:
        words = one_line(text[: 2 * _LONGEST], _LONGEST)
        if not budget.take(words):
            break
        found.append(words)
    return found


def _row(colour: str, side: int, times_ns: Sequence[int], words: Sequence[str]) -> dict[str, Any]:
    times = [_us(t_ns) for t_ns in times_ns]
    steps = [b - a for a, b in zip([0, *times], times, strict=False)]
    return {"colour": colour, "side": side, "t": steps, "x": list(words)}


def _us(t_ns: int) -> int:
    return t_ns // 1000
