# SPDX-License-Identifier: MIT
"""Owned children: they end with the context, with the rig, and say why they ended."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rig.child import DEBIAN_PACKAGES, require_program, require_programs, spawn
from rig.deadline import Deadline, poll
from rig.errors import ToolFault

ROOT = Path(__file__).parents[1]
STUBBORN = "trap '' TERM; echo ready; exec cat /dev/zero >/dev/null"


def _said(log: Path, text: str) -> bool:
    return poll(lambda: log.exists() and text in log.read_text(), Deadline.after(10))


def test_it_runs_with_its_output_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "new" / "child.log"
    with spawn(
        ["sh", "-c", 'echo "out $KEY $1"; echo err >&2; exit 3', "-", "a b"], log=log, env=_env(KEY="k")
    ) as child:
        assert child.wait(Deadline.after(10))
        assert not child.alive
        assert child.exit_reason() == "ended with status 3"
    assert child.exit_reason() == "ended with status 3"
    assert log.read_text() == "out k a b\nerr\n"


def _env(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **more}


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("one", "two"):
        with spawn(["echo", word], log=log) as child:
            child.wait(Deadline.after(10))
    assert log.read_text() == "one\ntwo\n"


def test_the_process_id_is_the_programs_own() -> None:
    with spawn(["cat", "/dev/zero"], log=Path(os.devnull)) as child:
        assert poll(lambda: psutil.Process(child.pid).name() == "cat", Deadline.after(10))
        assert child.alive
        assert child.exit_reason() == "is running"
        assert os.getsid(child.pid) == child.pid  # Ctrl-C at the terminal does not reach it
    assert child.exit_reason() == "was ended by signal 15 (SIGTERM)"
    assert not psutil.pid_exists(child.pid)


def test_giving_way(tmp_path: Path) -> None:
    with spawn(["sleep", "60"], log=tmp_path / "log") as process:
        process.give_way()
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        process.kill()
        process.give_way()


def test_leaving_by_an_error_ends_it_too() -> None:
    with pytest.raises(ZeroDivisionError), spawn(["cat", "/dev/zero"], log=Path(os.devnull)) as child:
        raise ZeroDivisionError
    assert not psutil.pid_exists(child.pid)


def test_what_does_not_listen_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with spawn(["sh", "-c", STUBBORN], log=log, grace_s=0.1) as child:
        assert _said(log, "ready")
    assert child.exit_reason() == "was ended by signal 9 (SIGKILL)"


def test_killing_is_at_once_and_may_be_repeated() -> None:
    with spawn(["cat", "/dev/zero"], log=Path(os.devnull), grace_s=60) as child:
        child.kill()
        assert not child.alive
        child.kill()
    assert child.exit_reason() == "was ended by signal 9 (SIGKILL)"


def test_an_ended_child_keeps_its_id_until_it_is_closed(tmp_path: Path) -> None:
    with spawn(["true"], log=tmp_path / "log") as child:
        assert child.wait(Deadline.after(10))
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert not psutil.pid_exists(child.pid)


def test_children_of_the_child_end_when_it_is_closed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with spawn(["sh", "-c", "cat /dev/zero >/dev/null & echo pid $! end; wait"], log=log) as child:
        assert _said(log, "end")
        grandchild = int(log.read_text().split()[1])
        assert psutil.pid_exists(grandchild)
    assert not child.alive
    assert poll(lambda: _gone(grandchild), Deadline.after(10))


def test_a_passed_descriptor_is_the_same_in_the_child(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        write = f"import os; os.write({theirs.fileno()}, b'hello')"
        with spawn([sys.executable, "-c", write], log=tmp_path / "log", pass_fds=[theirs.fileno()]) as child:
            assert ours.recv(16) == b"hello"
            child.wait(Deadline.after(10))


def test_a_missing_program_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(
            ToolFault, match=r"'qemu-system-arm' is missing\. Install it: apt-get install qemu-system-arm"
        ),
        spawn(["qemu-system-arm"], log=tmp_path / "log"),
    ):
        pytest.fail("it was started")
    with pytest.raises(ToolFault, match=r"'frobnicate' is missing\. Is it installed"):
        require_program("frobnicate")


def test_all_programs_that_are_missing_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ToolFault) as caught:
        require_programs(["cmake", "arm-none-eabi-gcc", "frobnicate"], str(tmp_path))
    assert str(caught.value) == (
        "programs are missing: cmake, arm-none-eabi-gcc, frobnicate. "
        "Install them: apt-get install cmake gcc-arm-none-eabi libnewlib-arm-none-eabi"
    )
    require_programs(["sh", "env"])


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ToolFault, match="Is a directory"), spawn(["true"], log=tmp_path):
        pytest.fail("it was started")


def test_the_packages_are_those_of_the_one_list() -> None:
    listed = {}
    for line in (ROOT / "tools" / "system-packages.txt").read_text().splitlines():
        package, _, how = line.partition(" ")
        if how.strip().startswith("command:"):
            listed[how.strip().removeprefix("command:")] = package
    both = DEBIAN_PACKAGES.keys() & listed.keys()
    assert {"qemu-system-arm", "setpriv"} <= both
    assert {name: DEBIAN_PACKAGES[name] for name in both} == {name: listed[name] for name in both}


# --- when the rig itself is killed

_PARENT = """
import signal, sys
from pathlib import Path
from rig.child import spawn
print("starting", flush=True)
with spawn(["cat", sys.argv[1], "/dev/zero"], log=Path("/dev/null")):
    signal.pause()
"""
_MOMENTS = [random.Random(seed).uniform(0, 0.02) for seed in range(10)]


@pytest.mark.parametrize("moment_s", _MOMENTS, ids=lambda moment_s: f"{moment_s * 1000:.1f}ms")
def test_no_child_outlives_a_killed_parent(tmp_path: Path, moment_s: float) -> None:
    """Fork, setpriv, shell and program take some 5 ms: the kill falls before, between and after them."""
    mark = tmp_path / "mark"
    mark.touch()
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(mark)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"starting\n"
        poll(lambda: False, Deadline.after(moment_s), interval_s=0.0005)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert poll(lambda: not _carrying(str(mark)), Deadline.after(5))


def test_a_child_whose_parent_died_before_it_could_be_tied_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.child.os.getpid", lambda: 1)  # not the parent that it has
    with spawn(["touch", str(tmp_path / "ran")], log=tmp_path / "log") as child:
        assert child.wait(Deadline.after(10))
        assert child.exit_reason() == "ended with status 1"
    assert not (tmp_path / "ran").exists()


def _carrying(mark: str) -> list[psutil.Process]:
    """The processes with this argument, from the fork (which has the parent's arguments) to the program."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if mark in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
