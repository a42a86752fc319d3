# SPDX-License-Identifier: MIT
"""The probe as pyOCD's own tools see it: listing, exclusion of a second debugger, loss, flash, gdbserver."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyocd.core import exceptions
from pyocd.probe.aggregator import DebugProbeAggregator

from rig.bench.inventory import Board
from rig.deadline import Deadline, poll
from rig.emulator.board import EmulatedBoard, Parts
from tests.emulator.bare_metal import COUNTER, debugger

pytestmark = pytest.mark.emulated

PYOCD = [sys.executable, "-m", "pyocd"]


def pyocd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYOCD, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def real_board(facts: Board, firmware: Path, tmp_path: Path) -> Iterator[EmulatedBoard]:
    """A board with the shipped boot ROM and flash algorithm, on."""
    assert facts.emulator is not None
    board = replace(facts, emulator=replace(facts.emulator, clock="free"))
    parts = Parts.of_build(firmware, facts.emulator)
    with EmulatedBoard(board, parts, state_dir=tmp_path / "state") as emulated:
        emulated.on()
        yield emulated


# --- one debugger at a time


def test_a_second_debugger_is_told_who_is_there(powered: EmulatedBoard) -> None:
    with debugger(powered.probe_id) as target:
        with (
            pytest.raises(exceptions.ProbeError, match=rf"in use by process {os.getpid()} \("),
            debugger(powered.probe_id),
        ):
            pytest.fail("two debuggers are at one board")
        assert target.read32(COUNTER) >= 0  # and the first is not disturbed
        assert target.is_running()
    with debugger(powered.probe_id):
        pass


def test_listing_probes_does_not_disturb_a_session(powered: EmulatedBoard) -> None:
    with debugger(powered.probe_id) as target:
        target.halt()
        listed = DebugProbeAggregator.get_all_connected_probes()
        assert powered.probe_id in [probe.unique_id for probe in listed]
        shown = pyocd("list")
        assert shown.returncode == 0
        assert re.search(rf"{powered.probe_id}.*mps2_an385", shown.stdout), shown.stdout
        assert target.is_halted()


def test_a_board_that_is_off_says_so(powered: EmulatedBoard) -> None:
    powered.off()
    with (
        pytest.raises(exceptions.ProbeError, match="emulated board mps2 is switched off"),
        debugger(powered.probe_id),
    ):
        pytest.fail("a board without power was opened")


def test_opening_and_closing_leaves_no_descriptor(powered: EmulatedBoard) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a count is all that is wanted

    with debugger(powered.probe_id):
        pass
    before = descriptors()
    for _ in range(5):
        with debugger(powered.probe_id):
            pass
    assert descriptors() == before


# --- a board that goes away


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted"])
def test_a_killed_qemu_is_a_disconnected_probe(powered: EmulatedBoard, halted: bool) -> None:
    with debugger(powered.probe_id) as target:
        if halted:
            target.halt()
        assert powered.pid is not None
        os.kill(powered.pid, signal.SIGKILL)
        assert poll(lambda: not powered.is_on, Deadline.after(5))
        for access in (lambda: target.read32(COUNTER), target.get_state, target.reset):
            with pytest.raises(exceptions.ProbeDisconnected, match="board mps2: "):
                access()
    assert powered.cause_of_loss() is not None
    assert "was ended by signal 9 (SIGKILL)" in str(powered.cause_of_loss())


def test_a_stopped_qemu_is_not_waited_for_for_ever(powered: EmulatedBoard) -> None:
    assert powered.pid is not None
    with debugger(powered.probe_id) as target:
        target.session.probe._live.core._gdb._timeout_s = 0.2
        target.session.probe._live.core._gdb._sock.settimeout(0.2)
        os.kill(powered.pid, signal.SIGSTOP)
        try:
            with pytest.raises(exceptions.ProbeDisconnected, match=r"timed out|did not answer"):
                target.halt()
        finally:
            os.kill(powered.pid, signal.SIGCONT)


# --- pyOCD's own commands


def test_pyocd_flash_and_read_back(real_board: EmulatedBoard, firmware: Path, tmp_path: Path) -> None:
    done = pyocd("flash", "-u", f"qemu:{real_board.probe_id}", str(firmware / "app.elf"))
    assert done.returncode == 0, done.stderr
    size = (firmware / "app.bin").stat().st_size
    saved = tmp_path / "saved.bin"
    script = f"savemem 0x21000000 {size} {saved}"
    done = pyocd("commander", "-u", f"qemu:{real_board.probe_id}", "-c", script)
    assert done.returncode == 0, done.stderr
    assert saved.read_bytes() == (firmware / "app.bin").read_bytes()


def test_pyocd_gdbserver_serves_gdb(powered: EmulatedBoard, bare_elf: Path, labels: dict[str, int]) -> None:
    # Port 0 is not pyOCD's to choose from: take one that is free now.
    port, telnet = _free_port(), _free_port()
    ports = ["-p", str(port), "-T", str(telnet)]
    with subprocess.Popen(
        [*PYOCD, "gdbserver", "-u", f"qemu:{powered.probe_id}", *ports], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            said = _lines(server)
            assert poll(lambda: any("listening on port" in line for line in said), Deadline.after(20)), said
            gdb = _gdb(port, bare_elf)
        finally:
            server.terminate()
    assert f"pc             {labels['loop']:#x}" in gdb, gdb
    assert f"pc             {labels['loop'] + 2:#x}" in gdb, gdb
    assert re.search(r"SIGTRAP.*\n.* in store \(\)", gdb), gdb  # pyOCD does not say which watchpoint it is


def _gdb(port: int, elf: Path) -> str:
    commands = [
        f"target remote localhost:{port}",
        "monitor reset halt",
        "maintenance flush register-cache",
        "hbreak *loop",
        "continue",
        "info registers pc",
        "stepi",
        "info registers pc",
        "delete",
        "watch *(int *) 0x20000108",
        "set *(int *) 0x20000104 = 3",
        "continue",
        "kill",
    ]
    options = [word for command in commands for word in ("-ex", command)]
    argv = ["gdb-multiarch", "-nx", "-batch", *options, str(elf)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _lines(server: subprocess.Popen[str]) -> list[str]:
    """What it says, growing as it says it."""
    said: list[str] = []
    assert server.stderr is not None
    stream = server.stderr
    threading.Thread(target=lambda: said.extend(iter(stream.readline, "")), daemon=True).start()
    return said
