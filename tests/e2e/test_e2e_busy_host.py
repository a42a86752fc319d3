# SPDX-License-Identifier: MIT
"""A host that did not let the board run: that case cannot be judged, and those after it are."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

SUITE = """
from rig.deadline import Deadline
from rig.pytest_plugin.held_up import judged_where_host_lets_run


def test_starved(board):
    with judged_where_host_lets_run(board, -1.0):  # more than it can spare, however little it waited
        assert board.board.name == "another"


def test_afterwards(console):
    console.request("ping", {"text": "there"}, deadline=Deadline.after(20))
"""


def test_a_starved_board_costs_one_case(place: BenchPlace) -> None:
    done = place.pytest(place.suite("busy", SUITE))
    assert done.code == 3, done.out
    (folder,) = place.run_folders()
    cases = cases_of(load_run(folder))
    assert {name: case.outcome for name, case in cases.items()} == {
        "starved": Outcome.ERROR,
        "afterwards": Outcome.PASS,
    }
    assert "this host let the emulated board wait" in cases["starved"].reason
