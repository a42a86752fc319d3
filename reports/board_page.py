# SPDX-License-Identifier: MIT
"""All that a page says of one board: its cases, memory, figures, what happened when, and its console.

Owns the choice and the order; the words are in ``templates/``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from reports import figures, plots, view
from reports.image_table import ImageTable, image_table
from reports.lanes import Timeline, sorted_out
from reports.latency import LatencyTable, PhaseTable, latency_table, phase_table
from reports.memory import MemoryMap, memory_map
from reports.published import BesidePublished, beside_published
from reports.samples import SampleBook
from reports.timeline import Moment, moments, timeline
from reports.timeline_data import timeline_data
from reports.transcript import TranscriptPage, TranscriptReader, excerpts, page, segments
from rig.errors import RigError
from rig.events import Event, Scalar
from rig.evidence.marks import Move, moves
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.published import without_published

NO_TRANSCRIPT = "No console transcript that may be shown was kept for this board."
_LONGEST_LINE = 320
HIDDEN_FACTS = frozenset({"description", "run_on_silicon", "emulated", "image"})
"""Facts of a board that the page tells in another place than the list of all of them."""


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One measurement on the page; ``svg`` is empty where there is nothing to draw.

    ``loaded`` is the same measurement, taken while the board was loaded.
    """

    m: MeasurementResult
    tick: MeasurementResult | None
    svg: str
    note: str
    context: Mapping[str, Scalar]
    loaded: MeasureRow | None = None


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """The measurements of one suite and the context they all share."""

    suite: str
    shared: Mapping[str, Scalar]
    rows: tuple[MeasureRow, ...]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """All that the page says of one board."""

    board: BoardResult
    emulated: bool
    remarks: tuple[str, ...]
    suites: Mapping[str, tuple[view.CaseStory, ...]]
    counts: Mapping[Outcome, int]
    skipped: tuple[view.SkipGroup, ...]
    memory: MemoryMap
    image: ImageTable
    moves: tuple[Move, ...]
    latency: LatencyTable
    phases: PhaseTable
    groups: tuple[MeasureGroup, ...]
    published: tuple[BesidePublished, ...]
    timeline: str
    look: str
    """The timeline as its script reads it; empty on paper."""
    moments: tuple[Moment, ...]
    more_moments: int
    transcript: TranscriptPage
    files: tuple[Path, ...]

    @property
    def facts(self) -> dict[str, Scalar]:
        """What the board said it is, but for what is told elsewhere."""
        return {
            key: value
            for key, value in self.board.identity.items()
            if key not in HIDDEN_FACTS and value is not None
        }


def board_page(
    run: Run, board: BoardResult, book: SampleBook, transcript: TranscriptReader, budget: int, *, paper: bool
) -> BoardPage:
    """Gathers it. ``budget``: bytes of transcript, and half as much again of what the timeline tells; on
    ``paper`` only what was said around what went wrong.
    """
    mine = [story for story in view.stories(run) if story.last.board == board.name]
    suites: dict[str, list[view.CaseStory]] = {}
    for story in mine:
        suites.setdefault(story.last.suite, []).append(story)
    measured = [m for m in run.measurements if m.board == board.name]
    rooms = memory_map(measured)
    latencies, phases = latency_table(measured), phase_table(measured)
    tabled = rooms.names | latencies.names | phases.names
    attempts = [attempt for story in mine for attempt in story.attempts]
    events = [event for event in run.events if event.board == board.name]
    said, more = moments(events)
    files = tuple(path for path in segments(board, attempts) if path not in run.sensitive)
    heard = Heard(budget // 2)
    shown = _transcript(files, attempts, heard.noting(transcript), budget, paper)
    drawn = _drawn(run, board, attempts, events, heard)
    return BoardPage(
        board=board,
        emulated=board.emulated,
        remarks=view.remarks(board),
        suites={name: tuple(rows) for name, rows in suites.items()},
        counts=view.counts(mine),
        skipped=view.skipped(mine),
        memory=rooms,
        image=image_table(attempts),
        moves=moves(events),
        latency=latencies,
        phases=phases,
        groups=_groups([m for m in measured if m.name not in tabled], book),
        published=beside_published(measured),
        timeline=timeline(drawn) if drawn else "",
        look=timeline_data(drawn, budget // 2) if drawn and not paper else "",
        moments=said,
        more_moments=more,
        transcript=shown,
        files=files,
    )


class Heard:
    """When each line of the console came, and the first of them, at most so many characters."""

    def __init__(self, characters: int) -> None:
        self.times = array("q")
        self.words: list[str] = []
        self._left = characters

    def noting(self, read: TranscriptReader) -> TranscriptReader:
        """A reader that also notes what it reads."""

        def noted(path: Path) -> Iterator[tuple[int, str | bytes]]:
            for t_ns, line in read(path):
                self._note(t_ns, line)
                yield t_ns, line

        return noted

    def _note(self, t_ns: int, line: str | bytes) -> None:
        self.times.append(t_ns)
        if self._left > 0:
            head = line[:_LONGEST_LINE]
            self.words.append(head if isinstance(head, str) else head.decode("utf-8", "backslashreplace"))
            self._left -= len(head)


def _drawn(
    run: Run, board: BoardResult, attempts: Sequence[CaseResult], events: Sequence[Event], heard: Heard
) -> Timeline | None:
    if not attempts and not events:
        return None
    return sorted_out(board.name, events, attempts, heard.times, run.duration_s, heard.words)


def _groups(measured: Sequence[MeasurementResult], book: SampleBook) -> tuple[MeasureGroup, ...]:
    grouped: dict[str, list[MeasurementResult]] = {}
    for m in measured:
        grouped.setdefault(m.suite, []).append(m)
    return tuple(_group(suite, rows, book) for suite, rows in grouped.items())


def _group(suite: str, rows: Sequence[MeasurementResult], book: SampleBook) -> MeasureGroup:
    pairs = figures.with_tick(rows)
    shared = figures.shared_context([m for m, _ in pairs if m.n > 1] or rows)
    told = figures.with_loaded(pairs)
    return MeasureGroup(suite, shared, tuple(_row(pair, loaded, shared, book) for pair, loaded in told))


def _row(
    pair: figures.Pair, loaded: figures.Pair | None, shared: Mapping[str, Scalar], book: SampleBook
) -> MeasureRow:
    m, tick = pair
    whole, note = book.of(m)
    apart, tick_note = book.of(tick) if tick else (None, "")
    return MeasureRow(
        m=m,
        tick=tick,
        svg=plots.histogram(m, whole, apart) if m.n != 1 or figures.has_limit(m) else "",
        note="; ".join(filter(None, (note, tick_note))),
        context={k: v for k, v in without_published(m.context).items() if k not in shared or shared[k] != v},
        loaded=_row(loaded, None, shared, book) if loaded else None,
    )


def _transcript(
    files: Sequence[Path], cases: Sequence[CaseResult], read: TranscriptReader, budget: int, paper: bool
) -> TranscriptPage:
    if not files:
        return TranscriptPage((), 0, 0, NO_TRANSCRIPT)
    try:
        lines = chain.from_iterable(read(path) for path in files)
        if paper:
            return excerpts(lines, [case for case in cases if case.outcome in view.TROUBLE])
        return page(lines, cases, budget)
    except (RigError, OSError, ValueError) as error:
        return TranscriptPage((), 0, 0, f"The transcript cannot be read: {error}")
