# SPDX-License-Identifier: MIT
"""A run as text for a terminal: summary first, then what went wrong, the figures, and what was skipped.

Plain text where there is no terminal, and no colour with ``NO_COLOR`` (both are rich's doing). What a board
said is shown as ``Text``, never as markup, with control characters written out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING

from reports import text, view
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold dark_orange3",
    Outcome.SKIPPED: "bright_black",
    Outcome.ABORTED: "bold magenta",
}
_DIM, _PLAIN = "bright_black", "default not bold"


def print_run(run: Run, console: Console | None = None) -> None:
    """Prints the run to standard output, or to the console given."""
    from rich.console import Console

    if console is None and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 stops no report
    out = console or Console(highlight=False)
    for part in parts(run, out.width):
        out.print(part)


def as_text(run: Run, width: int = 120) -> str:
    """Returns what is printed as plain text."""
    from rich.console import Console

    out = StringIO()
    print_run(run, Console(file=out, width=width, highlight=False, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def parts(run: Run, width: int) -> Iterator[RenderableType]:
    """Yields what is printed, top to bottom, for a terminal of ``width`` columns."""
    cases = view.stories(run)
    yield from _summary(run, cases)
    if wrong := view.troubles(cases):
        yield _heading("What went wrong")
        for story in wrong:
            yield from _trouble(run, story)
    if run.measurements:
        yield _heading("Figures")
        yield from _figures(run, width)
        yield from _emulated(run)
    if unstable := [story for story in cases if story.last.unstable]:
        yield _heading("Unstable: passed on a retry")
        for story in unstable:
            yield from _unstable(story)
    if groups := view.skipped(cases):
        yield _heading("Skipped")
        for group in groups:
            yield _skip(group)


def _text(words: str = "", style: str = "") -> Text:
    from rich.text import Text

    return Text(text.printable(words).expandtabs(4), style=style, overflow="fold")


def _heading(words: str) -> Text:
    return _text("\n" + words, "bold")


def _outcome(outcome: Outcome | None) -> Text:
    return _text("" if outcome is None else outcome.value, _STYLES[outcome] if outcome else "")


def _padded(body: RenderableType, left: int = 2) -> RenderableType:
    from rich.padding import Padding

    return Padding(body, (0, 0, 0, left), expand=False)


def _grid(rows: Iterable[tuple[Text, ...]]) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return grid


def _summary(run: Run, cases: Sequence[view.CaseStory]) -> Iterator[RenderableType]:
    head = _outcome(run.outcome)
    yield head.append_text(_text(f"  {view.headline(run)}", _PLAIN))
    if not run.complete:
        yield _text("INCOMPLETE: cut off, or records are lost; cases may be missing.", "bold red")
        yield from (_padded(_text(note)) for note in run.notes)
    if not cases:
        yield _text("No case was run: a run without any PASS is not a pass.", "bold red")
    rows = [("run", run.run_id), ("took", text.duration(run.duration_s))]
    rows += [("operator", run.operator)] if run.operator else []
    yield _grid((_text(key, _DIM), _text(value)) for key, value in rows)
    yield from _boards(run)


def _boards(run: Run) -> Iterator[RenderableType]:
    from rich.table import Table

    if not run.boards:
        return
    table = Table(box=None, header_style=_DIM, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("board", "outcome", "DUT", "kernel", "image"):
        table.add_column(name, overflow="fold")
    for board in run.boards:
        name = board.name + (" (emulated)" if view.is_emulated(board) else "")
        kernel = str(board.identity.get("kernel") or "unknown")
        facts = (board.dut or "unknown", kernel, text.short_hash(board.image_sha256))
        table.add_row(_text(name), _outcome(board.outcome), *map(_text, facts))
    yield table


def _trouble(run: Run, story: view.CaseStory) -> Iterator[RenderableType]:
    case = story.last
    line = _outcome(case.outcome).append_text(_text(f"  {story.title}", "bold"))
    yield line.append_text(_text(f"  on {case.board}, {text.duration(case.duration_s)}", _PLAIN))
    head, left_out = text.cut(case.reason or "no reason was recorded", 1200, 16)
    yield _padded(_text(head + (f" … ({left_out:,} more characters)" if left_out else "")), 6)
    for old in story.others:
        yield _padded(_text(f"attempt {old.attempt}: {old.outcome.value} {text.one_line(old.reason)}"), 6)
    for name, path in case.artifacts.items():
        where = path if path not in run.sensitive else f"{path} (sensitive)"
        yield _padded(_text(f"{name}: {where}", _DIM), 6)


def _unstable(story: view.CaseStory) -> Iterator[RenderableType]:
    yield _padded(_text(f"{story.title} on {story.last.board}, attempt {story.last.attempt}", "yellow"))
    for old in story.others:
        yield _padded(_text(f"attempt {old.attempt}: {old.outcome.value} {text.one_line(old.reason)}"), 6)


def _skip(group: view.SkipGroup) -> RenderableType:
    names = ", ".join(f"{case.suite}/{case.case}" for case in group.cases)
    reason = text.one_line(group.reason or "no reason was recorded", 400)
    line = _text(f"{reason} ({group.board}): ")
    return _padded(line.append_text(_text(names, _DIM)))


def _figures(run: Run, width: int) -> Iterator[RenderableType]:
    """Two lines a figure: the values in columns, and below them the limit, whose it is, where it stands."""
    unit = max(len(text.printable(m.unit)) for m in run.measurements)
    column = 2 + max(7, *(len(value) for m in run.measurements for value in _values(m)))
    room = max(16, min(44, width - 6 - 7 - 3 * column - 2 - unit))
    names = "".join(f"{name:>{column}}" for name in ("p50", "p99", "max"))
    yield _text(f"{'':6}{'measurement':{room}}{'n':>7}{names}  unit", _DIM)
    many = len(run.boards) > 1
    for m, tick in view.with_tick(view.beside_one_another(run)):
        name = text.one_line(f"{m.board}: {m.name}" if many else m.name)
        if len(name) > room:
            yield _text(f"{'':6}{name}")
            name = ""
        yield _row(m, f"{name:{room}}{text.number(m.n):>7}", column)
        yield _padded(_limit(m), 8)
        if tick is not None:
            yield _padded(_text(_tick(tick), _DIM), 8)


def _row(m: MeasurementResult, head: str, column: int) -> Text:
    line = _outcome(m.outcome)
    line.append(" " * (6 - len(line)))
    line.append_text(_text(head + "".join(f"{value:>{column}}" for value in _values(m)), _PLAIN))
    return line.append_text(_text(f"  {m.unit}", _DIM))


def _values(m: MeasurementResult) -> tuple[str, str, str]:
    """p50, p99 and max; of a single value only the value."""
    value = text.number(m.p50)
    return (value, "", "") if m.n == 1 else (value, text.number(m.p99), text.number(m.max))


def _limit(m: MeasurementResult) -> Text:
    """The bounds, whose limit it is and where it is written, and what there is to watch."""
    bounds = view.limit_of(m)
    origin = m.limit_origin or "origin unknown"
    if m.provisional and not origin.startswith("provisional"):
        origin = f"provisional: {origin}"
    said = [f"attempt {m.attempt}" if m.attempt > 1 else "", m.note]
    said = [bounds, origin, m.limit_at or "", *said] if bounds else ["no limit", *said]
    line = _text(", ".join(filter(None, said)), _DIM)
    return line.append_text(_text("  marginal", "yellow")) if m.marginal else line


def _tick(m: MeasurementResult) -> str:
    figures = f"p50 {text.number(m.p50)}, max {text.number(m.max)}"
    return f"hit by a tick, kept apart: n {text.number(m.n)}, {figures}"


def _emulated(run: Run) -> Iterator[RenderableType]:
    names = [board.name for board in run.boards if view.is_emulated(board)]
    if names:
        words = "emulated: its timings are instruction counts, not cycles of silicon"
        yield _text(f"{', '.join(names)}: {words}", _DIM)
