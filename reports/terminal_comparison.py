# SPDX-License-Identifier: MIT
"""A comparison of two runs as text for a terminal: what got worse first, what did not change folded away.

Owns the layout in the columns there are. Shows the verdicts of the comparison and makes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Final

from reports import text
from reports.comparison_view import (
    LONELY,
    Fold,
    across_keys,
    both_values,
    counts,
    figure_of,
    folds,
    headline,
    interval_of,
    noise_of,
    refusals,
    remarks,
    short_unit,
)
from reports.terminal_text import DIM, PLAIN, heading, padded, standard_console, words
from rig.evidence.comparison import NOT_ALIKE, Change, Comparison, OutcomeChange, TickHits, Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_STYLES: Final = {Word.REGRESSED: "bold red", Word.IMPROVED: "green", Word.CHANGED: "yellow"}
_NUMBERS: Final = ("before", "after", "delta", "%")
_GAP: Final = 2
_WIDE: Final = 108
"""Columns from which on the interval and the noise floor stand in the table and not below the row."""


def print_comparison(comparison: Comparison, *, everything: bool, console: Console | None = None) -> None:
    """Prints the comparison to standard output, or to the console given."""
    out = console or standard_console()
    for part in parts(comparison, out.width, everything=everything):
        out.print(part)


def comparison_as_text(comparison: Comparison, *, everything: bool, width: int = 120) -> str:
    """Returns what is printed as plain text."""
    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=width, highlight=False, color_system=None)
    print_comparison(comparison, everything=everything, console=console)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def parts(comparison: Comparison, width: int, *, everything: bool) -> Iterator[RenderableType]:
    """Yields what is printed, top to bottom, for a terminal of ``width`` columns."""
    yield from _head(comparison)
    if ended := [o for o in comparison.outcomes if o.verdict not in LONELY]:
        yield from _outcomes(ended)
    hidden = {*LONELY} | (set() if everything else {Word.UNCHANGED})
    if shown := [change for change in comparison.changes if change.verdict not in hidden]:
        yield heading("Figures")
        yield from figure_table(shown, width)
    if lonely := folds(comparison):
        yield heading("In one run only")
        yield from (_fold(fold, everything) for fold in lonely)
    if comparison.incomparable:
        yield heading("Not compared")
        yield from _incomparable(comparison, everything)
    if comparison.tick_hits:
        yield from _tick_hits(comparison.tick_hits, everything)
    yield words()
    yield words(counts(comparison, everything=everything), "bold")


def _head(comparison: Comparison) -> Iterator[RenderableType]:
    from rich.table import Table

    yield words(headline(comparison), "bold red" if comparison.regressed else "bold")
    grid = Table.grid(padding=(0, 2))
    for which, run in (("before", comparison.before), ("after", comparison.after)):
        images = ", ".join(f"{board.name} {text.short_hash(board.image_sha256)}" for board in run.boards)
        incomplete = "" if run.complete else "  INCOMPLETE"
        grid.add_row(words(which, DIM), words(run.run_id + incomplete), words(images, DIM))
    yield grid
    for remark in remarks(comparison):
        yield words(remark, "yellow")


# --- cases


def _outcomes(outcomes: Sequence[OutcomeChange]) -> Iterator[RenderableType]:
    yield heading("Cases")
    for outcome in outcomes:
        line = words(f"{outcome.before} → {outcome.after}", _STYLES.get(outcome.verdict, ""))
        yield line.append_text(words(f"  {outcome.board}  {outcome.suite}/{outcome.case}", PLAIN))
        if outcome.reason:
            yield padded(words(text.one_line(outcome.reason, 300), DIM), 8)


def _fold(fold: Fold, everything: bool) -> Text:
    names = ", ".join(fold.names)
    line = words(f"{fold.verdict}  {fold.what}{': ' if names else ''}")
    return line.append_text(words(names if everything else text.one_line(names, 120), DIM))


# --- figures


def figure_table(changes: Sequence[Change], width: int) -> Iterator[RenderableType]:
    """A line a figure, and below it what else must be known; a name that is too long has its own line."""
    wide, boards = width >= _WIDE, len({change.row.board for change in changes}) > 1
    heads = _heads(wide, boards)
    rows = [tuple(_cells(change, wide, boards)) for change in changes]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    name = heads.index("measurement")
    widths[name] = min(widths[name], max(20, width - sum(widths) - _GAP * len(widths) + widths[name]))
    columns = [(column, head in _NUMBERS) for column, head in zip(widths, heads, strict=True)]
    indent = sum(widths[:name]) + _GAP * name
    yield _line([words(head, DIM) for head in heads], columns)
    for change, row in zip(changes, rows, strict=True):
        cells = list(row)
        if len(cells[name]) > widths[name]:
            yield padded(cells[name], indent)
            cells[name] = words()
        yield _line(cells, columns)
        yield from (padded(words(said, DIM), indent + 2) for said in _below(change, wide))
    if any(change.note == NOT_ALIKE for change in changes):
        yield words(f"3 of 2,000, or exact and changed: {NOT_ALIKE}", DIM)


def _heads(wide: bool, boards: bool) -> list[str]:
    more = ["95 % interval", "noise floor"] if wide else []
    return ["verdict", *(["board"] * boards), "measurement", *_NUMBERS, *more, "unit"]


def _line(cells: Sequence[Text], columns: Sequence[tuple[int, bool]]) -> Text:
    """The cells in their columns, numbers to the right; nothing behind the last."""
    line = words()
    for cell, (width, right) in zip(cells, columns, strict=True):
        space = " " * max(0, width - len(cell))
        line.append(space if right else "").append_text(cell).append(("" if right else space) + " " * _GAP)
    line.rstrip()
    return line


def _cells(change: Change, wide: bool, boards: bool) -> Iterator[Text]:
    moved = change.moved
    assert moved is not None
    style = _STYLES.get(change.verdict, DIM)
    yield words(str(change.verdict), style)
    if boards:
        yield words(text.one_line(change.row.board, 16))
    yield words(text.one_line(change.row.name) + figure_of(change))
    yield from map(words, both_values(moved))
    yield words(text.signed(moved.delta), style)
    yield words(text.change(moved.relative), style)
    if wide:
        yield words(interval_of(change))
        yield words(noise_of(change))
    yield words(short_unit(change.row.unit), DIM)


def _below(change: Change, wide: bool) -> Iterator[str]:
    """What must be known of a row beside its figures."""
    if change.mixed:
        yield "better here, worse there: " + ", ".join(
            f"{name} {text.signed(moved.delta)}" for name, moved in change.figures.items() if moved.delta
        )
    if not wide and not change.exact:
        said = (interval_of(change), f"noise floor {noise_of(change)}" if change.noise else "")
        yield ", ".join(filter(None, said))
    if change.note and change.note != NOT_ALIKE:
        yield text.one_line(change.note)
    if change.beside:
        yield "differs beside: " + ", ".join(map(str, change.beside))


# --- what has no verdict


def _incomparable(comparison: Comparison, everything: bool) -> Iterator[RenderableType]:
    """Each reason once, with the figures it keeps apart, and how to compare them all the same."""
    for refusal in refusals(comparison):
        names = ", ".join(refusal.names)
        shown = names if everything else text.one_line(names, 120)
        line = words(f"{', '.join(refusal.boards)}  {text.one_line(refusal.why, 400)}: ")
        yield line.append_text(words(f"{text.plural(len(refusal.names), 'figure')}: {shown}", DIM))
    if keys := across_keys(comparison):
        yield words("To compare them all the same: " + " ".join(f"--across {key}" for key in keys), DIM)


def _tick_hits(rows: Sequence[TickHits], everything: bool) -> Iterator[RenderableType]:
    yield heading("Hit by a tick")
    if not everything:
        deltas = [row.after - row.before for row in rows]
        yield words(
            f"{text.plural(len(rows), 'figure')}: samples hit by a tick moved by {text.signed(min(deltas))} "
            f"to {text.signed(max(deltas))}; they are kept apart and have no verdict (--all lists them)",
            DIM,
        )
        return
    for row in rows:
        p50 = " → ".join(text.number(value) for value in row.p50)
        said = f"{row.row.board}  {row.row.name}: {row.before} → {row.after} of {text.number(row.of[1])}"
        yield words(f"{said}, their p50 {p50} {row.row.unit}", DIM)
