# SPDX-License-Identifier: MIT
"""The console behind a real RFC 2217 server (ser2net) and a pty: every byte, the baud rate, troubles."""

from __future__ import annotations

import os
import select
import socket
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.deadline import Deadline, poll
from rig.errors import LinkLost
from rig.events import RunClock
from rig.links import console as console_module
from rig.links.console import ConsoleReader
from rig.links.console_endpoint import Opening
from rig.links.console_link import ConsoleLink
from rig.links.console_rfc2217 import Rfc2217Endpoint
from rig.links.interfaces import Mark
from rig.transcript import Transcript, read_lines
from tests.links.port_manager import port_manager
from tests.links.scripted_board import PtyWire, ScriptedBoard, answer, frame, running
from tests.links.ser2net import free_port, ser2net

START = Mark(0)
EVERY_BYTE = bytes(range(256))
TELNET = b"\xff\xff\xff\xf0\xff\xfb\x2c\r\0\r\n\xff"

Arm = Callable[..., ConsoleLink]


def soon(timeout_s: float = 10.0) -> Deadline:
    return Deadline.after(timeout_s)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def wire(tmp_path: Path, stack: ExitStack) -> PtyWire:
    """The board's end of the serial line."""
    wire = PtyWire(tmp_path)
    stack.callback(wire.vanish)
    return wire


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def served(wire: PtyWire, port: int, tmp_path: Path) -> Iterator[None]:
    """The server, before the board's serial line."""
    with ser2net(tmp_path, wire.port, port):
        yield


@pytest.fixture
def transcript(tmp_path: Path) -> Iterator[Transcript]:
    with Transcript(tmp_path / "console.log") as transcript:
        yield transcript


@pytest.fixture
def arm(stack: ExitStack, port: int) -> Arm:
    def arm(baud: int = 115_200, transcript: Transcript | None = None) -> ConsoleLink:
        reader = stack.enter_context(ConsoleReader(RunClock()))
        url = f"rfc2217://127.0.0.1:{port}"
        return stack.enter_context(reader.arm("bench-1", url, baud, transcript=transcript))

    return arm


def master(wire: PtyWire) -> int:
    fd = wire.fileno()
    assert fd is not None
    return fd


def heard(wire: PtyWire, count: int) -> bytes:
    """The next bytes that the board gets."""
    fd, data, deadline = master(wire), b"", soon()
    while len(data) < count and select.select([fd], [], [], deadline.remaining_s)[0]:
        data += os.read(fd, 65536)
    return data


