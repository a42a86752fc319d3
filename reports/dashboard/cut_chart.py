# SPDX-License-Identifier: MIT
"""The matrix of a plan of power cuts as a drawing: a column per flash operation, a lane per kind of cut.

The same picture for print is ``reports/plates/power_cuts.py``'s. Shows the outcomes of the plan's document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from reports.svg import Drawing
from reports.text import one_line

Row = Mapping[str, Any]
COLOURS: Final[Mapping[str, str]] = {"old": "bar", "new": "good", "not judged": "faint"}
BAD: Final = "bad"
_FAULTS: Final = {"before": "before it", "part": "first part done", "bits": "random bits done"}
_LEFT, _LANE, _TOP = 118.0, 22.0, 22.0


def colour_of(outcome: str) -> str:
    """The colour of an outcome; one that is no good outcome is red."""
    return COLOURS.get(outcome, BAD)


def cut_chart(rows: Sequence[Row], label: str, *, width: float = 1056) -> str:
    """Returns the SVG of these cuts; empty without any."""
    if not rows:
        return ""
    columns = {key: place for place, key in enumerate(dict.fromkeys(map(_operation, rows)))}
    step = (width - _LEFT) / len(columns)
    drawing = Drawing(width, _TOP + _LANE * len(_FAULTS) + 20)
    for lane, (fault, words) in enumerate(_FAULTS.items()):
        top = _TOP + lane * _LANE
        drawing.text(_LEFT - 10, top + 14, words, "muted", "end")
        _lane(drawing, [row for row in rows if row.get("fault") == fault], columns, step, top)
    _phases(drawing, rows, columns, step)
    base = _TOP + _LANE * len(_FAULTS) + 14
    drawing.text(_LEFT, base, "operation 1", "muted")
    drawing.text(width, base, f"{len(columns):,}", "muted", "end")
    return drawing.svg("cuts", f"{label}: {len(rows):,} cuts at {len(columns):,} operations")


def _lane(drawing: Drawing, rows: Sequence[Row], columns: Mapping[Any, int], step: float, top: float) -> None:
    """Neighbours of one outcome as one bar; what is bad last and never thinner than can be seen."""
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    ordered = sorted(rows, key=lambda row: columns[_operation(row)])
    for outcome, run in groupby(ordered, key=lambda row: str(row.get("outcome"))):
        places = [columns[_operation(row)] for row in run]
        colour = colour_of(outcome)
        wide = (places[-1] - places[0] + 1) * step
        least = 3.0 if colour == BAD else 0.3
        box = (_LEFT + places[0] * step, top + 2, max(least, wide - (1 if step > 4 else 0)), _LANE - 4)
        found.setdefault(colour, []).append(box)
    for colour in sorted(found, key=lambda name: name == BAD):
        drawing.bars(found[colour], colour)


def _phases(drawing: Drawing, rows: Sequence[Row], columns: Mapping[Any, int], step: float) -> None:
    """What the firmware did at these operations, where there is room to say it."""
    phases = {columns[_operation(row)]: str(row.get("op", {}).get("phase", "")) for row in rows}
    free = 0.0
    for phase, places in groupby(sorted(phases), key=lambda place: phases[place]):
        x = _LEFT + next(iter(places)) * step
        drawing.line(x, _TOP - 6, x, _TOP + _LANE * len(_FAULTS), "faint")
        if x >= free:
            words = one_line(phase[:96], 24)
            drawing.text(x + 3, 11, words, "muted")
            free = x + 6.4 * len(words) + 10


def _operation(row: Row) -> tuple[str, int]:
    return str(row.get("parent", "")), int(row.get("number", 0))
