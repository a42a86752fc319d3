# SPDX-License-Identifier: MIT
"""``rig qualify`` is stopped at any moment, by Ctrl-C or by kill -9: nothing is lost and nothing is left.

Moments are drawn from a seed, over the whole life of the command. ``RIG_TEST_SEED`` repeats a run of them.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from rig.bench.lock import board_lock
from rig.deadline import Deadline, poll
from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import BOARD, EVIDENCE, BenchPlace, Done, bench_place
from tests.e2e.shown import assert_kept, cases_shown, run_left
from tests.seeds import dice

pytestmark = pytest.mark.emulated

COUNT = 12 if EVIDENCE else 2
_COMMAND = ("qualify", "--suite", "boot", "--suite", "kernel" if EVIDENCE else "memory")


@pytest.fixture(scope="module")
def whole_s(module_place: BenchPlace) -> float:
    """How long the command takes when nobody stops it."""
    begun_s = time.monotonic()
    assert module_place.rig(*_COMMAND).code == 0
    return time.monotonic() - begun_s


@pytest.fixture(params=range(COUNT))
def moment(request: pytest.FixtureRequest) -> float:
    """A share of the command's life, one from each of so many slices."""
    share: float = (request.param + dice(request.node.name).random()) / COUNT
    print(f"stopped after {share:.3f} of the command's life")
    return share


@pytest.fixture
def chip(module_place: BenchPlace, whole_s: float) -> Path:
    """The flash of the module's board, which the whole run left in order."""
    del whole_s
    return module_place.flash_file


def _stopped(place: BenchPlace, number: signal.Signals, after_s: float) -> tuple[Done, bool]:
    """Runs the command, stops it after so long; whether it had ended by itself."""
    running = place.start(*_COMMAND)
    by_itself = poll(lambda: running.ended, Deadline.after(after_s), interval_s=0.001)
    running.send(number)
    return running.finish(), by_itself


def test_ctrl_c_ends_in_order(moment: float, whole_s: float, chip: Path, tmp_path: Path) -> None:
    with bench_place(tmp_path, chip) as place:
        done, by_itself = _stopped(place, signal.SIGINT, moment * whole_s)
        print(done.err)
        assert place.processes() == []  # it has ended, so everything of it has
        run = run_left(place)
        assert "Traceback" not in done.err or run is None or run.outcome is Outcome.PASS
        assert_kept(run, done)
        if run is None or (run.complete and run.outcome is Outcome.PASS):
            # Before the run, or when all was decided: the interpreter's own start and end die of the signal.
            assert done.code in (130, -signal.SIGINT) or by_itself or (run is not None and done.code == 0)
            return
        assert done.code == 130
        assert (run.outcome, run.complete) == (Outcome.ABORTED, True), run.notes


def test_kill_9_loses_nothing_that_was_told(
    moment: float, whole_s: float, chip: Path, tmp_path: Path
) -> None:
    with bench_place(tmp_path, chip) as place:
        done, by_itself = _stopped(place, signal.SIGKILL, moment * whole_s)
        with board_lock(BOARD, place.folder / ".rig"):  # at once
            pass
        print(done.err)
        run = run_left(place)
        assert_kept(run, done)
        if by_itself or run is None:
            return
        assert done.code == -signal.SIGKILL
        assert run.outcome in (Outcome.PASS if run.complete else Outcome.ERROR, Outcome.ERROR)
        assert len([case for case in run.cases if case.reason == "cut off"]) <= 1
        assert len(run.cases) - len(cases_shown(done.err)) <= 1
        assert place.rig("report", cwd=place.folder).code == 0
