# SPDX-License-Identifier: MIT
"""The emulated board: power, what survives it, its clocks, its console, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rig.bench.inventory import Board
from rig.deadline import Deadline, poll
from rig.emulator import instance
from rig.emulator.board import EmulatedBoard, Parts
from rig.emulator.wiring import clock_arguments
from rig.errors import ToolFault, UsageFault
from rig.events import RunClock
from rig.links.console import ConsoleReader
from tests.emulator.bare_metal import BANNER, COUNTER, debugger

pytestmark = pytest.mark.emulated

EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
FACTORY_PAGE = 0xFFF000
FLASH = 0x21000000


@contextmanager
def console(board: EmulatedBoard) -> Iterator[socket.socket]:
    """A plain connection with the UART; may be made before power."""
    host, _, port = board.console_url.removeprefix("socket://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        yield link


@pytest.fixture
def own_folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Instance folders that no other program looks after, at a path that needs escaping, yet short."""
    with tempfile.TemporaryDirectory(prefix="x, ") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def take(link: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length and (piece := link.recv(length - len(data))):
        data += piece
    return data


# --- power


def test_power_on_off_and_on_again(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        assert (board.is_on, board.pid, board.cause_of_loss()) == (False, None, None)
        url, probe = board.console_url, board.probe_id
        pids = set()
        for _ in range(3):
            board.on()
            board.on()  # on is on
            assert board.is_on
            pids.add(board.pid)
            board.off()
            board.off()
            assert (board.is_on, board.pid, board.cause_of_loss()) == (False, None, None)
        assert len(pids) == 3
        assert (board.console_url, board.probe_id) == (url, probe)
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)


def test_leaving_switches_off(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.on()
        pid, folder = board.pid, instance.folders() / board.probe_id
        assert folder.is_dir()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not folder.exists()


@pytest.mark.parametrize("clock", ["exact", "paced", "free"])
def test_a_console_armed_before_power_misses_no_byte(
    make_board: Callable[..., EmulatedBoard], clock: str
) -> None:
    with make_board(clock=clock) as board, console(board) as link:
        board.on()
        assert take(link, len(BANNER)) == BANNER
        board.off()
        assert link.recv(1) == b""  # the connection ends with the power


def test_a_console_that_comes_late_finds_a_running_board(make_board: Callable[..., EmulatedBoard]) -> None:
    with make_board() as board:
        board.on()
        with console(board) as link:
            assert select.select([link], [], [], 0)[0] == []
            assert board.is_on


def test_clock_options(facts: Board) -> None:
    emulator = facts.emulator
    assert emulator is not None
    assert clock_arguments(replace(emulator, clock="exact", icount_shift=7)) == [
        "-icount", "shift=7,sleep=off",
    ]  # fmt: skip
    assert clock_arguments(replace(emulator, clock="paced", icount_shift=5)) == [
        "-icount", "shift=5,sleep=on",
    ]  # fmt: skip
    assert clock_arguments(replace(emulator, clock="free")) == []


# --- flash


def test_a_new_chip_is_erased_but_for_its_serial_number(
    make_board: Callable[..., EmulatedBoard], tmp_path: Path
) -> None:
    serials = set()
    for state in ("one", "two"):
        with make_board(state=state):
            content = (tmp_path / state / "flash.bin").read_bytes()
        assert len(content) == 16 << 20
        place = content[FACTORY_PAGE : FACTORY_PAGE + 16]
        assert re.fullmatch(rb"EMU-[0-9A-F]{8}\0{4}", place)
        assert set(content[:FACTORY_PAGE] + content[FACTORY_PAGE + 16 :]) == {0xFF}
        serials.add(place)
    assert len(serials) == 2  # no two chips are the same


def test_a_chip_keeps_its_content_over_owners(
    make_board: Callable[..., EmulatedBoard], tmp_path: Path
) -> None:
    with make_board():
        first = (tmp_path / "state" / "flash.bin").read_bytes()
    with make_board() as board:
        board.on()
        assert (tmp_path / "state" / "flash.bin").read_bytes() == first


def test_a_file_of_another_size_is_no_chip(make_board: Callable[..., EmulatedBoard], tmp_path: Path) -> None:
    file = tmp_path / "state" / "flash.bin"
    file.parent.mkdir()
    file.write_bytes(b"torn")
    with make_board() as board:
        board.on()
        assert file.stat().st_size == 16 << 20


def test_power_cuts_lose_nothing_that_was_written(make_board: Callable[..., EmulatedBoard]) -> None:
    """QEMU dies by SIGKILL while a debugger counts in flash: what is there is what was acknowledged last."""
    acknowledged = 0
    with make_board(clock="free") as board:
        for _ in range(20 if EVIDENCE else 5):
            board.on()
            with debugger(board.probe_id) as target:
                found = target.read32(FLASH)
                assert (0 if found == 0xFFFFFFFF else found) == acknowledged
                for _ in range(50):
                    acknowledged += 1
                    target.write32(FLASH, acknowledged)
                assert board.pid is not None
                os.kill(board.pid, signal.SIGKILL)
                assert poll(lambda: not board.is_on, Deadline.after(5))


_OWNER = """
import sys, signal
from dataclasses import replace
from pathlib import Path
from rig.bench.inventory import load_inventory
from rig.emulator.board import EmulatedBoard, Parts
facts = load_inventory(Path(sys.argv[1])).board("mps2")
with EmulatedBoard(facts, Parts(Path(sys.argv[2]), None), state_dir=Path(sys.argv[3])) as board:
    board.on()
    print(board.pid, board.probe_id, flush=True)
    signal.pause()
"""


def test_nothing_is_left_of_an_owner_that_was_killed(
    make_board: Callable[..., EmulatedBoard], bare_elf: Path, tmp_path: Path, own_folders: Path
) -> None:
    inventory = Path(__file__).parents[2] / "devices.yaml"
    arguments = [str(inventory), str(bare_elf), str(tmp_path / "state")]
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, *arguments], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid, probe_id = owner.stdout.readline().split()
        with debugger(probe_id) as target:  # another process's board
            target.write32(FLASH, 0xCAFE)
            os.kill(owner.pid, signal.SIGKILL)
            owner.wait()
            assert poll(lambda: not psutil.pid_exists(int(pid)), Deadline.after(5))
    folder = instance.folders() / probe_id
    assert folder.is_relative_to(own_folders)
    assert folder.exists()
    assert probe_id not in [found.unique_id for found in instance.find_all()]
    with make_board() as board:  # same chip; and it sweeps
        assert not folder.exists()
        board.on()
        with debugger(board.probe_id) as target:
            assert target.read32(FLASH) == 0xCAFE


# --- what can go wrong


def test_a_bad_option_is_told_in_qemus_words(
    make_board: Callable[..., EmulatedBoard], tmp_path: Path
) -> None:
    with make_board(machine="frobnicate") as board:
        with pytest.raises(ToolFault, match=r"it ended with status 1; it said: .*unsupported machine type"):
            board.on()
        assert not board.is_on
        log = tmp_path / "state" / "qemu.log"
        log.write_text("words of an earlier run\n" + log.read_text())
        with pytest.raises(ToolFault) as caught:
            board.on()
        assert "earlier run" not in str(caught.value)
        assert str(log) in str(caught.value)


@pytest.mark.usefixtures("own_folders")
def test_paths_may_hold_commas_and_spaces(facts: Board, bare_elf: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a, b=c"
    folder.mkdir()
    rom = folder / "boot,rom.elf"
    rom.write_bytes(bare_elf.read_bytes())
    with EmulatedBoard(facts, Parts(rom, None), state_dir=folder) as board, console(board) as link:
        board.on()
        assert take(link, len(BANNER)) == BANNER
        with debugger(board.probe_id) as target:
            assert target.read32(COUNTER) >= 0


def test_parts_that_are_not_built(facts: Board, tmp_path: Path) -> None:
    assert facts.emulator is not None
    with pytest.raises(UsageFault, match=r"boot\.elf is missing: .* Build it: python -m rig\.image\.build"):
        Parts.of_build(tmp_path, facts.emulator)


def test_no_descriptor_is_left(make_board: Callable[..., EmulatedBoard]) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a count is all that is wanted

    before = descriptors()
    for _ in range(5):
        with make_board() as board:
            board.on()
    assert descriptors() == before


@pytest.mark.usefixtures("own_folders")
def test_folders_of_the_dead_are_not_boards() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    facts = {"board": "b", "owner_pid": gone.pid, "target": "t", "scratch": 0, "flash_algorithm": None}
    for name, text in (("dead", json.dumps(facts)), ("torn", '{"board": "b')):
        folder = instance.folders() / name
        folder.mkdir()
        (folder / "board.json").write_text(text)
    assert instance.find_all() == []
    with instance.create("mps2", "mps2_an385", 0x20000000, None) as made:
        assert [found.unique_id for found in instance.find_all()] == [made.unique_id]
        assert instance.find_all() == [made]
        assert not (instance.folders() / "dead").exists()
        assert (instance.folders() / "torn").exists()  # may be one that is just being made
    assert instance.find_all() == []


def test_a_console_that_comes_again_hears_the_boot(make_board: Callable[..., EmulatedBoard]) -> None:
    """The rig's own reader, with one before it that hung up: every byte of the boot is there."""
    with make_board() as board, ConsoleReader(RunClock()) as reader:
        with console(board):
            pass
        with reader.arm("board", board.console_url) as armed:
            armed.wait_connected(Deadline.after(5))
            since = armed.mark()
            board.on()
            armed.expect(re.escape(BANNER), Deadline.after(5), since=since)