@pytest.mark.parametrize("baud", [9600, 115_200, 921_600])
@pytest.mark.usefixtures("served")
def test_the_baud_rate_is_the_inventorys(baud: int, wire: PtyWire, arm: Arm) -> None:
    arm(baud).wait_connected(soon())
    settings = termios.tcgetattr(master(wire))
    assert settings[5] == getattr(termios, f"B{baud}")
    assert settings[2] & termios.CSIZE == termios.CS8
    assert not settings[2] & (termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
    assert not settings[0] & (termios.IXON | termios.IXOFF)


@pytest.mark.usefixtures("served")
def test_every_byte_passes_unharmed_both_ways(wire: PtyWire, arm: Arm, transcript: Transcript) -> None:
    console = arm(transcript=transcript)
    console.wait_connected(soon())
    data = (EVERY_BYTE + TELNET) * 20
    os.write(master(wire), data[: len(data) // 2])
    os.write(master(wire), data[len(data) // 2 :])
    assert poll(lambda: console.mark().offset >= len(data), soon())
    assert console.read(START, soon())[0] == data == transcript.path.read_bytes()
    console.send_raw(data)
    assert heard(wire, len(data)) == data


def test_another_kind_of_server_is_understood_too(wire: PtyWire, stack: ExitStack) -> None:
    reader = stack.enter_context(ConsoleReader(RunClock()))
    with (
        port_manager(wire.port) as number,
        reader.arm("bench-1", f"rfc2217://127.0.0.1:{number}", 460_800) as console,
    ):
        console.wait_connected(soon())
        assert termios.tcgetattr(master(wire))[5] == termios.B460800
        os.write(master(wire), EVERY_BYTE + TELNET)
        assert poll(lambda: console.mark().offset >= len(EVERY_BYTE + TELNET), soon())
        assert console.read(START, soon())[0] == EVERY_BYTE + TELNET
        console.send_raw(EVERY_BYTE + TELNET)
        assert heard(wire, len(EVERY_BYTE + TELNET)) == EVERY_BYTE + TELNET


@pytest.mark.usefixtures("served")
def test_a_dialogue_is_stamped_as_over_any_port(
    wire: PtyWire, arm: Arm, stack: ExitStack, transcript: Transcript
) -> None:
    console = arm(transcript=transcript)
    console.wait_connected(soon())
    stack.enter_context(running(ScriptedBoard(wire, answer("n=1", "n=2", last="ok text=%FF"))))
    before = console._clock.now_ns()
    reply = console.request("ping", deadline=soon())
    assert [row["n"] for row in reply.rows] == ["1", "2"]
    times = [t_ns for t_ns, _ in read_lines(transcript.path)]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= console._clock.now_ns()


@pytest.mark.usefixtures("served")
def test_a_long_log_is_whole(wire: PtyWire, arm: Arm, stack: ExitStack) -> None:
    console = arm()
    console.wait_connected(soon())
    board = stack.enter_context(running(ScriptedBoard(wire, answer())))
    log = b"".join(b"line %d \xff\r\n" % number for number in range(50_000))
    board.flooding = log
    assert poll(lambda: board.flooded >= len(log), soon())
    board.stop_flood()
    assert poll(lambda: console.mark().offset == board.flooded, soon())
    data, _ = console.read(START, soon())
    assert data == (log * (1 + board.flooded // len(log)))[: board.flooded]


def test_a_server_that_dies_is_found_again(
    wire: PtyWire, port: int, arm: Arm, stack: ExitStack, tmp_path: Path
) -> None:
    console = arm()
    with pytest.raises(LinkLost, match=rf"did not open in 0.2 s: rfc2217://127.0.0.1:{port}: .*refused"):
        console.wait_connected(Deadline.after(0.2))
    stack.enter_context(running(ScriptedBoard(wire, answer("n=1"))))
    for _ in range(3):
        with ser2net(tmp_path, wire.port, port) as server:
            console.wait_connected(soon())
            assert console.request("ping", deadline=soon()).rows == ({"n": "1"},)
            server.kill()
            assert poll(lambda: not console.connected, soon())
        with pytest.raises(LinkLost, match="refused"):
            console.wait_connected(Deadline.after(0.2))


@pytest.mark.usefixtures("served")
def test_a_serial_port_that_vanishes_behind_the_server_comes_back(wire: PtyWire, arm: Arm) -> None:
    console = arm()
    for count in range(1, 4):
        console.wait_connected(soon())
        since = console.mark()
        os.write(master(wire), frame(f"!0 boot count={count}"))
        assert console.wait_event("boot", soon(), since=since).fields == {"count": str(count)}
        wire.vanish()
        assert poll(lambda: not console.connected, soon())
        with pytest.raises(LinkLost, match="the server hung up, saying 'Device open failure"):
            console.wait_connected(Deadline.after(0.2))
        wire.come_back()
    console.wait_connected(soon())


@pytest.mark.usefixtures("served")
def test_a_port_that_somebody_has_is_told_in_the_servers_words(arm: Arm) -> None:
    arm().wait_connected(soon())
    with pytest.raises(LinkLost, match="the server hung up, saying 'Port already in use'"):
        arm().wait_connected(Deadline.after(0.5))


def test_a_server_that_passes_bytes_only_is_no_rfc_2217_server(
    wire: PtyWire, port: int, arm: Arm, stack: ExitStack, tmp_path: Path
) -> None:
    stack.enter_context(ser2net(tmp_path, wire.port, port, accepter="telnet"))
    with pytest.raises(LinkLost, match=r"sets up no port \(RFC 2217 refused\)"):
        arm().wait_connected(Deadline.after(0.5))


def test_a_server_that_says_nothing_is_given_up_and_tried_again(
    port: int, arm: Arm, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "_CONNECT_S", 0.1)
    listener = stack.enter_context(socket.create_server(("127.0.0.1", port)))
    listener.settimeout(5)
    console = arm()
    for _ in range(2):
        stack.enter_context(listener.accept()[0])
    with pytest.raises(LinkLost, match="no answer in"):
        console.wait_connected(Deadline.after(0))


# --- a server by hand: what came early, and a connection that takes bytes by halves


AGREES = bytes.fromhex("fffd2c fffd00 fffb00 fffd03 fffb03")
SETS = bytes.fromhex("fffa2c 65 0001c200 fff0 fffa2c 66 08 fff0 fffa2c 67 01 fff0 fffa2c 68 01 fff0")


def negotiated(endpoint: Rfc2217Endpoint, server: socket.socket, *said: bytes) -> socket.socket:
    """The endpoint open, and the server's end of it, which said these bytes as it agreed."""
    endpoint.prepare()
    opening = endpoint.open()
    peer, _ = server.accept()
    if said:
        peer.sendall(b"".join(said))
    assert poll(lambda: opening is Opening.OPEN or _go_on(endpoint), soon())
    return peer


def _go_on(endpoint: Rfc2217Endpoint) -> bool:
    return bool(select.select([endpoint.fileno()], [endpoint.fileno()], [], 0)) and (
        endpoint.finish() is Opening.OPEN
    )


@pytest.fixture
def server(stack: ExitStack) -> socket.socket:
    listener = socket.socket()
    stack.enter_context(listener)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    return listener


@pytest.fixture
def endpoint(server: socket.socket, stack: ExitStack) -> Rfc2217Endpoint:
    endpoint = Rfc2217Endpoint(f"rfc2217://127.0.0.1:{server.getsockname()[1]}", 115_200)
    stack.callback(endpoint.close)
    return endpoint


def test_what_the_board_says_while_the_server_agrees_is_not_lost(
    endpoint: Rfc2217Endpoint, server: socket.socket, stack: ExitStack
) -> None:
    peer = stack.enter_context(negotiated(endpoint, server, b"ea\xff\xff", AGREES, b"rl", SETS, b"y"))
    assert endpoint.read(100) == b"ea\xffrly"
    with pytest.raises(BlockingIOError):
        endpoint.read(100)
    peer.sendall(b"\xff\xf1")
    assert poll(lambda: bool(select.select([endpoint.fileno()], [], [], 0)[0]), soon())
    assert endpoint.read(100) is None


def test_a_connection_that_takes_bytes_by_halves_garbles_none(
    endpoint: Rfc2217Endpoint, server: socket.socket, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = stack.enter_context(negotiated(endpoint, server, AGREES, SETS))
    original, turn = endpoint._tcp.write, iter(range(10**6))

    def stingy(data: bytes) -> int:
        """Three bytes, then two, then one, then none."""
        room = 3 - next(turn) % 4
        if room == 0:
            raise BlockingIOError
        return original(data[:room])

    monkeypatch.setattr(endpoint._tcp, "write", stingy)
    data, at = (b"\xff" * 5 + b"ab\xffc") * 50, 0
    while at < len(data):
        at += endpoint.write(data[at:])
        if at % 7 == 0:
            endpoint._answer(b"\xff\xf1")  # as who reads does meanwhile
    assert at == len(data)
    sent = b""
    while b"c" * 1 not in sent[-1:] or sent.count(b"c") < 50:
        sent += peer.recv(65536)
    assert sent.partition(b"\xff\xff")[2]
    begin = sent.index(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffab")
    assert sent[begin:].replace(b"\xff\xf1", b"") == data.replace(b"\xff", b"\xff\xff")


def test_nothing_is_sent_while_the_server_asks_for_silence(
    endpoint: Rfc2217Endpoint, server: socket.socket, stack: ExitStack
) -> None:
    peer = stack.enter_context(negotiated(endpoint, server, AGREES, SETS))
    for command, taken in ((b"\x6c", 0), (b"\x6d", 5)):
        peer.sendall(b"\xff\xfa\x2c" + command + b"\xff\xf0")
        assert poll(lambda: bool(select.select([endpoint.fileno()], [], [], 0)[0]), soon())
        assert endpoint.read(100) is None
        assert endpoint.write(b"hello") == taken
