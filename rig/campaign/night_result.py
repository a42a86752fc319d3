# SPDX-License-Identifier: MIT
"""What a night came to: each case of each board and image over all its runs, the verdict, and what each image
differs by from the baseline. Pure.

A case is *unstable* where it was good and bad with the same image: in two attempts of a run, or in two runs.
An unstable case decides a night as a failed one does, for whoever looks at it in the morning must know it;
what is known and answered for is put in quarantine, which is shown and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rig.campaign.night_plan import Job, NightPlan
from rig.campaign.qualify_process import CaseEnd, RunEnd
from rig.errors import EvidenceFault
from rig.evidence.answered import Answered
from rig.evidence.measurement import NOT_GOOD, Outcome
from rig.evidence.model import Run
from rig.evidence.quarantine import quarantined
from rig.evidence.two_images import TwoImages, compare_images

Word = Literal["PASS", "FAIL", "ERROR", "UNSTABLE", "SKIPPED"]
_BAD: tuple[Word, ...] = ("FAIL", "UNSTABLE", "ERROR")


@dataclass(frozen=True, slots=True)
class CaseNight:
    """A case over a night: in ``bad`` of ``runs`` runs it was not good; ``run`` is the last of those."""

    board: str
    image: str
    case: str
    word: Word
    runs: int
    bad: int
    run: str
    reason: str
    quarantine: Answered | None = None

    def document(self) -> dict[str, Any]:
        """Plain data."""
        entry = self.quarantine
        by = {"owner": entry.owner, "reason": entry.reason, "expires": str(entry.expires)} if entry else None
        return {"board": self.board, "image": self.image, "case": self.case, "outcome": self.word,
                "runs": self.runs, "bad": self.bad, "run": self.run, "reason": self.reason,
                "quarantine": by}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NightResult:
    """All cases, and the runs that were never made, as (job, why)."""

    cases: tuple[CaseNight, ...]
    runs: int
    not_made: tuple[tuple[str, str], ...]

    @property
    def trouble(self) -> tuple[CaseNight, ...]:
        """The cases that are not as they must be, the worst word first; quarantine last."""
        rank = {word: place for place, word in enumerate(_BAD)}
        bad = [case for case in self.cases if case.word in rank]
        return tuple(sorted(bad, key=lambda c: (c.quarantine is not None, rank[c.word], c.board, c.case)))

    @property
    def outcome(self) -> Outcome:
        """FAIL where a case failed or is unstable, else ERROR where one was not judged, else PASS."""
        words = {case.word for case in self.trouble if case.quarantine is None}
        if words & {"FAIL", "UNSTABLE"}:
            return Outcome.FAIL
        if words or self.not_made or not self.runs:
            return Outcome.ERROR
        return Outcome.PASS

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {"outcome": self.outcome.value, "runs": self.runs,
                "not_made": [{"job": job, "why": why} for job, why in self.not_made],
                "trouble": [case.document() for case in self.trouble],
                "cases": [case.document() for case in self.cases]}  # fmt: skip


def result_of(
    jobs: Iterable[Job], ends: Mapping[str, RunEnd], quarantine: Sequence[Answered], now: datetime
) -> NightResult:
    """Puts the runs of a night together; a job without an end was not made."""
    gathered: dict[tuple[str, str, str], list[tuple[str, CaseEnd]]] = {}
    not_made: list[tuple[str, str]] = []
    runs = 0
    for job in jobs:
        end = ends.get(job.name)
        if end is None or not end.run_id:
            not_made.append((job.name, end.why if end else "the night was over"))
            continue
        runs += 1
        if end.why:
            not_made.append((job.name, end.why))
        for case, ended in end.cases.items():
            gathered.setdefault((job.board, job.image, case), []).append((end.run_id, ended))
    cases = (_case(key, those, quarantine, now) for key, those in sorted(gathered.items()))
    return NightResult(tuple(cases), runs, tuple(not_made))


def beside_the_baseline(
    plan: NightPlan, jobs: Iterable[Job], ends: Mapping[str, RunEnd], read: Callable[[str], Run]
) -> Iterator[TwoImages]:
    """Every other image of a board beside the plan's baseline, where either has a run that can be read."""
    found: dict[str, dict[str, list[Run]]] = {}
    for job in jobs if plan.baseline else ():
        end = ends.get(job.name)
        if end is not None and end.run_id:
            with suppress(EvidenceFault):
                run = read(end.run_id)
                found.setdefault(job.board, {}).setdefault(job.image, []).append(run)
    for board, runs in found.items():
        before = runs.pop(str(plan.baseline), [])
        for image, after in runs.items() if before else ():
            yield compare_images(board, (str(plan.baseline), image), before, after)


def _case(
    key: tuple[str, str, str],
    ends: Sequence[tuple[str, CaseEnd]],
    quarantine: Sequence[Answered],
    now: datetime,
) -> CaseNight:
    board, image, case = key
    outcomes = [end.outcome for _, end in ends]
    bad = [(run, end) for run, end in ends if end.outcome in NOT_GOOD]
    shaky = [(run, end) for run, end in ends if end.unstable]
    run, last = (bad or shaky or list(ends))[-1]
    word = _word(outcomes, bool(shaky))
    entry = quarantined(quarantine, case, board, now) if word in _BAD else None
    return CaseNight(board, image, case, word, len(ends), len(bad), run, last.reason, entry)


def _word(outcomes: Sequence[Outcome], shaky: bool) -> Word:
    ran = [outcome for outcome in outcomes if outcome is not Outcome.SKIPPED]
    if not ran:
        return "SKIPPED"
    good = Outcome.PASS in ran
    if Outcome.FAIL in ran:
        return "UNSTABLE" if good else "FAIL"
    if any(outcome in NOT_GOOD for outcome in ran):
        return "UNSTABLE" if good else "ERROR"
    return "UNSTABLE" if shaky else "PASS"
