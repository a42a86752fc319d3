# SPDX-License-Identifier: MIT
"""A run as reports tell it: cases with their attempts, what went wrong, what was skipped and why.

Owns the grouping and the order that every format shares. Makes no outcome: those come from the run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports import text
from reports.text import plural, size
from rig.events import Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run

TROUBLE = (Outcome.FAIL, Outcome.ERROR, Outcome.ABORTED)
_REGION = re.compile(r"memory\.region\.(?P<name>.+)\.used")
_WORDS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "could not be judged",
    Outcome.SKIPPED: "skipped",
    Outcome.ABORTED: "aborted",
}


@dataclass(frozen=True, slots=True)
class CaseStory:
    """A case with all its attempts, in order."""

    attempts: tuple[CaseResult, ...]

    @property
    def last(self) -> CaseResult:
        """The attempt whose outcome is the case's: the last that was not skipped (``measurement.decide``)."""
        ran = [attempt for attempt in self.attempts if attempt.outcome is not Outcome.SKIPPED]
        return (ran or self.attempts)[-1]

    @property
    def others(self) -> tuple[CaseResult, ...]:
        """The attempts beside the last."""
        return tuple(attempt for attempt in self.attempts if attempt is not self.last)

    @property
    def title(self) -> str:
        """``suite/case``."""
        return f"{self.last.suite}/{self.last.case}"


@dataclass(frozen=True, slots=True)
class SkipGroup:
    """Cases of one board that were skipped for the same reason."""

    board: str
    reason: str
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """How full a memory region is, in bytes; ``total`` is None where nobody said."""

    name: str
    used: float
    total: float | None
    start: str
    measurement: MeasurementResult

    @property
    def share(self) -> float:
        """The part in use, from 0 to 1; 0 where the size is unknown."""
        return min(1.0, max(0.0, self.used / self.total)) if self.total else 0.0

    @property
    def text(self) -> str:
        """``60.2 KiB of 256 KiB``."""
        return size(self.used) + (f" of {size(self.total)}" if self.total else "")


def stories(run: Run) -> tuple[CaseStory, ...]:
    """The cases of a run in the order they began, each with its attempts."""
    grouped: dict[tuple[str, str, str], list[CaseResult]] = {}
    for result in sorted(run.cases, key=lambda c: (c.started_ns, c.attempt)):
        grouped.setdefault((result.board, result.suite, result.case), []).append(result)
    return tuple(CaseStory(tuple(sorted(rows, key=lambda c: c.attempt))) for rows in grouped.values())


def troubles(cases: Iterable[CaseStory]) -> tuple[CaseStory, ...]:
    """What failed, errored or was aborted; failures first."""
    wrong = [story for story in cases if story.last.outcome in TROUBLE]
    return tuple(sorted(wrong, key=lambda story: TROUBLE.index(story.last.outcome)))


def skipped(cases: Iterable[CaseStory]) -> tuple[SkipGroup, ...]:
    """Skipped cases grouped by board and reason."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for story in cases:
        if story.last.outcome is Outcome.SKIPPED:
            groups.setdefault((story.last.board, story.last.reason), []).append(story.last)
    return tuple(SkipGroup(board, reason, tuple(rows)) for (board, reason), rows in groups.items())


def counts(cases: Iterable[CaseStory]) -> dict[Outcome, int]:
    """How many cases ended with each outcome; outcomes nobody had are left out."""
    seen = Counter(story.last.outcome for story in cases)
    return {outcome: seen[outcome] for outcome in _WORDS if seen[outcome]}


def tally(seen: dict[Outcome, int]) -> str:
    """Returns ``21 passed, 1 failed, 3 skipped``."""
    return ", ".join(f"{count:,} {_WORDS[outcome]}" for outcome, count in seen.items()) or "no cases"


def headline(run: Run) -> str:
    """One sentence: how many cases on which boards, and how they ended."""
    cases = stories(run)
    boards = plural(len(run.boards), "board")
    return f"{plural(len(cases), 'case')} on {boards}: {tally(counts(cases))}."


def is_emulated(board: BoardResult) -> bool:
    """Whether the board said it is emulated (identity ``emulated`` or a QEMU ``machine``)."""
    said = board.identity.get("emulated")
    if said is None:
        return bool(board.identity.get("machine") or board.identity.get("emulator"))
    return str(said).lower() in ("true", "yes", "1")


def regions(measurements: Iterable[MeasurementResult]) -> tuple[Region, ...]:
    """The memory map: measurements ``memory.region.<name>.used`` with their context's ``size``."""
    found = []
    for m in measurements:
        if match := _REGION.fullmatch(m.name):
            total = m.context.get("size")
            known = float(total) if isinstance(total, int | float) and total > 0 else None
            found.append(Region(match["name"], m.max, known, str(m.context.get("start", "")), m))
    return tuple(found)


def judged(m: MeasurementResult) -> float:
    """The figure that the limit judges."""
    return m.mean if m.statistic == "value" else float(getattr(m, m.statistic))


def limit_of(m: MeasurementResult) -> str:
    """Returns ``lo <= p99 <= hi``: the limit with the statistic it judges; empty without a limit."""
    return text.limit(m.lower, m.upper, m.statistic)


def is_tick(m: MeasurementResult) -> bool:
    """Whether these are the samples that a tick interrupt hit, kept apart (context ``population``)."""
    return m.context.get("population") == "tick" or m.name.endswith(".tick_hit")


def beside_one_another(run: Run) -> tuple[MeasurementResult, ...]:
    """The measurements of a run; where it has several boards, the same figure of each stands together."""
    if len(run.boards) < 2:
        return run.measurements
    boards = {board.name: number for number, board in enumerate(run.boards)}
    place: dict[tuple[str, str, str], int] = {}
    for m in run.measurements:
        place.setdefault((m.suite, m.case, m.name), len(place))

    def order(m: MeasurementResult) -> tuple[int, int, int]:
        return place[m.suite, m.case, m.name], boards.get(m.board, len(boards)), m.attempt

    return tuple(sorted(run.measurements, key=order))


def with_tick(
    measurements: Sequence[MeasurementResult],
) -> tuple[tuple[MeasurementResult, MeasurementResult | None], ...]:
    """Pairs each measurement with the one of the same case that holds its samples hit by a tick, if any."""
    apart = {
        (m.board, m.suite, m.case, m.attempt, m.name.rsplit(".", 1)[0]): m for m in measurements if is_tick(m)
    }
    pairs = []
    for m in measurements:
        if not is_tick(m):
            pairs.append((m, apart.pop((m.board, m.suite, m.case, m.attempt, m.name), None)))
    return (*pairs, *((m, None) for m in apart.values()))


def shared_context(measurements: Sequence[MeasurementResult]) -> dict[str, Scalar]:
    """The context that all of these have in common, so that it is told once."""
    if not measurements:
        return {}
    first, *rest = measurements
    return {k: v for k, v in first.context.items() if all(k in m.context and m.context[k] == v for m in rest)}
