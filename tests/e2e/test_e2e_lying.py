# SPDX-License-Identifier: MIT
"""A board whose lines are whole and whose words are nonsense: FAIL with the board, the line and the place."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from tests.e2e.bench_place import SABOTEUR, BenchPlace, cases_of
from tests.e2e.saboteur import VARIABLE

pytestmark = pytest.mark.emulated

SUITE = """
from rig.deadline import Deadline


def test_uptime(console):
    said = console.request("id", deadline=Deadline.after(20))
    assert said.fields.integer("uptime_ms") >= 0


def test_afterwards(console):
    console.request("ping", {"text": "there"}, deadline=Deadline.after(20))
"""


def test_nonsense_of_a_board_fails_its_case_and_no_other(place: BenchPlace) -> None:
    done = place.pytest("-p", SABOTEUR, place.suite("lying", SUITE), env={VARIABLE: "lie"})
    assert done.code == 1, done.out
    (folder,) = place.run_folders()
    cases = cases_of(load_run(folder))
    assert {name: case.outcome for name, case in cases.items()} == {
        "uptime": Outcome.FAIL,
        "afterwards": Outcome.PASS,
    }
    reason = cases["uptime"].reason
    assert reason.startswith("board mps2: expected a whole number")
    assert "in the field 'uptime_ms', it is 'long'" in reason
    assert "console.log:" in reason
