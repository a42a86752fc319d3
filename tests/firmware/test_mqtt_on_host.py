# SPDX-License-Identifier: MIT
"""The firmware's MQTT client, compiled for this machine with sanitizers, against a real broker."""

from __future__ import annotations

import contextlib
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import child
from rig.deadline import Deadline, poll
from rig.pattern import pattern
from tests.firmware.host_build import host_program
from tests.links.ser2net import free_port, listens

pytestmark = pytest.mark.slow

WAIT_S = 10.0


class Client:
    """The program under test: lines in, lines out."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._read = 0

    def tell(self, line: str) -> int:
        """Give it a command; return what the command returned."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self.expect("done").split()[1])

    def expect(self, start: str) -> str:
        """The next line that begins so; those before it are left behind."""
        found: list[str] = []

        def look() -> bool:
            lines = self._log.read_text().splitlines()
            for place in range(self._read, len(lines)):
                if lines[place].startswith(start):
                    found.append(lines[place])
                    self._read = place + 1
                    return True
            return self._process.poll() is not None

        poll(look, Deadline.after(WAIT_S))
        assert found, f"no line {start!r} in:\n{self._log.read_text()}"
        return found[0]

    def seen(self, start: str) -> int:
        """How many lines so far begin so."""
        return sum(line.startswith(start) for line in self._log.read_text().splitlines())


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A broker of this test's own, as it comes from Debian."""
    number = free_port()
    config = tmp_path / "broker.conf"
    config.write_text(f"listener {number} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    with child.spawn(["mosquitto", "-c", str(config)], log=tmp_path / "broker.log"):
        assert poll(lambda: listens(number), Deadline.after(WAIT_S)), (tmp_path / "broker.log").read_text()
        yield number


@pytest.fixture(scope="module")
def program() -> Path:
    """The client, built."""
    return host_program("mqtt_host")


@contextlib.contextmanager
def connected(
    program: Path, folder: Path, port: int, *, name: str = "dut", clean: int = 0, keepalive_s: int = 60
) -> Iterator[Client]:
    """A client that is up; its end must be in good order, the sanitizers content."""
    log = folder / f"{name}.log"
    command = [str(program), "127.0.0.1", str(port), name, str(clean), str(keepalive_s)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)
    try:
        client = Client(process, log)
        client.expect("state up")
        yield client
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(WAIT_S) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def crc(length: int, seed: int) -> str:
    """As the client prints it of a payload."""
    return f"crc={zlib.crc32(pattern(length, seed)):08X}"


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("length", [0, 16, 4096, 262_144])
def test_what_is_published_comes_back(
    program: Path, tmp_path: Path, port: int, qos: int, length: int
) -> None:
    with connected(program, tmp_path, port) as client:
        client.tell(f"subscribe {qos} echo/+")
        assert client.expect("answer").split()[2] == str(qos)
        packet = client.tell(f"publish {qos} 0 {length} 7 echo/1")
        line = client.expect("message echo/1")
        assert line == f"message echo/1 qos={qos} retain=0 dup=0 length={length} {crc(length, 7)}"
        if qos:
            client.expect(f"answer {packet} ")


def test_retained_message_comes_with_its_flag_and_only_it(program: Path, tmp_path: Path, port: int) -> None:
    with connected(program, tmp_path, port) as client:
        client.tell("publish 1 1 10 1 kept")
        client.tell("publish 1 0 10 1 passing")
        client.expect("answer")
        client.expect("answer")
        client.tell("subscribe 1 passing")
        client.tell("subscribe 1 kept")
        assert "qos=1 retain=1" in client.expect("message kept")
        assert client.seen("message passing") == 0


def test_unacknowledged_publish_is_sent_again_with_dup(program: Path, tmp_path: Path, port: int) -> None:
    with connected(program, tmp_path, port) as client:
        client.tell("cut publish")
        packet = client.tell("publish 1 0 10 1 a")
        client.expect("state waiting resumed=0 fault=cut")
        client.expect("state up resumed=1")
        assert "resent=1" in client.expect(f"answer {packet}")


def test_message_without_puback_comes_again_and_is_not_handed_on_twice(
    program: Path, tmp_path: Path, port: int
) -> None:
    with (
        connected(program, tmp_path, port) as client,
        connected(program, tmp_path, port, name="peer") as peer,
    ):
        client.tell("subscribe 1 a")
        client.expect("answer")
        client.tell("cut puback")
        peer.tell("publish 1 0 10 1 a")
        client.expect("message a")
        client.expect("state up resumed=1")
        peer.tell("publish 1 0 20 1 a")
        assert "length=20" in client.expect("message a")
        client.tell("unsubscribe a")
        assert "duplicates=1" in client.expect("answer")


def test_subscriptions_are_asked_for_again_where_the_broker_forgot(
    program: Path, tmp_path: Path, port: int
) -> None:
    with connected(program, tmp_path, port, clean=1) as client:
        client.tell("subscribe 1 a")
        client.expect("answer")
        client.tell("cut now")
        client.expect("state up resumed=0")
        client.expect("answer")
        client.tell("publish 1 0 10 1 a")
        client.expect("message a")


def test_keep_alive_is_kept_by_pings(program: Path, tmp_path: Path, port: int) -> None:
    with connected(program, tmp_path, port, keepalive_s=1) as client:
        assert not poll(lambda: client.seen("state waiting") > 0, Deadline.after(3.0))
        client.tell("publish 1 0 1 1 a")
        assert int(client.expect("answer").rsplit("pongs=", 1)[1]) >= 2


def test_client_taken_over_comes_back(program: Path, tmp_path: Path, port: int) -> None:
    with connected(program, tmp_path, port) as client:
        other = tmp_path / "other"
        other.mkdir()
        with connected(program, other, port):
            client.expect("state waiting resumed=0 fault=closed")
        client.expect("state up")
