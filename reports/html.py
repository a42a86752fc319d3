# SPDX-License-Identifier: MIT
"""The report of a run as one HTML file that needs nothing else: no request leaves it, no script is needed.

Owns what the page shows and in which order the parts come; the words and the look are in ``templates/`` and
``static/``. The page's own policy forbids any other script, so device text could not run even if it got in.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from reports import text, view
from reports.transcript import TranscriptPage, TranscriptReader, page, read_console, segments
from rig.errors import RigError
from rig.events import Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from reports.distribution import Distribution
    from rig.evidence.statistics import Samples

SampleReader = Callable[[Run, MeasurementResult], "Samples"]

TRANSCRIPT_BUDGET = 1_200_000
"""Bytes of transcript on a page, shared by its boards."""
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One measurement on the page; ``svg`` is empty where there is nothing to draw."""

    m: MeasurementResult
    tick: MeasurementResult | None
    svg: str
    note: str
    context: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """The measurements of one suite and the context they all share."""

    suite: str
    shared: dict[str, Scalar]
    rows: tuple[MeasureRow, ...]

    @property
    def title(self) -> str:
        """The suite as the beginning of a heading."""
        return self.suite[:1].upper() + self.suite[1:]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """All that the page says of one board."""

    board: BoardResult
    emulated: bool
    suites: dict[str, tuple[view.CaseStory, ...]]
    counts: dict[Outcome, int]
    skipped: tuple[view.SkipGroup, ...]
    regions: tuple[view.Region, ...]
    groups: tuple[MeasureGroup, ...]
    transcript: TranscriptPage
    files: tuple[Path, ...]


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

    write_atomic(path, page_of(run, path.parent, samples or _stored_samples, transcript).encode())
    return path


def page_of(run: Run, folder: Path, samples: SampleReader, transcript: TranscriptReader) -> str:
    """Returns the whole page, with links to artifacts as seen from ``folder``."""
    from markupsafe import Markup

    from reports.templating import environment

    cases = view.stories(run)
    script = (STATIC / "report.js").read_text(encoding="utf-8")
    limited = [m for m in run.measurements if m.lower is not None or m.upper is not None]
    return (
        environment(run, folder)
        .get_template("report.html.j2")
        .render(
            run=run,
            headline=view.headline(run),
            counts=view.counts(cases),
            troubles=view.troubles(cases),
            unstable=[story for story in cases if story.last.unstable],
            marginal=[m for m in run.measurements if m.marginal],
            limited=len(limited),
            provisional=sum(m.provisional for m in limited),
            boards=[_board(run, b, cases, samples, transcript) for b in run.boards],
            css=Markup((STATIC / "report.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _stored_samples(run: Run, m: MeasurementResult) -> Samples:
    from rig.evidence import reader

    return reader.samples(run, m)


def _board(
    run: Run,
    board: BoardResult,
    cases: Sequence[view.CaseStory],
    samples: SampleReader,
    transcript: TranscriptReader,
) -> BoardPage:
    mine = [story for story in cases if story.last.board == board.name]
    suites: dict[str, list[view.CaseStory]] = {}
    for story in mine:
        suites.setdefault(story.last.suite, []).append(story)
    measured = [m for m in run.measurements if m.board == board.name]
    regions = view.regions(measured)
    mapped = {region.measurement.name for region in regions}
    grouped: dict[str, list[MeasurementResult]] = {}
    for m in measured:
        if m.name not in mapped:
            grouped.setdefault(m.suite, []).append(m)
    attempts = [attempt for story in mine for attempt in story.attempts]
    files = tuple(path for path in segments(board, attempts) if path not in run.sensitive)
    return BoardPage(
        board,
        view.is_emulated(board),
        {name: tuple(rows) for name, rows in suites.items()},
        view.counts(mine),
        view.skipped(mine),
        regions,
        tuple(_group(run, suite, rows, samples) for suite, rows in grouped.items()),
        _transcript(files, attempts, transcript, TRANSCRIPT_BUDGET // len(run.boards)),
        files,
    )


def _group(run: Run, suite: str, rows: Sequence[MeasurementResult], samples: SampleReader) -> MeasureGroup:
    pairs = view.with_tick(rows)
    shared = view.shared_context([m for m, _ in pairs])
    return MeasureGroup(suite, shared, tuple(_row(run, m, tick, shared, samples) for m, tick in pairs))


def _row(
    run: Run,
    m: MeasurementResult,
    tick: MeasurementResult | None,
    shared: dict[str, Scalar],
    samples: SampleReader,
) -> MeasureRow:
    from reports import plots

    whole, note = _distribution(run, m, samples)
    apart, tick_note = _distribution(run, tick, samples) if tick else (None, "")
    own = {key: value for key, value in m.context.items() if key not in shared}
    svg = plots.histogram(m, whole, apart)
    return MeasureRow(m, tick, svg, "; ".join(filter(None, (note, tick_note))), own)


def _distribution(run: Run, m: MeasurementResult, samples: SampleReader) -> tuple[Distribution | None, str]:
    """The distribution of a measurement's samples, and what is to be said about it."""
    from reports.distribution import distribution

    if m.n == 0:
        return None, "no samples"
    try:
        values: Samples = samples(run, m) if m.samples_sha256 else [m.p50] if m.n == 1 else []
    except (RigError, OSError, ValueError) as error:
        return None, f"samples cannot be read: {error}"
    found = distribution(values)
    if found is None:
        return None, "no finite sample to draw" if len(values) else "samples were not kept"
    note = f"{text.plural(found.not_finite, 'sample')} not a finite number" if found.not_finite else ""
    return found, note


def _transcript(
    files: Sequence[Path], cases: Sequence[CaseResult], read: TranscriptReader, budget: int
) -> TranscriptPage:
    if not files:
        return TranscriptPage((), 0, 0, "No console transcript that may be shown was kept for this board.")
    try:
        lines = chain.from_iterable(read(path) for path in files)
        return page(lines, cases, budget)
    except (RigError, OSError, ValueError) as error:
        return TranscriptPage((), 0, 0, f"The transcript cannot be read: {error}")
