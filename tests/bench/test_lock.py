# SPDX-License-Identifier: MIT
"""One process at a time per board, and a name for whoever is first."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.bench.lock import Holder, board_lock, holder
from rig.deadline import Deadline, poll
from rig.errors import BoardBusy, RigFault

_HOLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from pathlib import Path
from rig.bench.lock import board_lock
with board_lock("alpha", Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _other_process(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the board until a line is written to it."""
    argv = [sys.executable, "-c", _HOLD, str(state_dir)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_board(tmp_path: Path) -> None:
    with (
        _other_process(tmp_path) as other,
        pytest.raises(
            BoardBusy,
            match=rf"^board alpha: is in use by process {other.pid} \(-c .*\) of \S+ since 20\S+Z \(",
        ),
        board_lock("alpha", tmp_path),
    ):
        pytest.fail("two processes hold one board")


def test_another_board_is_free_meanwhile(tmp_path: Path) -> None:
    with _other_process(tmp_path), board_lock("beta", tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_any_kind_of_death_frees_the_board(tmp_path: Path, number: signal.Signals) -> None:
    with _other_process(tmp_path) as other:
        other.send_signal(number)
        other.wait()
        assert holder("alpha", tmp_path) is None
        with board_lock("alpha", tmp_path):
            pass


def test_the_lock_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    with _other_process(tmp_path) as other:
        assert other.stdin is not None
        letting_go = threading.Timer(0.1, lambda: other.communicate("\n"))
        letting_go.start()
        with board_lock("alpha", tmp_path, Deadline.after(20)):
            assert other.poll() is not None or poll(lambda: other.poll() is not None, Deadline.after(5))
        letting_go.join()


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with (
        board_lock("alpha", tmp_path),
        pytest.raises(BoardBusy, match=f"process {os.getpid()} "),
        board_lock("alpha", tmp_path),
    ):
        pytest.fail("held twice")
    with board_lock("alpha", tmp_path):
        pass


def test_the_holder_is_known_while_it_holds_and_not_after(tmp_path: Path) -> None:
    assert holder("alpha", tmp_path) is None
    assert not (tmp_path / "alpha").exists()
    with board_lock("alpha", tmp_path):
        found = holder("alpha", tmp_path)
        assert isinstance(found, Holder)
        assert found.pid == os.getpid()
    assert holder("alpha", tmp_path) is None


def test_what_a_dead_holder_left_behind_is_not_believed(tmp_path: Path) -> None:
    with _other_process(tmp_path) as other:
        other.kill()
        other.wait()
    assert (tmp_path / "alpha" / "lock").read_text() != ""
    assert holder("alpha", tmp_path) is None


def test_rubbish_in_the_file_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "alpha" / "lock"
    path.parent.mkdir()
    for content in ("[]", "{", '{"pid": 1}', "\0" * 9000):
        path.write_text(content)
        assert holder("alpha", tmp_path) is None
        with board_lock("alpha", tmp_path):
            assert holder("alpha", tmp_path) is not None


def test_looking_never_makes_a_taker_fail(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            holder("alpha", tmp_path)

    onlookers = [threading.Thread(target=look) for _ in range(2)]
    for thread in onlookers:
        thread.start()
    try:
        for _ in range(200):
            with board_lock("alpha", tmp_path):
                pass
    finally:
        stop.set()
        for thread in onlookers:
            thread.join()


def test_never_two_at_once(tmp_path: Path) -> None:
    """Eight threads, each with a lock of its own, that count whoever is inside; seed 7."""
    inside: list[int] = []
    most = 0
    patience = random.Random(7)
    waits = [Deadline.after(20 + patience.random()) for _ in range(8)]

    def work(number: int) -> None:
        nonlocal most
        for _ in range(5):
            with board_lock("alpha", tmp_path, waits[number]):
                inside.append(number)
                most = max(most, len(inside))
                inside.pop()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(RigFault, match="board alpha: cannot open its lock: Not a directory"),
        board_lock("alpha", tmp_path / "file"),
    ):
        pytest.fail("held")


def test_a_child_process_does_not_keep_the_board(tmp_path: Path) -> None:
    with board_lock("alpha", tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        assert holder("alpha", tmp_path) is None
        child.communicate(b"\n")
