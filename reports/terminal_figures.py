# SPDX-License-Identifier: MIT
"""The figures of a run for a terminal: of one board a line each, of several boards a table beside it.

Owns how figures are laid out in the columns there are. Shows stored outcomes and computes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reports import text
from reports.figures import SameFigure, has_limit, limit_of, origin_of, same_figures, with_loaded, with_tick
from reports.terminal_text import DIM, PLAIN, outcome_word, padded, words
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_SHOWN = (("p50", "p99", "max"), ("p99", "max"), ("p99",))
"""Which figures a cell of the table holds: the first choice that fits."""
_GAP = 2
_NAMES = 30


def figures(run: Run, width: int) -> Iterator[RenderableType]:
    """Yields the lines for a terminal of ``width`` columns."""
    if len(run.boards) > 1:
        yield from _beside(run, width)
    else:
        yield from _one_by_one(run, width)


# --- one board


def _one_by_one(run: Run, width: int) -> Iterator[RenderableType]:
    """A line a figure, and below it what limits it, whose limit that is and where it stands."""
    pairs = with_tick(run.measurements)
    unit = max(len(text.printable(m.unit)) for m in run.measurements)
    column = 2 + max(7, *(len(value) for m in run.measurements for value in _values(m)))
    ticks = 7 if any(tick is not None for _, tick in pairs) else 0
    room = max(16, min(44, width - 6 - 7 - ticks - 3 * column - 2 - unit))
    names = "".join(f"{name:>{column}}" for name in ("p50", "p99", "max"))
    yield words(f"{'':6}{'measurement':{room}}{'n':>7}{'ticks'[:ticks]:>{ticks}}{names}  unit", DIM)
    for (m, tick), loaded in with_loaded(pairs):
        yield from _told(m, _count(m, tick, ticks), text.one_line(m.name), room, column)
        if loaded is not None:
            yield from _told(loaded[0], _count(*loaded, ticks), "  loaded", room, column)
    if ticks:
        yield words("ticks: samples that a tick hit are kept apart; the HTML report shows both.", DIM)


def _count(m: MeasurementResult, tick: MeasurementResult | None, ticks: int) -> str:
    """How many samples there are, and how many more that a tick hit."""
    return f"{text.number(m.n):>7}" + f"{text.number(tick.n) if tick else '':>{ticks}}"


def _told(m: MeasurementResult, count: str, name: str, room: int, column: int) -> Iterator[RenderableType]:
    if len(name) > room:
        yield words(f"{'':6}{name}")
        name = ""
    yield _row(m, f"{name:{room}}{count}", column)
    if has_limit(m) or m.note or m.attempt > 1:
        yield padded(_limit(m), 8)


def _row(m: MeasurementResult, head: str, column: int) -> Text:
    line = outcome_word(m.outcome)
    line.append(" " * (6 - len(line)))
    line.append_text(words(head + "".join(f"{value:>{column}}" for value in _values(m)), PLAIN))
    return line.append_text(words(f"  {m.unit}", DIM))


def _values(m: MeasurementResult) -> tuple[str, str, str]:
    """p50, p99 and max; of a single value only the value."""
    value = text.number(m.p50)
    return (value, "", "") if m.n == 1 else (value, text.number(m.p99), text.number(m.max))


def _limit(m: MeasurementResult) -> Text:
    """The bounds, whose limit it is and where it is written, and what there is to watch."""
    said = [f"attempt {m.attempt}" if m.attempt > 1 else "", m.note]
    said = [limit_of(m), origin_of(m), m.limit_at or "", *said] if has_limit(m) else said
    line = words(", ".join(filter(None, said)), DIM)
    return line.append_text(words("  marginal", "yellow")) if m.marginal else line


# --- several boards


def _beside(run: Run, width: int) -> Iterator[RenderableType]:
    """A row per measurement and a column per board; more boards than fit stand in a table below."""
    same = same_figures(run)
    boards = list(dict.fromkeys([*(b.name for b in run.boards), *(m.board for m in run.measurements)]))
    unit = max(len(text.one_line(figure.unit, 14)) for figure in same)
    names = min(_NAMES, max(11, *(len(text.one_line(figure.name, _NAMES)) for figure in same)))
    room = width - names - unit - 2 * _GAP
    shown, columns = _choice(same, boards, room)
    at_once = max(1, room // (max(columns.values()) + _GAP)) if sum(columns.values()) > room else len(boards)
    for first in range(0, len(boards), at_once):
        yield from _table(same, boards[first : first + at_once], columns, shown, names)
    if any(tick is not None for figure in same for _, tick in figure.of.values()):
        yield words("Samples hit by a tick are kept apart; the HTML report shows both.", DIM)


def _choice(
    same: Sequence[SameFigure], boards: Sequence[str], room: int
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The figures of a cell and the width of each board's column, gap included; the last choice in need."""
    for shown in _SHOWN:
        widths = {
            board: _GAP + max(len(text.one_line(board, 16)), _widest(same, board, shown)) for board in boards
        }
        if sum(widths.values()) <= room:
            break
    return shown, widths


