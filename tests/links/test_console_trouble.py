# SPDX-License-Identifier: MIT
"""A port that cannot be opened: missing, locked, held, not allowed; and what opening must not do."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.deadline import Deadline
from rig.errors import LinkLost
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.links.console_port import SerialEndpoint
from rig.links.console_trouble import holders_of, port_hint
from tests.links.scripted_board import PtyWire

ROOT = Path(__file__).parents[2]

HOLDER = """
import fcntl, os, sys, termios
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
if sys.argv[2] == "flock":
    fcntl.flock(fd, fcntl.LOCK_EX)
elif sys.argv[2] == "exclusive":
    fcntl.ioctl(fd, termios.TIOCEXCL)
print("held", flush=True)
sys.stdin.read()
"""

ARM = """
import sys
from rig.deadline import Deadline
from rig.events import RunClock
from rig.links.console import ConsoleReader
with ConsoleReader(RunClock()) as reader, reader.arm("bench-1", sys.argv[1]) as console:
    try:
        console.wait_connected(Deadline.after(0.1))
        print("it opened")
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[PtyWire]:
    wire = PtyWire(tmp_path)
    yield wire
    wire.vanish()


@pytest.fixture
def device(wire: PtyWire) -> Path:
    return Path(wire.port).resolve()


def refusal(port: str) -> str:
    """What is said of a port that does not open."""
    with (
        ConsoleReader(RunClock()) as reader,
        reader.arm("bench-1", port) as console,
        pytest.raises(LinkLost) as raised,
    ):
        console.wait_connected(Deadline.after(0.1))
    return str(raised.value)


def as_a_user(program: str, *args: str) -> str:
    """What a program prints that has no more rights than its files give it, whoever runs this test."""
    command = [sys.executable, "-c", program, *args]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-sys_admin", *command]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ).stdout


def held(port: str, how: str) -> subprocess.Popen[str]:
    """A program that has the port, until its standard input ends."""
    program = subprocess.Popen(
        [sys.executable, "-c", HOLDER, port, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "held\n"
    return program


def test_a_missing_port_lists_those_there_are(wire: PtyWire) -> None:
    missing = Path(wire.port).with_name("usb-other-if00")
    said = refusal(str(missing))
    assert said.startswith(f"board bench-1: the console port did not open in 0.1 s: {missing}: ")
    assert "No such file or directory" in said
    assert said.endswith(f"In {missing.parent} there is: port")


def test_a_missing_port_where_there_is_none(tmp_path: Path) -> None:
    hint = port_hint(str(tmp_path / "port"))
    assert hint is not None
    assert hint.endswith("there is: no port")


def test_a_port_that_another_program_has_locked_names_it(wire: PtyWire) -> None:
    with held(wire.port, "flock") as holder:
        said = refusal(wire.port)
        assert f"another program has locked {wire.port}" in said
        assert f"It is held by process {holder.pid} (python" in said
        holder.communicate()


def test_a_port_that_another_program_has_for_itself_names_it(wire: PtyWire) -> None:
    with held(wire.port, "exclusive") as holder:
        said = as_a_user(ARM, wire.port)
        assert said.startswith("LinkLost: board bench-1: ")
        assert f"another program has locked {wire.port}" in said
        assert f"process {holder.pid} (python" in said
        holder.communicate()


def test_who_only_has_it_open_is_found_too(wire: PtyWire, device: Path) -> None:
    with held(wire.port, "open") as holder:
        assert holder.pid in [pid for pid, _ in holders_of(device)]
        holder.communicate()
    assert holder.pid not in [pid for pid, _ in holders_of(device)]


def test_a_port_without_permission_says_which_group(wire: PtyWire, device: Path) -> None:
    device.chmod(0)
    said = as_a_user(ARM, wire.port)
    assert said.startswith("LinkLost: board bench-1: ")
    assert "Permission denied" in said
    assert f"It belongs to group '{device.group()}'" in said
    assert "adduser USER dialout" in said


def test_a_port_on_the_network_has_no_such_hint() -> None:
    assert port_hint("socket://127.0.0.1:1") is None


# --- what opening does to a board


def test_closing_a_port_leaves_the_modem_lines_alone(wire: PtyWire, device: Path) -> None:
    """Without HUPCL the kernel does not drop DTR at the last close, so that opening again makes no pulse."""
    fd = os.open(device, os.O_RDWR | os.O_NOCTTY)
    settings = termios.tcgetattr(fd)
    settings[2] |= termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    endpoint = SerialEndpoint(wire.port, 115200)
    endpoint.open()
    assert not termios.tcgetattr(endpoint.fileno())[2] & termios.HUPCL
    endpoint.close()
    assert not termios.tcgetattr(fd)[2] & termios.HUPCL
    os.close(fd)


def test_opening_a_port_says_nothing_to_the_board(wire: PtyWire) -> None:
    master = wire.fileno()
    assert master is not None
    for _ in range(3):
        endpoint = SerialEndpoint(wire.port, 115200)
        endpoint.open()
        endpoint.close()
    assert not select.select([master], [], [], 0.05)[0]
    assert fcntl.ioctl(master, termios.TIOCOUTQ, b"\0" * 4) == b"\0" * 4
