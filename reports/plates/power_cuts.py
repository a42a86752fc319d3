# SPDX-License-Identifier: MIT
"""The matrix of a plan of power cuts as a picture: every operation of an update's flash, and what a cut left.

Shows the outcomes of the plan's document (``docs/power-cuts.md``); makes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.plates.sheet import FAINT, GREY, Sheet, caption_height, folded, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
_FAULTS: Final = ("before", "part", "bits")
_COLOURS: Final = {"old": "#004488", "new": "#ddaa33", "not judged": FAINT}
_BAD: Final = "#bb0000"
_LEFT, _WIDE, _LANE = 0.95, 5.9, 0.15
_NAMES: Final = {"before": "before it", "part": "first part done", "bits": "random bits done"}


def power_cut_files(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The picture as ``svg`` and ``png``."""
    with styled():
        return _sheet(document).files()


def _sheet(document: Mapping[str, Any]) -> Sheet:
    rows: Sequence[Row] = document["matrix"]
    update = [row for row in rows if row["depth"] == 1]
    few = [row for row in update if row["op"]["phase"] != "download"]
    deeper = [row for row in rows if row["depth"] > 1]
    caption = folded(_caption(document["summary"]))
    sheet = Sheet(4.4 + caption_height(caption))
    plan = document["plan"]
    sheet.heading(
        f"Power cuts in an update of {plan['board']}", f"over {plan['protocol']}, seed {plan['seed']}"
    )
    sheet.legend(_marks(rows))
    _panel(sheet, 0.75, "every operation of the update", update, labels=False)
    _panel(sheet, 1.75, "those that are no download", few, labels=True)
    _panel(sheet, 3.45, "in the recoveries", deeper, labels=False)
    sheet.caption(4.35, caption)
    return sheet


def _panel(sheet: Sheet, top: float, title: str, rows: Sequence[Row], *, labels: bool) -> None:
    """A lane for each fault, a column for each operation."""
    sheet.text(_LEFT, top - 0.06, title, size=7, weight="bold")
    axes = sheet.axes(_LEFT, top, _WIDE, _LANE * len(_FAULTS))
    places = {key: place for place, key in enumerate(dict.fromkeys(map(_operation, rows)))}
    for outcome, colour in _colours(rows).items():
        for lane, fault in enumerate(_FAULTS):
            at = [
                places[_operation(row)] for row in rows if (row["outcome"], row["fault"]) == (outcome, fault)
            ]
            axes.broken_barh([(place, 1) for place in at], (lane + 0.06, 0.88), color=colour, linewidth=0)
    axes.set_xlim(0, max(len(places), 1))
    axes.set_ylim(len(_FAULTS), 0)
    axes.set_yticks([0.5, 1.5, 2.5], [_NAMES[fault] for fault in _FAULTS], size=6)
    _x_axis(axes, list(dict.fromkeys((_operation(row), _name(row)) for row in rows)), labels=labels)


def _x_axis(axes: Axes, operations: Sequence[tuple[Any, str]], *, labels: bool) -> None:
    if not labels:
        axes.tick_params(axis="x", labelsize=6)
        axes.set_xlabel("operation", size=6, color=GREY, labelpad=1)
        return
    ticks = [place + 0.5 for place in range(len(operations))]
    axes.set_xticks(ticks, [name for _, name in operations], rotation=90, size=5)


def _operation(row: Row) -> tuple[str, int]:
    return row["parent"], row["number"]


def _name(row: Row) -> str:
    op = row["op"]
    return f"{op['phase']} {op['kind']} {op['address'] & 0xFFFFFF:06X}"


def _colours(rows: Sequence[Row]) -> dict[str, str]:
    return {outcome: _COLOURS.get(outcome, _BAD) for outcome in dict.fromkeys(row["outcome"] for row in rows)}


def _marks(rows: Sequence[Row]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], marker="s", linestyle="", color=colour, label=outcome)
        for outcome, colour in _colours(rows).items()
    ]


def _caption(summary: Mapping[str, Any]) -> Sequence[str]:
    failures = len(summary["failures"])
    cuts = sum(summary["cuts"].values())
    return (
        f"{summary['operations']} operations, {cuts} cuts, {summary['judged']} of them judged by "
        f"{summary['states']} distinct states of the flash; {failures} failures. old, new: the image of "
        "before or of the update ran when power came back, as the marks in its flash had it.",
        f"{summary['next_updates']} distinct flashes took the next update; {summary['kills']} states were "
        f"compared with a real kill, {summary['through_service']} went on over the real service.",
    )
