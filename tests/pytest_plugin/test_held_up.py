# SPDX-License-Identifier: MIT
"""A host that does not let a board run: what looks like the board's fault is the rig's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rig.bench.session import BoardSession
from rig.child import Child, spawn
from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, HostBusy
from rig.pytest_plugin.held_up import judged_where_host_lets_run

BUSY = "print('busy', flush=True)\nwhile True: pass"


class Board:
    """What is needed of a session; it is held up by what a test says."""

    def __init__(self) -> None:
        self.held_up_s = 3.0
        self.board = SimpleNamespace(name="mps2")


def judged(held_s: float, fault: Exception | None, late_s: float | None = None) -> None:
    board = Board()
    with judged_where_host_lets_run(cast(BoardSession, board), 1.0, late_s=late_s):
        board.held_up_s += held_s
        if fault is not None:
            raise fault


def test_a_board_that_had_its_processor_is_judged() -> None:
    judged(0.5, None)
    judged(5.0, None)
    judged(5.0, None, late_s=60)
    judged(0.5, None, late_s=0)
    for fault in (BoardSilent("nothing"), AssertionError("wrong")):
        with pytest.raises(type(fault)) as seen:
            judged(1.0, fault)
        assert seen.value is fault


def test_one_that_had_its_time_beside_is_judged() -> None:
    """It waited for longer than can be spared, and still had more than all the time that it needs."""
    fault = BoardSilent("nothing came")
    with pytest.raises(BoardSilent):
        judged(1.5, fault, late_s=-2)
    judged(1.5, None, late_s=-2)
    with pytest.raises(HostBusy):
        judged(1.5, fault, late_s=-1)


def test_one_that_had_none_is_not() -> None:
    for fault in (BoardSilent("nothing came"), AssertionError("nothing came")):
        with pytest.raises(HostBusy, match=r"mps2: this host let .* wait for 1\.5 s; .* nothing came"):
            judged(1.5, fault)
    with pytest.raises(HostBusy, match=r"wait for 1\.5 s; it can spare 1 s"):
        judged(1.5, None, late_s=0)
    with pytest.raises(ZeroDivisionError):  # our own bug stays one
        judged(1.5, ZeroDivisionError())


@pytest.fixture
def two_on_one_processor(tmp_path: Path) -> Iterator[tuple[Child, Child]]:
    """Two programs that compute without a pause, where only one can."""
    processor = {min(os.sched_getaffinity(0))}
    with (
        spawn([sys.executable, "-c", BUSY], log=tmp_path / "1") as one,
        spawn([sys.executable, "-c", BUSY], log=tmp_path / "2") as two,
    ):
        for child in (one, two):
            os.sched_setaffinity(child.pid, processor)
        yield one, two


def test_the_kernel_tells_how_long_a_program_was_held_up(two_on_one_processor: tuple[Child, Child]) -> None:
    one, two = two_on_one_processor
    assert poll(lambda: one.held_up_s + two.held_up_s > 0.2, Deadline.after(30))
    one.kill()
    assert one.held_up_s == 0.0
