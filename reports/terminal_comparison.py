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
    both_values,
    counts,
    figure_of,
    folds,
    headline,
    interval_of,
    noise_of,
    remarks,
    short_unit,
)
from reports.terminal_text import DIM, PLAIN, heading, padded, standard_console, words
from rig.evidence.comparison import Change, Comparison, Incomparable, OutcomeChange, TickHits, Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

_STYLES: Final = {Word.REGRESSED: "bold red", Word.IMPROVED: "green", Word.CHANGED: "yellow"}
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
        yield _figures(shown, width)
    if lonely := folds(comparison):
        yield heading("In one run only")
        yield from (_fold(fold, everything) for fold in lonely)
    if comparison.incomparable:
        yield heading("Not compared")
        yield from _incomparable(comparison.incomparable, everything)
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


def _figures(changes: Sequence[Change], width: int) -> Table:
    from rich.table import Table

    wide, boards = width >= _WIDE, len({change.row.board for change in changes}) > 1
    table = Table(box=None, header_style=DIM, padding=(0, 2 if wide else 1, 0, 0), pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    if boards:
        table.add_column("board", no_wrap=True, max_width=16)
    table.add_column("measurement", overflow="fold", min_width=20)
    for name in ("before", "after", "delta", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("95 % interval", "noise floor") if wide else ():
        table.add_column(name, overflow="fold")
    table.add_column("unit", no_wrap=True, style=DIM)
    for change in changes:
        table.add_row(*_cells(change, boards, wide))
    return table


def _cells(change: Change, boards: bool, wide: bool) -> Iterator[Text]:
    moved = change.moved
    assert moved is not None
    style = _STYLES.get(change.verdict, DIM)
    yield words(str(change.verdict), style)
    if boards:
        yield words(change.row.board)
    name = words(text.one_line(change.row.name) + figure_of(change))
    for line in _below(change, wide):
        name.append_text(words(f"\n{line}", DIM))
    yield name
    yield from map(words, both_values(moved))
    yield words(text.signed(moved.delta), style)
    yield words(text.change(moved.relative), style)
    if wide:
        yield words(interval_of(change))
        yield words(noise_of(change))
    yield words(short_unit(change.row.unit))


def _below(change: Change, wide: bool) -> Iterator[str]:
    """What must be known of a row beside its figures."""
    if change.mixed:
        yield "better here, worse there: " + ", ".join(
            f"{name} {text.signed(moved.delta)}" for name, moved in change.figures.items() if moved.delta
        )
    if not wide and not change.exact:
        said = (interval_of(change), f"noise floor {noise_of(change)}" if change.noise else "")
        yield ", ".join(filter(None, said))
    if change.note:
        yield text.one_line(change.note)
    if change.beside:
        yield "differs beside: " + ", ".join(map(str, change.beside))


# --- what has no verdict


def _incomparable(rows: Sequence[Incomparable], everything: bool) -> Iterator[RenderableType]:
    """Each reason once, with the figures it keeps apart, and how to compare them all the same."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        why = ", ".join(map(str, row.differences)) or row.note
        groups.setdefault((row.row.board, why), []).append(row.row.name)
    for (board, why), names in groups.items():
        listed = ", ".join(names)
        yield (
            words(f"{board}  {text.one_line(why, 400)}: ")
            .append_text(
                words(f"{text.plural(len(names), 'figure')}: ", DIM),
            )
            .append_text(words(listed if everything else text.one_line(listed, 160), DIM))
        )
    if keys := dict.fromkeys(d.key for row in rows for d in row.differences if d.key != "unit"):
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
