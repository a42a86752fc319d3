# SPDX-License-Identifier: MIT
"""Boards side by side in one bundle: a journal each, one clock, one outcome; what is missing of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.errors import EvidenceFault
from rig.events import Event, RunClock
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run, samples, verify
from rig.evidence.recorder import RunRecorder
from rig.evidence.store import list_runs

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles

BOARDS = ("left", "right")
CASES = (("kernel", "test_yield"), ("kernel", "test_queue"))
Whole = tuple[RunRecorder, RunRecorder, RunRecorder]


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    """A run of two boards that has begun: the run's recorder, and one of each board."""
    run = RunRecorder.create(tmp_path, RunClock(), "ada", {}, boards=BOARDS)
    left, right = (RunRecorder.join(run.path, board) for board in BOARDS)
    return run, left, right


def put_through(part: RunRecorder, board: str, outcome: Outcome = Outcome.PASS) -> None:
    """Both cases of a board, with the same samples on each."""
    part.board(board, f"SN-{board}", "ab" * 32)
    part.planned(board, CASES)
    for suite, case in CASES:
        part.case_started(board, suite, case)
        part.event(Event(part.clock.now_ns(), "console", "line", board, {"text": case}))
        part.measurement(board, suite, case, 1, bundles.YIELD, samples=[168, 170, 171])
        part.case_finished(board, suite, case, 1, outcome)


def outcomes(run: Run) -> dict[str, Outcome]:
    return {board.name: board.outcome for board in run.boards}


def test_one_run_of_two_boards(whole: Whole) -> None:
    run, left, right = whole
    put_through(right, "right")
    put_through(left, "left")
    assert (left.finish(), right.finish(), run.finish()) == (Outcome.PASS,) * 3
    read = load_run(run.path)
    assert (read.outcome, read.complete, read.notes) == (Outcome.PASS, True, ())
    assert [(board.name, board.dut) for board in read.boards] == [("left", "SN-left"), ("right", "SN-right")]
    assert len(read.cases) == 4
    series = [samples(read, measurement).tolist() for measurement in read.measurements]
    assert series == [[168, 170, 171]] * 4
    assert len(list((run.path / "samples").iterdir())) == 1
    assert verify(read) == ()


def test_all_is_on_one_clock_and_in_its_order(whole: Whole) -> None:
    run, left, right = whole
    for number in range(6):
        part, board = ((left, "left"), (right, "right"))[number % 2]
        part.event(Event(part.clock.now_ns(), "console", "line", board, {"n": number}))
        assert part.clock.started_utc == run.clock.started_utc
    for part in (left, right, run):
        part.finish()
    assert [event.data["n"] for event in load_run(run.path).events] == list(range(6))


def test_the_summary_is_of_all_boards(whole: Whole) -> None:
    run, left, right = whole
    put_through(left, "left")
    put_through(right, "right", Outcome.FAIL)
    left.finish()
    right.finish()
    assert not (run.path / "summary.json").exists()
    assert run.finish() is Outcome.FAIL
    summary = json.loads((run.path / "summary.json").read_text())
    assert (summary["outcome"], summary["exit_code"]) == ("FAIL", 1)
    assert (summary["cases"]["PASS"], summary["cases"]["FAIL"]) == (2, 2)
    with (run.path / "journal.left.jsonl").open("ab") as file:
        file.write(b"\n")
    assert any("journal.left.jsonl: its SHA-256" in fault for fault in verify(load_run(run.path)))


def test_a_board_whose_process_died_is_error_and_the_other_is_not(whole: Whole) -> None:
    run, left, right = whole
    put_through(left, "left")
    left.finish()
    right.planned("right", [*CASES, ("memory", "test_heap")])
    right.case_started("right", "kernel", "test_yield")
    right.case_finished("right", "kernel", "test_yield", 1, Outcome.PASS)
    right.case_started("right", "kernel", "test_queue")
    run.board_ended("left", "its process ended with status 0")
    run.board_ended("right", "its process was ended by signal 9 (SIGKILL)")
    assert run.finish() is Outcome.ERROR
    read = load_run(run.path)
    why = "cut off: its process was ended by signal 9 (SIGKILL)"
    assert outcomes(read) == {"left": Outcome.PASS, "right": Outcome.ERROR}
    assert (read.outcome, read.complete, read.notes) == (Outcome.ERROR, False, (f"board right: {why}",))
    assert [(case.case, case.outcome, case.reason) for case in read.cases if case.board == "right"] == [
        ("test_yield", Outcome.PASS, ""),
        ("test_queue", Outcome.ERROR, why),
        ("test_heap", Outcome.SKIPPED, f"first cause: {why}"),
    ]


