# SPDX-License-Identifier: MIT
"""A run as reports tell it: cases with their attempts, what went wrong, what was skipped and why.

Owns the grouping and the order that every format shares. Makes no outcome: those come from the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reports.text import plural
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, Run

TROUBLE = (Outcome.FAIL, Outcome.ERROR, Outcome.ABORTED)
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


def remarks(board: BoardResult) -> tuple[str, ...]:
    """What must be known of a board before its figures are believed, in a few words each."""
    said = ["emulated"] if board.emulated else []
    said += ["not yet run on silicon"] if board.identity.get("run_on_silicon") is False else []
    method = board.identity.get("flash_method")
    said += [str(method)] if isinstance(method, str) and method.startswith("direct write") else []
    return tuple(said)
