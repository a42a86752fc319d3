# SPDX-License-Identifier: MIT
"""Processes forked of one that has imported: how they end, and that none outlives what started it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rig.cli.nursery import BoardProcess, Nursery, open_nursery
from rig.deadline import Deadline, poll

ROOT = Path(__file__).parents[2]
WAITS = """import os, signal

def test_waits():
    open('began', 'w').write(str(os.getpid()))
    signal.pause()
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """A nursery whose processes see the rig's own sources."""
    with open_nursery(tmp_path, tmp_path / "nursery.log", {**os.environ, "PYTHONPATH": str(ROOT)}) as made:
        yield made


def _start(nursery: Nursery, folder: Path, *arguments: str) -> BoardProcess:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.close()
    with there:
        return nursery.start(arguments, folder, folder / "process.log", there)


def _waiting(nursery: Nursery, folder: Path) -> tuple[BoardProcess, psutil.Process]:
    """A process in the middle of a test, and itself."""
    (folder / "test_waits.py").write_text(WAITS.replace("'began'", repr(str(folder / "began"))))
    process = _start(nursery, folder, str(folder))
    began = folder / "began"
    assert poll(lambda: began.exists() and bool(began.read_text()), Deadline.after(30))
    return process, psutil.Process(int(began.read_text()))


def test_it_runs_with_its_output_in_the_log(nursery: Nursery, tmp_path: Path) -> None:
    process = _start(nursery, tmp_path, "--version")
    assert process.wait(Deadline.after(30))
    assert process.exit_reason() == "ended with status 0"
    assert "pytest" in (tmp_path / "process.log").read_text()


def test_each_is_told_from_the_others(nursery: Nursery, tmp_path: Path) -> None:
    codes = ("--version", "--no-such-option")
    processes = [_start(nursery, tmp_path, code) for code in codes]
    assert all(process.wait(Deadline.after(30)) for process in reversed(processes))
    assert [process.exit_reason() for process in processes] == ["ended with status 0", "ended with status 4"]


def test_it_is_asked_to_end(nursery: Nursery, tmp_path: Path) -> None:
    process, itself = _waiting(nursery, tmp_path)
    assert process.exit_reason() == "is running"
    assert not process.wait(Deadline.after(0.05))
    assert os.getpgid(itself.pid) == itself.pid
    process.ask_to_end()
    assert process.wait(Deadline.after(30))
    assert process.exit_reason() == "ended with status 2"  # pytest's code of an interrupt
    process.ask_to_end()  # too late, and harmless


def test_a_kill_is_told(nursery: Nursery, tmp_path: Path) -> None:
    process, itself = _waiting(nursery, tmp_path)
    itself.kill()
    assert process.wait(Deadline.after(30))
    assert process.exit_reason() == "was ended by signal 9 (SIGKILL)"


def test_all_die_with_the_one_that_started_them(nursery: Nursery, tmp_path: Path) -> None:
    process, itself = _waiting(nursery, tmp_path)
    parent = itself.parent()
    assert parent is not None
    parent.send_signal(signal.SIGKILL)
    assert process.wait(Deadline.after(30))
    assert "lost with the one that started it, which was ended by signal 9 (SIGKILL)" in process.exit_reason()
    assert poll(lambda: not itself.is_running(), Deadline.after(30))
    late = _start(nursery, tmp_path, "--version")
    assert late.wait(Deadline.after(30))
    assert "lost with" in late.exit_reason()


def test_all_end_with_the_context(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open_nursery(tmp_path, tmp_path / "nursery.log", env) as made:
        _, itself = _waiting(made, tmp_path)
    assert poll(lambda: not itself.is_running(), Deadline.after(30))
