# SPDX-License-Identifier: MIT
"""What a night came to: words of cases over several runs, quarantine, what was never made."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rig.campaign.night_plan import Job, NightPlan, PlannedImage
from rig.campaign.night_result import NightResult, beside_the_baseline, result_of
from rig.campaign.qualify_process import CaseEnd, RunEnd
from rig.errors import EvidenceFault
from rig.evidence.answered import Answered
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run

NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)
JOBS = [Job(f"mps2 own {n}.1", "mps2", "own", ("kernel",)) for n in (1, 2, 3)]
PASS, FAIL, ERROR, SKIPPED = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.SKIPPED


def night(*outcomes: Outcome, unstable: bool = False, entries: tuple[Answered, ...] = ()) -> NightResult:
    """One case that ended so in as many runs."""
    ends = {
        job.name: RunEnd(f"run-{n}", outcome, "ab", cases={"kernel/x[1]": CaseEnd(outcome, unstable, "why")})
        for n, (job, outcome) in enumerate(zip(JOBS, outcomes, strict=False))
    }
    return result_of(JOBS[: len(outcomes)], ends, entries, NOW)


def entry(what: str, day: date = date(2026, 11, 27), board: str | None = None) -> Answered:
    return Answered(what, "ada", "ticket 311", day, board, "quarantine.toml:1")


@pytest.mark.parametrize(
    ("outcomes", "word", "verdict"),
    [
        ((PASS, PASS, PASS), "PASS", PASS),
        ((FAIL, FAIL, FAIL), "FAIL", FAIL),
        ((PASS, FAIL, PASS), "UNSTABLE", FAIL),
        ((PASS, ERROR, PASS), "UNSTABLE", FAIL),
        ((ERROR, ERROR), "ERROR", ERROR),
        ((ERROR, FAIL), "FAIL", FAIL),
        ((SKIPPED, SKIPPED), "SKIPPED", PASS),
        ((SKIPPED, PASS), "PASS", PASS),
        ((Outcome.ABORTED, PASS), "UNSTABLE", FAIL),
    ],
)
def test_the_word_of_a_case(outcomes: tuple[Outcome, ...], word: str, verdict: Outcome) -> None:
    found = night(*outcomes)
    assert [case.word for case in found.cases] == [word]
    assert found.outcome is verdict


def test_a_pass_on_a_second_attempt_is_unstable() -> None:
    (case,) = night(PASS, unstable=True).trouble
    assert (case.word, case.bad, case.run) == ("UNSTABLE", 0, "run-0")


def test_who_reads_it_is_led_to_the_last_bad_run() -> None:
    (case,) = night(FAIL, FAIL, PASS).trouble
    assert (case.runs, case.bad, case.run, case.reason) == (3, 2, "run-1", "why")


@pytest.mark.parametrize("what", ["kernel/x[1]", "kernel/*", "*"])
def test_quarantine_is_shown_and_decides_nothing(what: str) -> None:
    found = night(FAIL, entries=(entry(what),))
    assert found.outcome is PASS
    assert [case.quarantine is not None for case in found.trouble] == [True]
    assert found.document()["trouble"][0]["quarantine"]["owner"] == "ada"


@pytest.mark.parametrize(
    "entries",
    [
        (entry("kernel/x[1]", date(2026, 11, 26)),),
        (entry("kernel/x[2]"),),
        (entry("kernel/x"),),
        (entry("kernel/*", board="mps2-m4"),),
    ],
    ids=["expired", "another case", "brackets are letters", "another board"],
)
def test_what_is_not_meant_counts(entries: tuple[Answered, ...]) -> None:
    assert night(FAIL, entries=entries).outcome is FAIL


def test_a_good_case_needs_no_quarantine() -> None:
    assert night(PASS, entries=(entry("*"),)).cases[0].quarantine is None


def test_runs_that_were_never_made_are_no_pass() -> None:
    ends = {JOBS[0].name: RunEnd("run-0", PASS, "ab", cases={"kernel/x": CaseEnd(PASS)}),
            JOBS[1].name: RunEnd("", ERROR, why="no image")}  # fmt: skip
    found = result_of(JOBS, ends, (), NOW)
    assert found.outcome is ERROR
    assert found.not_made == (("mps2 own 2.1", "no image"), ("mps2 own 3.1", "the night was over"))


def test_a_run_that_was_ended_counts_as_far_as_it_came() -> None:
    ends = {
        JOBS[0].name: RunEnd("run-0", Outcome.ABORTED, "ab", "it took longer", {"kernel/x": CaseEnd(PASS)})
    }
    found = result_of(JOBS[:1], ends, (), NOW)
    assert (found.outcome, found.runs, [case.word for case in found.cases]) == (ERROR, 1, ["PASS"])


def test_a_night_without_a_run_is_no_pass() -> None:
    assert result_of([], {}, (), NOW).outcome is ERROR


def test_each_other_image_stands_beside_the_baseline_where_both_have_a_run() -> None:
    boards = ("mps2", "mps2-m4", "stm32f4")
    images = tuple(PlannedImage(name, boards) for name in ("release", "tonight", "tomorrow"))
    plan = NightPlan(Path(), boards, ("kernel",), images, baseline="release")
    ran = {"mps2": ("release", "tonight", "tomorrow"), "mps2-m4": ("tonight",), "stm32f4": ("release",)}
    jobs = [Job(f"{board} {name} 1.1", board, name, ()) for board in boards for name in ran[board]]
    ends = {job.name: RunEnd(job.name, PASS) for job in jobs}

    def read(run_id: str) -> Run:
        if "tomorrow" in run_id:
            raise EvidenceFault(f"{run_id} cannot be read")
        return Run(run_id, Path(), PASS, True, NOW, 1.0, None, {}, (), (), (), ())

    found = list(beside_the_baseline(plan, jobs, ends, read))
    assert [(pair.board, pair.baseline, pair.image) for pair in found] == [("mps2", "release", "tonight")]
    nothing = NightPlan(Path(), boards, ("kernel",), images)
    assert list(beside_the_baseline(nothing, jobs, ends, read)) == []
