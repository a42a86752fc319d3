# SPDX-License-Identifier: MIT
"""A qualification for the terminal: verdict, what stands in the way, who waived what, how far groups are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from reports.qualification_page import LOOKS, Fold, folds, tally
from reports.terminal_text import DIM, PLAIN, STYLES, heading, padded, standard_console, words
from reports.text import one_line, plural, short_hash
from rig.evidence.measurement import Outcome
from rig.evidence.qualification import Qualification, Row, Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_STYLES: Final = {
    Word.QUALIFIED: STYLES[Outcome.PASS],
    Word.NOT_QUALIFIED: STYLES[Outcome.FAIL],
    Word.STALE: STYLES[Outcome.ABORTED],
    Word.EMULATED: "bold",
}


def print_qualification(said: Qualification) -> None:
    """Prints it to standard output, in colour where that is a terminal."""
    _print(standard_console(), said)


def qualification_as_text(said: Qualification, width: int = 100) -> str:
    """The same as plain text."""
    from rich.console import Console

    out = io.StringIO()
    _print(Console(file=out, width=width, highlight=False), said)
    return out.getvalue()


def _print(console: Console, said: Qualification) -> None:
    for part in _parts(said):
        console.print(part)


def _parts(said: Qualification) -> Iterator[RenderableType]:
    head = words(said.word.value, _STYLES[said.word])
    yield head.append_text(words(f"  {said.profile.title} on {', '.join(said.boards) or 'no board'}", PLAIN))
    yield padded(words(said.sentence))
    units = ", ".join(unit.name for unit in said.units) or "none"
    yield padded(
        words(f"image {short_hash(said.image_sha256)}, kernel {said.kernel or 'unknown'}, units {units}", DIM)
    )
    yield from (padded(words(note, DIM)) for note in said.notes)
    if said.open:
        yield heading("What stands in the way")
        yield padded(_table(folds(said)))
    waived = [row for row in said.rows if row.waiver or row.expired]
    if waived:
        yield heading("Waivers")
        yield from (padded(words(line)) for row in waived for line in _waivers(row))
    yield heading("Groups")
    groups = {row.wanted.group for row in said.rows}
    for group in sorted(groups):
        rows = [row for row in said.rows if row.wanted.group == group]
        yield padded(words(f"{group}: {tally(rows)}"))
    yield padded(words(plural(len(said.runs), "run") + ": " + (", ".join(said.runs) or "none"), DIM))


def _table(rows: Sequence[Fold]) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for fold in rows:
        state = words(fold.first.state.value, STYLES[Outcome(LOOKS[fold.first.state])])
        names = f"{fold.group}/{fold.names[0]}" + (
            f" and {more} more" if (more := len(fold.rows) - 1) else ""
        )
        table.add_row(state, words(names), words(one_line(fold.reason, 160), DIM))
    return table


def _waivers(row: Row) -> Iterator[str]:
    if row.waiver is not None:
        word = "waived" if row.waived else "not needed"
        yield f"{word}: {row.wanted.id} by {row.waiver.owner} until {row.waiver.expires}: {row.waiver.reason}"
    for waiver in row.expired:
        yield f"expired: {row.wanted.id} by {waiver.owner} on {waiver.expires}: {waiver.reason}"