def _widest(same: Sequence[SameFigure], board: str, shown: Sequence[str]) -> int:
    return max(len(_cell(figure.of[board][0], shown)) if board in figure.of else 1 for figure in same)


def _cell(m: MeasurementResult, shown: Sequence[str]) -> Text:
    """``69/69/71``, in the colour of its outcome; one that is not PASS says so."""
    given = [text.number(getattr(m, name)) for name in shown] if m.n != 1 else [text.number(m.p50)]
    bad = m.outcome is not None and m.outcome is not Outcome.PASS
    line = outcome_word(m.outcome).append(" ") if bad else words()
    line.append_text(words("/".join(given), PLAIN if m.outcome is None or bad else ""))
    return line.append_text(words("!", "yellow")) if m.marginal else line


def _table(
    same: Sequence[SameFigure],
    boards: Sequence[str],
    columns: Mapping[str, int],
    shown: Sequence[str],
    names: int,
) -> Iterator[Text]:
    heads = "".join(f"{text.one_line(board, 16):>{columns[board]}}" for board in boards)
    yield words(f"{'/'.join(shown):{names}}{heads}{'':{_GAP}}unit", DIM)
    for figure in same:
        if not any(board in figure.of for board in boards):
            continue
        name = text.one_line(figure.name)
        if len(name) > names:
            yield words(name)
            name = ""
        yield _line(figure, name, boards, columns, shown, names)
        yield from (padded(line, 4) for line in _limits(figure, boards))  # type: ignore[misc]


def _line(
    figure: SameFigure,
    name: str,
    boards: Sequence[str],
    columns: Mapping[str, int],
    shown: Sequence[str],
    names: int,
) -> Text:
    line = words(f"{name:{names}}")
    for board in boards:
        cell = _cell(figure.of[board][0], shown) if board in figure.of else words("–", DIM)
        line.append(" " * (columns[board] - len(cell))).append_text(cell)
    return line.append_text(words(f"{'':{_GAP}}{text.one_line(figure.unit, 14)}", DIM))


def _limits(figure: SameFigure, boards: Sequence[str]) -> Iterator[Text]:
    """Each limit once, with the boards it judges where it is not the same for all."""
    whose: dict[str, list[MeasurementResult]] = {}
    for board in boards:
        if board in figure.of and (has_limit(m := figure.of[board][0]) or m.note or m.attempt > 1):
            whose.setdefault(_limit(m).plain.removesuffix("  marginal"), []).append(m)
    for said, rows in whose.items():
        of = "" if len(rows) == len(boards) else f"{', '.join(text.one_line(m.board, 16) for m in rows)}: "
        line = words(of + said, DIM)
        marginal = [m.board for m in rows if m.marginal]
        yield (
            line.append_text(words(f"  ! marginal on {', '.join(marginal)}", "yellow")) if marginal else line
        )
