# SPDX-License-Identifier: MIT
"""A run as text for a terminal: summary first, then what went wrong, the figures, and what was skipped.

Plain text where there is no terminal, and no colour with ``NO_COLOR`` (both are rich's doing). What a board
said is shown as ``Text``, never as markup, with control characters written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from reports import text, view
from reports.terminal_figures import figures
from reports.terminal_latency import latency_lines, without_latencies
from reports.terminal_memory import memory_lines, without_tables
from reports.terminal_text import DIM, PLAIN, heading, outcome_word, padded, standard_console, words
from rig.evidence.model import Run

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text


def print_run(run: Run, console: Console | None = None) -> None:
    """Prints the run to standard output, or to the console given."""
    out = console or standard_console()
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
        yield heading("What went wrong")
        for story in wrong:
            yield from _trouble(run, story)
    if run.measurements:
        yield heading("Figures")
        yield from figures(without_latencies(without_tables(run)), width)
        yield from _remarks(run)
    yield from latency_lines(run)
    yield from memory_lines(run, width)
    if unstable := [story for story in cases if story.last.unstable]:
        yield heading("Unstable: passed on a retry")
        for story in unstable:
            yield from _unstable(story)
    if groups := view.skipped(cases):
        yield heading("Skipped")
        yield from _skips(groups)


def _grid(rows: Iterable[tuple[Text, ...]]) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return grid


def _summary(run: Run, cases: Sequence[view.CaseStory]) -> Iterator[RenderableType]:
    head = outcome_word(run.outcome)
    yield head.append_text(words(f"  {view.headline(run)}", PLAIN))
    if not run.complete:
        yield words("INCOMPLETE: cut off, or records are lost; cases may be missing.", "bold red")
        yield from (padded(words(note)) for note in run.notes)
    if not cases:
        yield words("No case was run: a run without any PASS is not a pass.", "bold red")
    rows = [("run", run.run_id), ("took", text.duration(run.duration_s))]
    rows += [("operator", run.operator)] if run.operator else []
    yield _grid((words(key, DIM), words(value)) for key, value in rows)
    yield from _boards(run)


def _boards(run: Run) -> Iterator[RenderableType]:
    from rich.table import Table

    if not run.boards:
        return
    table = Table(box=None, header_style=DIM, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("board", "outcome", "DUT", "kernel", "image"):
        table.add_column(name, overflow="fold")
    for board in run.boards:
        name = board.name + (" (emulated)" if board.emulated else "")
        kernel = str(board.identity.get("kernel") or "unknown")
        facts = (board.dut or "unknown", kernel, text.short_hash(board.image_sha256))
        table.add_row(words(name), outcome_word(board.outcome), *map(words, facts))
    yield table


def _trouble(run: Run, story: view.CaseStory) -> Iterator[RenderableType]:
    case = story.last
    line = outcome_word(case.outcome).append_text(words(f"  {story.title}", "bold"))
    yield line.append_text(words(f"  on {case.board}, {text.duration(case.duration_s)}", PLAIN))
    head, left_out = text.cut(case.reason or "no reason was recorded", 1200, 16)
    yield padded(words(head + (f" … ({left_out:,} more characters)" if left_out else "")), 6)
    for old in story.others:
        yield padded(words(f"attempt {old.attempt}: {old.outcome.value} {text.one_line(old.reason)}"), 6)
    for name, path in case.artifacts.items():
        where = path if path not in run.sensitive else f"{path} (sensitive)"
        yield padded(words(f"{name}: {where}", DIM), 6)


def _unstable(story: view.CaseStory) -> Iterator[RenderableType]:
    yield padded(words(f"{story.title} on {story.last.board}, attempt {story.last.attempt}", "yellow"))
    for old in story.others:
        yield padded(words(f"attempt {old.attempt}: {old.outcome.value} {text.one_line(old.reason)}"), 6)


def _skips(groups: Sequence[view.SkipGroup]) -> Iterator[RenderableType]:
    """Each reason once, with the boards that have it for the same cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for group in groups:
        names = ", ".join(f"{case.suite}/{case.case}" for case in group.cases)
        found.setdefault((group.reason, names), []).append(group.board)
    for (reason, names), boards in found.items():
        said = text.one_line(reason or "no reason was recorded", 400)
        yield padded(words(f"{said} ({', '.join(boards)}): ").append_text(words(names, DIM)))


def _remarks(run: Run) -> Iterator[RenderableType]:
    names = [board.name for board in run.boards if board.emulated]
    if names:
        whose = "its" if len(names) == 1 else "their"
        said = f"emulated: {whose} timings are instruction counts, not cycles of silicon"
        yield words(f"{', '.join(names)}: {said}", DIM)
    for remark in dict.fromkeys(r for board in run.boards for r in view.remarks(board) if r != "emulated"):
        boards = ", ".join(board.name for board in run.boards if remark in view.remarks(board))
        yield words(f"{boards}: {remark}", DIM)
