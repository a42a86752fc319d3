# SPDX-License-Identifier: MIT
"""Reading a run along while it is written: nothing twice, nothing lost, and a cut-off run is known as one."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rig.errors import EvidenceFault
from rig.events import RunClock
from rig.evidence.bundle import JOURNAL
from rig.evidence.journal import Journal, encode, is_written
from rig.evidence.journal_tail import JournalTail, RunTail, run_in_progress
from rig.evidence.measurement import Outcome
from rig.evidence.recorder import RunRecorder
from tests.evidence.bundles import CASE, line, recorder, small_run


def test_a_run_is_read_on_and_on_until_its_end(tmp_path: Path) -> None:
    with recorder(tmp_path) as run:
        tail = RunTail(run.path)
        run.board("mps2")
        assert [record["type"] for record in tail.new()] == ["run", "board"]
        assert tail.goes_on
        run.case_started(*CASE)
        line(run, "hello")
        run.case_finished(*CASE, Outcome.PASS)
        assert [record["type"] for record in tail.new()] == ["event", "case_started", "case_finished"]
        assert tail.new() == []
        assert not tail.ended
    assert [record["type"] for record in tail.new()] == ["finish"]
    assert (tail.ended, tail.goes_on, tail.notes) == (True, False, [])


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_come_in_any_pieces_make_the_same_records(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    content = b"".join(
        encode(n, {"type": "event", "t": n, "text": "x" * dice.randrange(300)}) for n in range(80)
    )
    path = tmp_path / JOURNAL
    tail, seen = JournalTail(path), list[int]()
    with path.open("wb", buffering=0) as file:
        at = 0
        while at < len(content):
            size = dice.randrange(1, 700)
            file.write(content[at : at + size])
            at += size
            seen += [record["seq"] for record in tail.new()]
    assert seen == list(range(80))
    assert (tail.notes, tail.cut_off) == ([], False)


def test_a_truncated_journal_gives_its_whole_records_and_says_that_half_a_one_is_left(tmp_path: Path) -> None:
    path = small_run(tmp_path)
    content = (path / JOURNAL).read_bytes()
    os.truncate(path / JOURNAL, len(content) - 20)
    tail = RunTail(path)
    assert len(tail.new()) == content.count(b"\n") - 1
    assert (tail.ended, tail.goes_on, tail.cut_off) == (False, False, JOURNAL)


def test_a_writer_that_takes_half_a_record_back_is_followed(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    one, two, three = (encode(n, {"type": "event", "t": n}) for n in range(3))
    path.write_bytes(one + two[:9])
    tail = JournalTail(path)
    assert [record["seq"] for record in tail.new()] == [0]
    path.write_bytes(one)
    assert tail.new() == []
    path.write_bytes(one + two + three)
    assert [record["seq"] for record in tail.new()] == [1, 2]
    assert tail.notes == []


def test_damage_costs_only_its_own_record(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    path.write_bytes(encode(0, {"t": 0}) + b"\x1b[2Jno record\n\n" + encode(1, {"t": 1}))
    tail = JournalTail(path)
    assert [record["seq"] for record in tail.new()] == [0, 1]
    assert tail.notes == ["journal.jsonl: damaged record skipped"]


def test_a_journal_is_written_as_long_as_its_writer_lives(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    assert not is_written(path)
    journal = Journal(path)
    assert is_written(path)
    journal.close()
    assert not is_written(path)


def test_the_run_that_goes_on_with_a_board_is_found_among_others(tmp_path: Path) -> None:
    assert run_in_progress(tmp_path, "mps2") is None
    small_run(tmp_path)
    with recorder(tmp_path) as other:
        other.board("stm32f4")
        assert run_in_progress(tmp_path, "mps2") is None
        with recorder(tmp_path) as mine:
            mine.board("mps2")
            assert run_in_progress(tmp_path, "mps2") == mine.path
        assert run_in_progress(tmp_path, "mps2") is None


def test_boards_side_by_side_are_read_in_order_of_time(tmp_path: Path) -> None:
    whole = RunRecorder.create(tmp_path, RunClock(), boards=["a", "b"])
    with whole:
        assert run_in_progress(tmp_path, "a") is None
        parts = {board: RunRecorder.join(whole.path, board) for board in "ab"}
        tail = RunTail(whole.path)
        assert run_in_progress(tmp_path, "b") == whole.path
        for board, part in parts.items():
            part.board(board)
            part.finish(Outcome.PASS)
        times = [record["t"] for record in tail.new()]
        assert times == sorted(times)
        assert not tail.ended
    assert [record["type"] for record in tail.new()] == ["finish"]
    assert tail.ended


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceFault, match="no run's bundle here"):
        RunTail(tmp_path)
