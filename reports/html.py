# SPDX-License-Identifier: MIT
"""The report of a run as one HTML file that needs nothing else: no request leaves it, no script is needed.

Owns what the page shows and in which order the parts come; the words and the look are in ``templates/`` and
``static/``. The page's own policy forbids any other script, so device text could not run even if it got in.
The same content on paper is ``pdf.py``'s.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reports import figures, view
from reports.board_page import board_page
from reports.boxes import boxes
from reports.samples import SampleBook, SampleReader, stored_samples
from reports.svg import inked
from reports.transcript import TranscriptReader, read_console
from rig.evidence.model import Run

if TYPE_CHECKING:
    from markupsafe import Markup

TRANSCRIPT_BUDGET = 1_100_000
"""Bytes of transcript on a page, shared by its boards."""
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The figures of one suite that several boards gave: distributions as boxes, single values as a table.

    ``loaded``: the distributions that were taken while the boards were loaded.
    """

    suite: str
    drawn: tuple[tuple[figures.SameFigure, str], ...]
    loaded: tuple[tuple[figures.SameFigure, str], ...]
    single: tuple[figures.SameFigure, ...]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the run that answers for the others, with its hash."""

    name: str
    octets: int
    sha256: str


def render_html(
    run: Run,
    path: Path,
    *,
    samples: SampleReader | None = None,
    transcript: TranscriptReader = read_console,
) -> Path:
    """Writes the report to ``path`` and returns it. What cannot be read is said on the page, not raised.

    ``samples`` and ``transcript`` read the run's stored samples and console transcripts. Raises EvidenceFault
    when the file cannot be written.
    """
    from rig.evidence.bundle import write_atomic

    write_atomic(path, page_of(run, path.parent, samples or stored_samples, transcript).encode())
    return path


def preload() -> None:
    """Imports what a page needs, for those who will want one and have the time now."""
    import jinja2  # noqa: F401


def page_of(
    run: Run, folder: Path, samples: SampleReader, transcript: TranscriptReader, *, paper: bool = False
) -> str:
    """Returns the whole page, with links to artifacts as seen from ``folder``.

    ``paper``: the same without script and what can be folded, its drawings in the colours of paper.
    """
    from markupsafe import Markup

    from reports.templating import environment

    cases = view.stories(run)
    book = SampleBook(run, samples)
    script = "" if paper else _static("report.js") + _static("timeline.js")
    css = _static("report.css") + (_static("paper.css") if paper else "")
    budget = TRANSCRIPT_BUDGET // max(1, len(run.boards))
    boards = [board_page(run, board, book, transcript, budget, paper=paper) for board in run.boards]
    same = figures.same_figures(run)
    env = environment(run, folder)
    env.filters["svg"] = _inked if paper else _shown
    env.filters["as_is"] = Markup
    return env.get_template("report.html.j2").render(
        run=run,
        paper=paper,
        headline=view.headline(run),
        counts=view.counts(cases),
        troubles=view.troubles(cases),
        unstable=[story for story in cases if story.last.unstable],
        marginal=[m for m in run.measurements if m.marginal],
        limited=[m for m in run.measurements if figures.has_limit(m)],
        provisional=_provisional(run),
        keys=[figure for figure in same if figure.limited],
        beside=_side_by_side(same, book) if len(run.boards) > 1 else (),
        boards=boards,
        drawn=any(board.timeline for board in boards),
        files=_kept(run),
        css=Markup(css),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _shown(svg: str, width: float) -> Markup:
    from markupsafe import Markup

    del width  # the page's
    return Markup(svg)


def _inked(svg: str, width: float) -> Markup:
    from markupsafe import Markup

    return Markup(inked(svg, width) if svg else "")


def _provisional(run: Run) -> dict[str, int]:
    """How many limits of each provisional origin were applied."""
    counted: dict[str, int] = {}
    for m in run.measurements:
        if m.provisional and figures.has_limit(m):
            counted[figures.origin_of(m)] = counted.get(figures.origin_of(m), 0) + 1
    return counted


def _side_by_side(same: Sequence[figures.SameFigure], book: SampleBook) -> tuple[SideBySide, ...]:
    suites: dict[str, list[figures.SameFigure]] = {}
    for figure in same:
        if len(figure.of) > 1:
            suites.setdefault(figure.suite, []).append(figure)
    return tuple(
        SideBySide(
            suite,
            tuple(
                (figure, _boxes(figure, book)) for figure in rows if not figure.single and not figure.loaded
            ),
            tuple((figure, _boxes(figure, book)) for figure in rows if not figure.single and figure.loaded),
            tuple(figure for figure in rows if figure.single),
        )
        for suite, rows in suites.items()
    )


def _boxes(figure: figures.SameFigure, book: SampleBook) -> str:
    shapes = {board: shape for board, (m, _) in figure.of.items() if (shape := book.of(m)[0]) is not None}
    return boxes(figure, shapes)


def _kept(run: Run) -> tuple[KeptFile, ...]:
    """The journals, which hold the SHA-256 of every artifact, and the header of the run."""
    from rig.evidence.bundle import HEADER, JOURNALS_GLOB, SUMMARY, sha256_of

    names = [HEADER, *sorted(path.name for path in run.path.glob(JOURNALS_GLOB)), SUMMARY]
    there = [run.path / name for name in names if (run.path / name).is_file()]
    return tuple(KeptFile(path.name, path.stat().st_size, sha256_of(path)) for path in there)
