# SPDX-License-Identifier: MIT
"""A probe behind a real ``pyocd server``: it works, and a server that dies or hangs is LinkLost, soon."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rig import child
from rig.bench.session import open_session
from rig.deadline import Deadline, poll
from rig.errors import LinkLost
from rig.evidence.measurement import Outcome
from rig.links import probe_remote
from tests.physical.bench import NAME, PROBE_ID, PhysicalBench
from tests.physical.image_build import Built

pytestmark = pytest.mark.emulated

_SOON_S = 5.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


class Server:
    """``pyocd server`` in a process of its own, serving the bench's probe."""

    def __init__(self, process: child.Child) -> None:
        self.process = process

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal: the process is not of this test alone to kill in order."""
        os.killpg(self.process.pid, number)


@pytest.fixture
def server(bench: PhysicalBench, tmp_path: Path) -> Iterator[Server]:
    """The server; the inventory's probe is the one behind it."""
    port = _free_port()
    argv = [sys.executable, "-m", "pyocd", "server", "-W", "-u", f"cmsisdap:{PROBE_ID}", "-p", str(port)]
    bench.edit(f'type: cmsisdap, id: "{PROBE_ID}"', f'type: remote, id: "127.0.0.1:{port}"')
    with child.spawn(argv, log=tmp_path / "server.log", env={**os.environ, **bench.environ}) as process:
        up = poll(lambda: _listens(port) or not process.alive, Deadline.after(20))
        assert up, (tmp_path / "server.log").read_text()
        assert process.alive, (tmp_path / "server.log").read_text()
        yield Server(process)


@pytest.mark.usefixtures("server")
def test_a_board_behind_a_server_passes(bench: PhysicalBench, image: Built) -> None:
    done = bench.rig("qualify", "--suite", "boot", "--image", image.elf)
    assert done.returncode == 0, done.stdout + done.stderr
    run = bench.run()
    assert {case.outcome for case in run.cases} == {Outcome.PASS}
    assert run.boards[0].identity["probe"] == "remote"


def test_a_server_that_dies_between_two_accesses(bench: PhysicalBench, server: Server, image: Built) -> None:
    with open_session(bench.inventory, NAME) as session:
        session.flash(image.elf)
        session.restart()
        server.signal(signal.SIGKILL)
        busy, deadline = psutil.Process().cpu_times(), Deadline.after(_SOON_S)
        for access in (session.probe.identify, session.probe.halt, session.probe.reset):
            with pytest.raises(LinkLost, match=f"board {NAME}: .*the probe server 127.0.0.1:.*(closed|went)"):
                access()
    assert not deadline.expired  # closing the session did not hang either
    assert psutil.Process().cpu_times().user - busy.user < 2


def test_a_server_that_dies_while_it_programs(
    bench: PhysicalBench, server: Server, image: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyocd.flash.flash import Flash

    original, pages = Flash.start_program_page_with_buffer, []

    def program(flash: Flash, *args: object) -> object:
        pages.append(args)
        if len(pages) == 3:
            server.signal(signal.SIGKILL)
        return original(flash, *args)

    monkeypatch.setattr(Flash, "start_program_page_with_buffer", program)
    with open_session(bench.inventory, NAME) as session:
        with pytest.raises(LinkLost, match=f"board {NAME}: programming: the probe server"):
            session.flash(image.elf, force=True)
        deadline = Deadline.after(_SOON_S)
    assert not deadline.expired
    assert len(pages) == 3


def test_a_server_that_hangs(bench: PhysicalBench, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_remote, "SILENT_S", 1.0)
    with open_session(bench.inventory, NAME) as session:
        server.signal(signal.SIGSTOP)
        deadline = Deadline.after(_SOON_S)
        try:
            with pytest.raises(LinkLost, match=r"the probe server 127.0.0.1:[0-9]+ did not answer in 1 s"):
                session.probe.identify()
        finally:
            server.signal(signal.SIGCONT)
    assert not deadline.expired


def test_a_run_whose_server_dies_is_an_error(bench: PhysicalBench, server: Server, image: Built) -> None:
    suite = bench.folder / "suites" / "cut"
    suite.mkdir(parents=True)
    (suite / "test_cut.py").write_text(_SUITE.format(pid=server.process.pid))
    done = bench.pytest(suite, "--image", image.elf)
    assert done.returncode == 3, done.stdout + done.stderr
    run = bench.run()
    first, *later = run.cases
    assert (run.outcome, first.outcome) == (Outcome.ERROR, Outcome.ERROR)
    assert "the probe server 127.0.0.1:" in first.reason
    assert {case.reason for case in later} == {f"first cause: {first.reason}"}


_SUITE = """
import os, signal

def test_a(board):
    os.killpg({pid}, signal.SIGKILL)
    board.restart()

def test_b(board):
    board.restart()
"""


@pytest.mark.usefixtures("bench")
def test_no_server_at_all(bench: PhysicalBench) -> None:
    bench.edit(f'type: cmsisdap, id: "{PROBE_ID}"', f'type: remote, id: "127.0.0.1:{_free_port()}"')
    with (
        pytest.raises(LinkLost, match=r"opening probe remote:127.0.0.1:.*cannot be reached"),
        open_session(bench.inventory, NAME),
    ):
        pytest.fail("a server was found")
