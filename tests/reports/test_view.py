# SPDX-License-Identifier: MIT
"""The grouping that every report shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

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
        assert dataclasses.replace(board, identity=identity).emulated is emulated
