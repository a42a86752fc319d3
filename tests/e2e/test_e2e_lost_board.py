# SPDX-License-Identifier: MIT
"""The emulated board's process is killed in the middle of something: ERROR, never FAIL, one first cause."""

from __future__ import annotations

import itertools

import pytest

from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import SABOTEUR, BenchPlace
from tests.e2e.saboteur import VARIABLE

pytestmark = pytest.mark.emulated


@pytest.mark.parametrize(
    "harm",
    [
        "kill while erasing",
        "kill while programming",
        "kill before read-back",
        "kill in a benchmark",
        "kill in a read-out",
    ],
)
def test_killed_board_is_an_error_with_one_first_cause(harm: str, place: BenchPlace) -> None:
    sabotage = {VARIABLE: harm, "PYTEST_PLUGINS": SABOTEUR}
    done = place.rig("qualify", "--suite", "kernel", "--force", env=sabotage)

    assert done.code == 3, done.err
    run = place.run()
    assert (run.outcome, run.complete) == (Outcome.ERROR, True)
    before = list(itertools.takewhile(lambda case: case.outcome is Outcome.PASS, run.cases))
    assert not before or harm.startswith("kill in")  # what needs no benchmark has passed by then
    first, *later = run.cases[len(before) :]
    assert first.outcome is Outcome.ERROR
    assert first.reason.startswith("board mps2: QEMU (process ")
    assert "was ended by signal 9 (SIGKILL)" in first.reason
    assert "qemu.log" in first.reason
    assert later
    cause = first.reason.partition("\nseen first as: ")[0]  # a silent console, until the probe was asked
    for case in later:
        assert (case.outcome, case.reason) == (Outcome.SKIPPED, f"first cause: {cause}")
    assert "Traceback" not in done.err
    assert run.boards[0].identity["cpuid"] == "0x410fc231"
    assert {"console", "probe", "power"} <= {event.source for event in run.events}
    if harm.startswith("kill in"):
        # What the board had still said may be of the case before, which then passed with all it needed.
        last = before[-1] if before and not first.artifacts["console"].read_bytes() else first
        assert last.artifacts["console"].read_bytes()


SUITE = """
import os
import signal

from rig.deadline import Deadline, poll


def test_dies_while_the_host_compares(board):
    os.kill(board.emulated.pid, signal.SIGKILL)
    assert poll(lambda: not board.emulated.is_on, Deadline.after(10))
    assert 1 == 2, "what the board did is not what it should"


def test_afterwards(console):
    console.request("ping", {"text": "there"}, deadline=Deadline.after(5))
"""


def test_board_that_died_is_an_error_also_where_only_the_host_compared(place: BenchPlace) -> None:
    """A failed comparison is the consequence: nobody knows what the board would have done."""
    assert place.pytest(place.suite("dying", SUITE)).code == 3
    first, last = place.run().cases
    assert first.outcome is Outcome.ERROR
    assert first.reason.startswith("board mps2: QEMU (process ")
    assert "seen first as: AssertionError: what the board did is not" in first.reason
    assert last.outcome is Outcome.SKIPPED
    assert last.reason.startswith("first cause: board mps2: QEMU (process ")


def test_next_run_after_a_killed_board_passes(place: BenchPlace) -> None:
    sabotage = {VARIABLE: "kill while programming", "PYTEST_PLUGINS": SABOTEUR}
    assert place.rig("qualify", "--suite", "boot", "--force", env=sabotage).code == 3
    assert place.rig("qualify", "--suite", "boot").code == 0