def test_a_board_that_never_came_is_missed(tmp_path: Path) -> None:
    run = RunRecorder.create(tmp_path, RunClock(), boards=BOARDS)
    left = RunRecorder.join(run.path, "left")
    put_through(left, "left")
    left.finish()
    assert run.finish() is Outcome.ERROR
    read = load_run(run.path)
    assert outcomes(read) == {"left": Outcome.PASS, "right": Outcome.ERROR}
    assert read.notes == ("board right: no journal", "board right: cut off")


def test_all_that_every_board_acknowledged_is_there_while_nobody_has_ended(whole: Whole) -> None:
    run, left, right = whole
    put_through(left, "left")
    put_through(right, "right")
    read = load_run(run.path)
    assert (len(read.cases), len(read.measurements)) == (4, 4)
    assert (read.outcome, read.complete) == (Outcome.ERROR, False)
    assert outcomes(read) == {"left": Outcome.ERROR, "right": Outcome.ERROR}


def test_an_abort_of_the_run_is_one_of_each_board(whole: Whole) -> None:
    run, left, right = whole
    put_through(left, "left")
    left.finish()
    right.planned("right", CASES)
    right.case_started("right", "kernel", "test_yield")
    run.abort("interrupted")
    run.board_ended("right", "its process was ended by signal 9 (SIGKILL)")
    assert run.finish() is Outcome.ABORTED
    read = load_run(run.path)
    assert outcomes(read) == {"left": Outcome.PASS, "right": Outcome.ABORTED}
    assert [case.reason for case in read.cases if case.board == "right"] == ["cut off: interrupted"]


def test_a_board_that_had_not_begun_when_the_run_was_stopped_has_lost_nothing(tmp_path: Path) -> None:
    run = RunRecorder.create(tmp_path, RunClock(), boards=BOARDS)
    run.abort("interrupted")
    for board in BOARDS:
        run.board_ended(board, "its process was ended by signal 15 (SIGTERM)")
    assert run.finish() is Outcome.ABORTED
    read = load_run(run.path)
    assert (read.outcome, read.complete) == (Outcome.ABORTED, True)
    assert set(outcomes(read).values()) == {Outcome.ABORTED}


def test_the_end_of_a_board_can_be_worse_than_its_cases(whole: Whole) -> None:
    run, left, right = whole
    put_through(left, "left")
    left.finish(Outcome.ERROR)
    put_through(right, "right")
    right.finish()
    assert run.finish() is Outcome.ERROR
    assert outcomes(load_run(run.path)) == {"left": Outcome.ERROR, "right": Outcome.PASS}


def test_a_damaged_record_of_one_board_names_its_journal(whole: Whole) -> None:
    run, left, right = whole
    for part, board in ((left, "left"), (right, "right")):
        put_through(part, board)
        part.finish()
    run.finish()
    journal = run.path / "journal.right.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"p99":171', b'"p99":111', 1))
    read = load_run(run.path)
    assert (read.complete, read.outcome) == (False, Outcome.ERROR)
    assert any("journal.right.jsonl:" in note and "damaged" in note for note in read.notes)


@pytest.mark.parametrize(
    ("join", "said"),
    [
        (lambda path: RunRecorder.join(path, "middle"), "board middle: is no part of this run"),
        (lambda path: RunRecorder.join(path, "left"), "File exists"),
        (lambda path: RunRecorder.join(path / "none", "left"), "is no part of this run"),
    ],
)
def test_who_may_not_join(whole: Whole, join: Callable[[Path], RunRecorder], said: str) -> None:
    with pytest.raises(EvidenceFault, match=said):
        join(whole[0].path)


def test_the_index_follows_a_run_that_grows_in_one_of_its_journals(tmp_path: Path, whole: Whole) -> None:
    run, left, right = whole
    assert list_runs(tmp_path)[0].boards == BOARDS
    put_through(left, "left")
    for part in (left, right):
        part.finish()
    assert list_runs(tmp_path)[0].outcome is Outcome.ERROR
    run.finish()
    (indexed,) = list_runs(tmp_path)
    assert (indexed.outcome, indexed.complete) == (Outcome.PASS, True)
