# SPDX-License-Identifier: MIT
"""The grouping that every report shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reports import view
from rig.events import Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

Measure = Callable[..., MeasurementResult]
Attempt = Callable[..., CaseResult]


def test_attempts_of_a_case_are_one_story_in_order(run: Run) -> None:
    story = next(s for s in view.stories(run) if s.last.case == "test_reset_causes")
    assert [a.outcome for a in story.attempts] == [Outcome.ERROR, Outcome.PASS]
    assert story.last.unstable
    assert [a.attempt for a in story.others] == [1]


def test_a_skipped_retry_does_not_hide_the_attempt_that_ran(bare: Run, attempt: Attempt) -> None:
    cases = (attempt("test_x", Outcome.FAIL), attempt("test_x", Outcome.SKIPPED, attempt=2))
    (story,) = view.stories(dataclasses.replace(bare, cases=cases))
    assert story.last.outcome is Outcome.FAIL


def test_the_headline_counts_each_case_once(run: Run, bare: Run) -> None:
    assert view.headline(run) == "61 cases on 1 board: 51 passed, 4 failed, 6 skipped."
    assert view.headline(bare) == "0 cases on 1 board: no cases."


def test_failures_come_before_errors(bare: Run, attempt: Attempt) -> None:
    outcomes = (Outcome.ABORTED, Outcome.ERROR, Outcome.PASS, Outcome.FAIL)
    cases = tuple(attempt(f"test_{i}", outcome) for i, outcome in enumerate(outcomes))
    wrong = view.troubles(view.stories(dataclasses.replace(bare, cases=cases)))
    assert [story.last.outcome for story in wrong] == [Outcome.FAIL, Outcome.ERROR, Outcome.ABORTED]


def test_skipped_cases_are_grouped_by_reason(run: Run) -> None:
    groups = view.skipped(view.stories(run))
    assert [len(group.cases) for group in groups] == [4, 2]
    assert groups[1].reason == "board lacks the feature 'network'"


def test_memory_regions_know_their_share_and_live_without_a_size(run: Run, measure: Measure) -> None:
    flash, ram, _ = view.regions(run.measurements)
    assert (flash.name, flash.text, flash.start) == ("flash", "60.3 KiB of 16 MiB", "0x21000000")
    assert ram.share == pytest.approx(0.93, abs=0.001)
    sizes: tuple[Scalar, ...] = (None, "big", 0, -1, float("nan"))
    for size in sizes:
        (odd,) = view.regions([measure("memory.region.x.used", [100], context={"size": size})])
        assert (odd.total, odd.share) == (None, 0)


def test_samples_hit_by_a_tick_are_paired_with_the_others(run: Run, measure: Measure) -> None:
    pairs = view.with_tick(run.measurements)
    assert not any(view.is_tick(m) for m, _ in pairs)
    paired = [(m.name, tick.name) for m, tick in pairs if tick]
    assert paired[0] == ("sched.yield.peer", "sched.yield.peer.tick_hit")
    lonely = measure("a.tick_hit", [9])
    assert view.with_tick([lonely]) == ((lonely, None),)


def test_context_that_all_share_is_told_once(measure: Measure) -> None:
    rows = [measure("a", [1], context={"clock": "exact", "overhead": n}) for n in (4, 5)]
    assert view.shared_context(rows) == {"clock": "exact"}
    assert view.shared_context([]) == {}


def test_a_board_that_says_so_is_emulated(run: Run) -> None:
    board = run.boards[0]
    identities: list[tuple[dict[str, Scalar], bool]] = [
        ({"emulated": True}, True),
        ({"emulated": "yes"}, True),
        ({"machine": "mps2-an385"}, True),
        ({"emulated": False, "machine": "x"}, False),
        ({}, False),
    ]
    for identity, emulated in identities:
        assert view.is_emulated(dataclasses.replace(board, identity=identity)) is emulated
