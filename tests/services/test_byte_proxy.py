# SPDX-License-Identifier: MIT
"""The byte proxy before a real echo service: every fault does what it says, is an event, and ends."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rig.deadline import Deadline, poll
from rig.errors import ToolFault
from rig.events import Event, RunClock
from rig.services.network.byte_proxy import ByteProxy
from rig.services.network.faults import (
    Bandwidth,
    Corrupt,
    CutAfter,
    Delay,
    HalfOpen,
    Refuse,
    Stall,
)
from tests.services.echo import Echo, echo_service, receive

QUICK_S = 0.2
BIG = random.Random(5).randbytes(1_000_000)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echo_service() as running:
        yield running


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def proxy(echo: Echo, events: list[Event]) -> Iterator[ByteProxy]:
    with ByteProxy(echo.address, RunClock(), events.append, name="byte", board="b") as running:
        yield running


def connect(proxy: ByteProxy) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@pytest.fixture
def board(proxy: ByteProxy) -> Iterator[socket.socket]:
    with connect(proxy) as connection:
        assert round_trip(connection)[0] == b"x"
        yield connection


def round_trip(connection: socket.socket, data: bytes = b"x") -> tuple[bytes, float]:
    begin = time.monotonic()
    connection.sendall(data)
    return receive(connection, len(data)), time.monotonic() - begin


def faults(events: list[Event]) -> list[tuple[str, object]]:
    return [(event.kind, event.data["what"]) for event in events if event.source == "fault"]


def test_a_megabyte_passes_both_ways_unchanged(board: socket.socket, echo: Echo) -> None:
    back = bytearray()
    board.setblocking(False)
    left = memoryview(BIG)
    deadline = Deadline.after(20)
    while len(back) < len(BIG) and not deadline.expired:
        with suppress(BlockingIOError):
            left = left[board.send(left[:65536]) :] if left else left
        with suppress(BlockingIOError):
            back += board.recv(65536)
    assert bytes(back) == BIG == bytes(echo.received[1:])


def test_an_end_of_one_way_is_handed_on_and_the_other_goes_on(board: socket.socket, echo: Echo) -> None:
    board.sendall(b"last words")
    board.shutdown(socket.SHUT_WR)
    assert receive(board, 100) == b"last words"
    assert echo.wait_ends(1) == ["closed"]


def test_a_reset_by_the_board_is_a_reset_at_the_service(board: socket.socket, echo: Echo) -> None:
    board.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    board.close()
    assert echo.wait_ends(1) == ["reset"]


def test_an_ended_connection_is_forgotten(proxy: ByteProxy, board: socket.socket) -> None:
    assert proxy.connections == 1
    board.close()
    assert poll(lambda: proxy.connections == 0, Deadline.after(5))


def test_delay_and_jitter(proxy: ByteProxy, board: socket.socket, events: list[Event]) -> None:
    with proxy.fault(Delay(delay_s=0.03, jitter_s=0.02)):
        took = [round_trip(board)[1] for _ in range(10)]
    assert all(0.06 <= each < 0.3 for each in took), took
    assert max(took) - min(took) > 0.002
    assert round_trip(board)[1] < QUICK_S
    begin, end = (event for event in events if event.source == "fault")
    assert (begin.kind, begin.board, end.kind) == ("begin", "b", "end")
    expected = {"what": "delay", "where": "byte", "delay_s": 0.03, "jitter_s": 0.02, "direction": "both"}
    assert expected.items() <= begin.data.items()
    assert begin.data["fault"] == end.data["fault"]
    assert end.t_ns - begin.t_ns >= 0.6e9


def test_a_delay_of_one_way_only(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Delay(delay_s=0.05, direction="down")):
        assert 0.05 <= round_trip(board)[1] < 0.095


def test_bytes_stay_in_order_under_jitter(proxy: ByteProxy, board: socket.socket, echo: Echo) -> None:
    sent = b"".join(b"%04d" % number for number in range(200))
    with proxy.fault(Delay(delay_s=0.0, jitter_s=0.01)):
        for at in range(0, len(sent), 4):
            board.sendall(sent[at : at + 4])
        assert receive(board, len(sent)) == sent
    assert bytes(echo.received[1:]) == sent


def test_bandwidth(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Bandwidth(bytes_per_s=100_000, direction="up")):
        data, took = round_trip(board, BIG[:50_000])
    assert data == BIG[:50_000]
    assert 0.45 <= took < 1.5


def test_a_sender_on_a_narrow_link_is_held_back(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Bandwidth(bytes_per_s=1000, direction="up")):
        board.setblocking(False)
        taken, quiet = 0, 0
        while quiet < 50 and taken < 64_000_000:
            try:
                taken += board.send(bytes(1_000_000))
                quiet = 0
            except BlockingIOError:
                quiet += 1
                poll(lambda: False, Deadline.after(0.005))
        assert taken < 32_000_000


def test_stall_loses_nothing(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Stall()):
        board.sendall(b"held")
        board.settimeout(0.2)
        with pytest.raises(TimeoutError):
            board.recv(1)
    board.settimeout(5)
    assert receive(board, 4) == b"held"


def test_a_fault_that_ends_lets_go_what_it_delayed(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Bandwidth(bytes_per_s=10, direction="up")):
        board.sendall(bytes(5000))
    begin = time.monotonic()
    assert len(receive(board, 5000)) == 5000
    assert time.monotonic() - begin < 2


def test_corruption_follows_its_seed(echo: Echo) -> None:
    def damaged(pieces: int) -> bytes:
        with ByteProxy(echo.address, RunClock(), lambda _: None) as proxy, connect(proxy) as board:
            with proxy.fault(Corrupt(probability=0.01, seed=3, direction="up")) as active:
                for _ in range(pieces):
                    board.sendall(bytes(10_000 // pieces))
                back = receive(board, 10_000)
            assert active.hits
            assert round_trip(board, b"sound")[0] == b"sound"
        return back

    first, again = damaged(1), damaged(50)
    flipped = [byte for byte in first if byte]
    assert first == again
    assert 60 <= len(flipped) <= 140
    assert all(byte.bit_count() == 1 for byte in flipped)


@pytest.mark.parametrize(("reset", "how"), [(True, "reset"), (False, "closed")])
def test_cut_after_so_many_bytes(
    proxy: ByteProxy, board: socket.socket, echo: Echo, events: list[Event], reset: bool, how: str
) -> None:
    with proxy.fault(CutAfter(count=1000, direction="up", reset=reset)) as active:
        board.sendall(bytes(700))
        assert len(receive(board, 700)) == 700
        board.sendall(bytes(700))
        assert echo.wait_ends(1) == [how]
    assert active.hits == 1
    assert len(echo.received) == 1 + 1000 or reset  # a reset may overtake the last bytes
    assert faults(events) == [("begin", "cut"), ("hit", "cut"), ("end", "cut")]


def test_half_open(proxy: ByteProxy, board: socket.socket, echo: Echo, events: list[Event]) -> None:
    with proxy.fault(HalfOpen()) as active:
        assert echo.wait_ends(1) == ["reset"]
        board.settimeout(0.2)
        board.sendall(b"anybody there?")
        with pytest.raises(TimeoutError):
            board.recv(1)
        with connect(proxy) as other:  # the service is there for whoever calls again
            assert round_trip(other)[0] == b"x"
    board.settimeout(5)
    with pytest.raises(ConnectionResetError):
        board.recv(1)
    assert active.hits == 1
    assert faults(events) == [("begin", "half-open"), ("hit", "half-open"), ("end", "half-open")]


def test_refuse_leaves_those_that_are_open(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Refuse()) as active:
        with pytest.raises(ConnectionResetError), connect(proxy) as other:
            other.recv(1)
        assert round_trip(board)[0] == b"x"
    assert active.hits == 1
    with connect(proxy) as other:
        assert round_trip(other)[0] == b"x"


def test_reset_and_close_at_once(
    proxy: ByteProxy, board: socket.socket, echo: Echo, events: list[Event]
) -> None:
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        board.recv(1)
    with connect(proxy) as other:
        assert round_trip(other)[0] == b"x"
        assert proxy.close() == 1
        assert other.recv(1) == b""
    assert echo.wait_ends(2) == ["reset", "closed"]
    assert faults(events) == [("begin", "reset"), ("end", "reset"), ("begin", "close"), ("end", "close")]


def test_several_faults_at_once(proxy: ByteProxy, board: socket.socket) -> None:
    with proxy.fault(Delay(delay_s=0.05, direction="up")), proxy.fault(Delay(delay_s=0.05, direction="up")):
        assert round_trip(board)[1] >= 0.1
        with proxy.fault(Corrupt(probability=1, direction="down")):
            assert round_trip(board, b"a")[0] != b"a"
    assert round_trip(board, b"a")[0] == b"a"


def test_a_service_that_is_not_there_is_a_reset_and_an_event(events: list[Event]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[:2]
    with ByteProxy(free, RunClock(), events.append) as proxy:
        with pytest.raises(ConnectionResetError), connect(proxy) as board:
            board.recv(1)
        assert poll(lambda: bool(events), Deadline.after(5))
    (event,) = events
    assert (event.source, event.kind) == ("network", "refused")
    assert "ConnectionRefusedError" in str(event.data["why"])


def test_leaving_the_proxy_ends_its_connections(echo: Echo) -> None:
    with ByteProxy(echo.address, RunClock(), lambda _: None) as proxy:
        address = ("127.0.0.1", proxy.port)
        board = connect(proxy)
        round_trip(board)
    with board, pytest.raises(ConnectionResetError):
        board.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)


def test_a_port_that_is_taken() -> None:
    from rig.services.network.loop import LoopThread
    from rig.services.network.tcp_relay import Relay, Upstream

    with socket.create_server(("127.0.0.1", 0)) as taken, LoopThread("t") as thread:
        port = taken.getsockname()[1]
        relay = Relay(Upstream("127.0.0.1", 1), lambda _: None, lambda *_: None, port=port)
        with pytest.raises(ToolFault, match=f"cannot listen on 127.0.0.1:{port}"):
            thread.wait(relay.start())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Delay(delay_s=-1),
        lambda: Delay(delay_s=float("nan")),
        lambda: Bandwidth(bytes_per_s=0),
        lambda: Corrupt(probability=0),
        lambda: Corrupt(probability=1.5),
        lambda: CutAfter(count=-1),
    ],
)
def test_parameters_that_cannot_be(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match="must be"):
        wrong()


def test_a_proxy_that_has_broken_says_so(proxy: ByteProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.check()
    monkeypatch.setattr(proxy._relay, "_join", lambda _: 1 / 0)
    with connect(proxy):
        assert poll(lambda: proxy._relay.trouble is not None, Deadline.after(5))
    with pytest.raises(ToolFault, match="board b: the byte broke: ZeroDivisionError: division by zero"):
        proxy.check()


def test_a_proxy_that_breaks_on_what_passes_says_so(
    proxy: ByteProxy, board: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.services.network.pipe.Pipe.feed", lambda *_: 1 / 0)
    board.sendall(b"y")
    assert poll(lambda: proxy._relay.trouble is not None, Deadline.after(5))
    with pytest.raises(ToolFault, match="ZeroDivisionError"):
        proxy.check()
