# SPDX-License-Identifier: MIT
"""``rig qualify`` on the three shipped boards is stopped at any of a hundred moments, in order or by kill -9.

Moments are drawn from a seed, one from each of so many slices of the command's life; the boards begin with
blank chips, so that flashing is among what is cut off. ``RIG_TEST_SEED`` repeats a set of them.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.deadline import Deadline, poll
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, Done, bench_place
from tests.e2e.shown import assert_kept, run_left
from tests.seeds import dice

pytestmark = pytest.mark.emulated

BOARDS = ("mps2", "mps2-m4", "stm32f4")
COUNT = 100 if EVIDENCE else 2
_COMMAND = ("qualify", "--all", "--suite", "boot", "--suite", "memory")
_GONE_S = 10.0
_PARTS = 10
"""``make evidence`` asks for the moments by tenths (``-k part3``), so that it goes on where it stopped."""


@contextmanager
def _bench(folder: Path) -> Iterator[BenchPlace]:
    """A bench with the boards that are shipped; what their chips took on disk is removed."""
    folder.mkdir(exist_ok=True)
    with bench_place(folder, None) as place:
        place.inventory_path.write_text((PROJECT / "devices.yaml").read_text())
        try:
            yield place
        finally:
            poll(lambda: not place.processes(), Deadline.after(_GONE_S))
            shutil.rmtree(place.folder / ".rig", ignore_errors=True)


@pytest.fixture(scope="module")
def whole_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the command takes when nobody stops it."""
    with _bench(tmp_path_factory.mktemp("whole")) as place:
        begun_s = time.monotonic()
        done = place.rig(*_COMMAND)
        assert done.code == 0, done.err
        return time.monotonic() - begun_s


@pytest.fixture(params=range(COUNT), ids=lambda number: f"part{number * _PARTS // COUNT}-{number}")
def moment(request: pytest.FixtureRequest) -> float:
    """A share of the command's life."""
    share: float = (request.param + dice(request.node.name).random()) / COUNT
    print(f"stopped after {share:.3f} of the command's life")
    return share


def _stopped(place: BenchPlace, number: signal.Signals, after_s: float) -> tuple[Done, bool]:
    """Runs the command, stops it after so long; whether it had ended by itself."""
    running = place.start(*_COMMAND)
    by_itself = poll(lambda: running.ended, Deadline.after(after_s), interval_s=0.001)
    running.send(number)
    return running.finish(), by_itself


def test_ctrl_c_lets_every_board_go_in_order(moment: float, whole_s: float, tmp_path: Path) -> None:
    with _bench(tmp_path) as place:
        done, by_itself = _stopped(place, signal.SIGINT, moment * whole_s)
        print(done.err)
        assert place.processes() == []  # it has ended, so everything of it has
        place.assert_released(*BOARDS)
        run = run_left(place)
        assert_kept(run, done)
        if run is None or (run.complete and run.outcome is Outcome.PASS):
            # Before the run, or when all was decided: the interpreter's own start and end die of the signal.
            assert done.code in (130, -signal.SIGINT) or by_itself or (run is not None and done.code == 0)
            return
        assert "Traceback" not in done.err
        assert done.code == 130
        assert (run.outcome, run.complete) == (Outcome.ABORTED, True), run.notes
        assert _nothing_is_blamed(run)


def test_kill_9_loses_nothing_that_was_shown(moment: float, whole_s: float, tmp_path: Path) -> None:
    with _bench(tmp_path) as place:
        done, by_itself = _stopped(place, signal.SIGKILL, moment * whole_s)
        print(done.err)
        place.assert_released(*BOARDS)
        run = run_left(place)
        assert_kept(run, done)
        if by_itself or run is None:
            return
        assert done.code == -signal.SIGKILL
        assert run.outcome is (Outcome.PASS if run.complete else Outcome.ERROR)
        assert _nothing_is_blamed(run)
        assert place.rig("report").code == 0


def _nothing_is_blamed(run: Run) -> bool:
    """No board is said to have missed a requirement because the rig was stopped."""
    return all(case.outcome is not Outcome.FAIL for case in run.cases)
