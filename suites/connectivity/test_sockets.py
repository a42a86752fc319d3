# SPDX-License-Identifier: MIT
"""TCP sockets of the board against echo servers: wrong parameters, lengths, time-outs, many at once.

The board does what a case asks by its console; what came of it is judged by the bytes that come back, made
here, and by what the servers saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.links.fields import only
from rig.pattern import pattern
from rig.pytest_plugin.commands import Commands

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.services.echo import EchoServers, Server

pytestmark = [
    pytest.mark.board_feature("network"),
    pytest.mark.arrangement(clock="free", network=True),
]

REPLY_S = 60.0  # the board's own time-outs are shorter
MS = 10_000
LONG_MS = 30_000
SEEN_S = 30.0
"""Until the server has counted what the board says that came back from there; only a busy host takes it."""
TOO_MUCH, FILL_MS = 16_777_216, 3_000
"""More bytes than all buffers between a board and a server on the host, and time to fill these."""
CONNECTIONS = 8
"""Connections that a board must have at once."""
LENGTHS = (1, 3, 64, 127, 536, 1459, 1460, 1461, 16_384, 262_144)
NO_HANDLES = (-1, 0, 7, 1_000_000, 2_147_483_647)
BYTES_ONE_BY_ONE = 600
LATE_TICKS = 20
"""Ticks that a wait may be longer: an emulated board of a busy host gets several at once when it wakes."""
NOBODY = "10.0.2.77"
"""An address on the board's network that no machine has."""


class Board(Commands):
    """The board's sockets."""

    def open(self, server: Server) -> int:
        """A connection to the server."""
        where, before = server.place.board, server.connections
        handle = self.ask("sock.open", host=where.host, port=where.port, ms=MS).integer("handle")
        # The kernel has it before the server's thread does.
        assert poll(lambda: server.connections > before, Deadline.after(REPLY_S)), "nobody came to the server"
        return handle

    def echo(self, server: Server, length: int, seed: int, **more: int) -> None:
        """Bytes there and back over a connection of their own: by the board's word, and by the server's."""
        before = server.connections
        said = self.ask("sock.echo", handle=self.open(server), length=length, seed=seed, ms=LONG_MS, **more)
        assert (said["sent"], said["received"], said["same"], said["end"]) == (*[str(length)] * 3, "ok")
        server.must_have_got(pattern(length, seed), since=before, timeout_s=SEEN_S)

    def handles(self) -> list[int]:
        """The connections that it lists."""
        return [row.integer("handle") for row in self.rows("sock.list")]


@pytest.fixture
def sockets(board: BoardSession, console: ConsoleLink) -> Iterator[Board]:
    """The board, on the network."""
    del board
    it = Board(console, REPLY_S)
    it.ask("net.up", ms=MS)
    yield it
    for handle in it.handles():
        it.ask("sock.close", handle=handle)


# --- wrong parameters


@pytest.mark.requirement("Sockets", "Close_InvalidParams")
def test_close_refuses_a_handle_that_is_not_open(sockets: Board, echo: EchoServers) -> None:
    for handle in NO_HANDLES:
        assert sockets.refusal("sock.close", handle=handle) == "value"
    closed = sockets.open(echo.plain())
    sockets.ask("sock.close", handle=closed)
    assert sockets.refusal("sock.close", handle=closed) == "value"
    assert sockets.open(echo.plain()) != closed


@pytest.mark.requirement("Sockets", "Shutdown_InvalidParams")
def test_shutdown_refuses_what_is_wrong(sockets: Board, echo: EchoServers) -> None:
    for handle in NO_HANDLES:
        assert sockets.refusal("sock.shutdown", handle=handle, how="both") == "value"
    handle = sockets.open(echo.plain())
    assert sockets.refusal("sock.shutdown", handle=handle, how="nothing") == "value"
    sockets.ask("sock.shutdown", handle=handle, how="send")
    # The server ends its side when the board has ended its own: all that is left is the end.
    assert sockets.ask("sock.receive", handle=handle, count=1, ms=MS)["end"] == "closed"
    assert sockets.ask("sock.send", handle=handle, hex="00", ms=MS)["end"] == "closed"


@pytest.mark.requirement("Sockets", "Connect_InvalidParams")
def test_connect_refuses_what_is_wrong(sockets: Board, echo: EchoServers) -> None:
    host = echo.plain().place.board.host
    assert sockets.refusal("sock.open", host=host, port=0, ms=MS) == "value"
    assert sockets.refusal("sock.open", host=host, port=65_536, ms=MS) == "value"
    assert sockets.refusal("sock.open", host="no-such-host.rig.invalid", port=9, ms=MS) == "unknown"
    assert sockets.refusal("sock.open", host="300.1.2.3", port=9, ms=MS) == "unknown"
    assert sockets.refusal("sock.open", host=NOBODY, port=9, ms=1_500) == "timeout"
    assert sockets.handles() == []


@pytest.mark.requirement("Sockets", "Connect_InvalidParams")
def test_connect_to_a_port_where_nobody_listens_is_refused(sockets: Board, echo: EchoServers) -> None:
    host = echo.plain().place.board.host
    assert sockets.refusal("sock.open", host=host, port=1, ms=MS) == "refused"


@pytest.mark.requirement("Sockets", "SetSockOpt_InvalidParams")
def test_options_refuse_what_is_wrong(sockets: Board, echo: EchoServers) -> None:
    for handle in NO_HANDLES:
        assert sockets.refusal("sock.option", handle=handle, name="nagle", value=1) == "value"
    handle = sockets.open(echo.plain())
    assert sockets.refusal("sock.option", handle=handle, name="nagel", value=1) == "value"
    assert sockets.refusal("sock.option", handle=handle, name="nagle", value=2) == "range"
    assert sockets.refusal("sock.option", handle=handle, name="keepalive", value=-1) == "range"
    for name, value in (("nagle", 1), ("nagle", 0), ("keepalive", 60_000), ("keepalive", 0)):
        sockets.ask("sock.option", handle=handle, name=name, value=value)


# --- bytes


@pytest.mark.requirement("Sockets", "SendRecv_VaryLength")
@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_comes_back_as_it_was(sockets: Board, echo: EchoServers, length: int) -> None:
    sockets.echo(echo.plain(), length, seed=length)


@pytest.mark.requirement("Sockets", "SendRecv_VaryLength")
@pytest.mark.parametrize("length", [1, 128, 129, 8_192])
def test_what_comes_back_is_what_this_side_knows_of_it(
    sockets: Board, echo: EchoServers, length: int
) -> None:
    """The echo is judged here, not by the board: by its bytes, or by the SHA-256 of more of them."""
    handle, expected = sockets.open(echo.plain()), pattern(length, 11)
    assert sockets.ask("sock.send", handle=handle, length=length, seed=11, ms=MS)["sent"] == str(length)
    said = sockets.ask("sock.receive", handle=handle, count=length, ms=MS)
    assert (said["received"], said["end"]) == (str(length), "ok")
    if length <= 128:
        assert said.octets("hex") == expected
    else:
        assert said["sha256"] == hashlib.sha256(expected).hexdigest()


@pytest.mark.requirement("Sockets", "Recv_ByteByByte")
def test_bytes_can_be_fetched_one_by_one(sockets: Board, echo: EchoServers) -> None:
    handle = sockets.open(echo.plain())
    sockets.ask("sock.send", handle=handle, length=BYTES_ONE_BY_ONE, seed=5, ms=MS)
    said = sockets.ask("sock.receive", handle=handle, count=BYTES_ONE_BY_ONE, chunk=1, ms=MS)
    assert said["received"] == str(BYTES_ONE_BY_ONE)
    assert said["sha256"] == hashlib.sha256(pattern(BYTES_ONE_BY_ONE, 5)).hexdigest()


@pytest.mark.requirement("Sockets", "Recv_ByteByByte")
def test_bytes_can_be_sent_one_by_one(sockets: Board, echo: EchoServers) -> None:
    sockets.echo(echo.plain(), BYTES_ONE_BY_ONE, seed=6, chunk=1)


# --- time


@pytest.mark.requirement("Sockets", "NonBlocking")
def test_a_call_that_may_not_wait_does_not(sockets: Board, echo: EchoServers) -> None:
    handle = sockets.open(echo.plain())
    nothing = sockets.ask("sock.receive", handle=handle, count=1, ms=0)
    assert (nothing["received"], nothing["end"]) == ("0", "timeout")
    assert sockets.ask("sock.send", handle=handle, hex="AA55", ms=0)["sent"] == "2"

    def came() -> bool:
        return sockets.ask("sock.receive", handle=handle, count=2, ms=0, once=1).get("hex") == "AA55"

    assert poll(came, Deadline.after(REPLY_S)), f"two bytes did not come back in {REPLY_S:g} s of asking"


@pytest.mark.requirement("Sockets", "NonBlocking")
def test_sending_to_one_who_does_not_read_ends_without_waiting(sockets: Board, echo: EchoServers) -> None:
    """A full buffer is no error and takes no time: the call says that it took nothing.

    The server reads not one byte, so that all buffers on the way are full once a sender that may wait has
    given up; a board that says more was taken, or waits when it may not, is found out.
    """
    server = echo.plain("deaf")
    handle = sockets.open(server)
    try:
        filled = sockets.ask("sock.send", handle=handle, length=TOO_MUCH, seed=1, ms=FILL_MS)
        assert filled["end"] == "timeout"
        assert 0 < filled.integer("sent") < TOO_MUCH
        full = sockets.ask("sock.send", handle=handle, length=1000, seed=1, ms=0)
        assert (full["sent"], full["end"]) == ("0", "timeout")
        assert full.integer("took_us") < 1000 * FILL_MS, "a call that may not wait did"
    finally:
        server.hang_up()
    assert sockets.ask("sock.receive", handle=handle, count=1, ms=LONG_MS)["end"] == "closed"


@pytest.mark.requirement("Sockets", "RCVTIMEO")
@pytest.mark.arrangement(clock="paced", network=True)
@pytest.mark.parametrize("timeout_ms", [1, 10, 100, 1000])
def test_a_receive_waits_as_long_as_it_is_told(
    sockets: Board, echo: EchoServers, measure: CaseMeasure, timeout_ms: int
) -> None:
    """By the kernel's tick, which is what it waits by; an emulated tick may come late, never early."""
    took = measure.declare("sockets.receive_timeout", "us")
    handle = sockets.open(echo.plain())
    said = sockets.ask("sock.receive", handle=handle, count=1, ms=timeout_ms)
    took.value(said.integer("took_us"), {"timeout_ms": timeout_ms, "ticks": said.integer("ticks")})
    assert (said["received"], said["end"]) == ("0", "timeout")
    assert timeout_ms <= said.integer("ticks") <= timeout_ms + LATE_TICKS
    assert said.integer("took_us") >= timeout_ms * 1000


# --- many


@pytest.mark.requirement("Sockets", "ConcurrentCount")
def test_several_connections_at_once(sockets: Board, echo: EchoServers) -> None:
    server = echo.plain()
    before = server.connections
    handles = [sockets.open(server) for _ in range(CONNECTIONS)]
    assert len(set(handles)) == CONNECTIONS
    assert server.connections == before + CONNECTIONS
    where = server.place.board
    assert sockets.refusal("sock.open", host=where.host, port=where.port, ms=MS) == "range"
    for number, handle in enumerate(handles):
        sockets.ask("sock.send", handle=handle, hex=f"{number:04X}", ms=MS)
    for number, handle in reversed(list(enumerate(handles))):
        assert sockets.ask("sock.receive", handle=handle, count=2, ms=MS)["hex"] == f"{number:04X}"
    sockets.ask("sock.close", handle=handles[3])
    again = sockets.open(server)
    assert sorted(sockets.handles()) == sorted([*handles[:3], *handles[4:], again])


@pytest.mark.requirement("Sockets", "ConcurrentCount")
def test_connections_can_be_opened_and_closed_again_and_again(sockets: Board, echo: EchoServers) -> None:
    server = echo.plain()
    before = server.connections
    for _ in range(4 * CONNECTIONS):
        sockets.echo(server, 100, seed=0)
        sockets.ask("sock.close", handle=only(sockets.handles(), "the connection"))
    assert server.connections == before + 4 * CONNECTIONS


@pytest.mark.requirement("Sockets", "Threadsafe")
@pytest.mark.parametrize("tasks", [2, 4])
def test_tasks_with_a_connection_each(sockets: Board, echo: EchoServers, tasks: int) -> None:
    server, length = echo.plain(), 50_000
    where, before = server.place.board, server.connections
    said = sockets.ask(
        "sock.parallel",
        host=where.host, port=where.port, tasks=tasks, socket="own", length=length, seed=3, ms=LONG_MS,
    )  # fmt: skip
    assert (said["whole"], said["same"], said["end"]) == (str(tasks), str(length * tasks), "ok")
    sent = (pattern(length, 3 + number) for number in range(tasks))
    server.must_have_got(*sent, since=before, timeout_s=SEEN_S)
    assert sockets.handles() == []


@pytest.mark.requirement("Sockets", "Threadsafe")
def test_two_tasks_at_one_connection(sockets: Board, echo: EchoServers) -> None:
    server, length = echo.plain(), 200_000
    where, before = server.place.board, server.connections
    said = sockets.ask(
        "sock.parallel",
        host=where.host, port=where.port, tasks=2, socket="one", length=length, seed=4, ms=LONG_MS,
    )  # fmt: skip
    assert (said["whole"], said["same"], said["end"]) == ("1", str(length), "ok")
    server.must_have_got(pattern(length, 4), since=before, timeout_s=SEEN_S)


# --- the other side goes


def test_the_end_of_the_other_side_is_told_after_its_last_byte(sockets: Board, echo: EchoServers) -> None:
    handle = sockets.open(echo.plain("close"))
    sockets.ask("sock.send", handle=handle, hex="01", ms=MS)
    assert sockets.ask("sock.receive", handle=handle, count=1, ms=MS)["end"] == "closed"


def test_a_connection_that_is_reset_is_closed(sockets: Board, echo: EchoServers) -> None:
    handle = sockets.open(echo.plain("reset"))
    sockets.ask("sock.send", handle=handle, hex="01", ms=MS)
    assert sockets.ask("sock.receive", handle=handle, count=1, ms=MS)["end"] == "closed"
    assert sockets.ask("sock.send", handle=handle, hex="02", ms=MS)["end"] == "closed"


def test_a_connection_outlives_a_link_that_was_down(
    sockets: Board, echo: EchoServers, ethernet: Ethernet
) -> None:
    handle = sockets.open(echo.plain())
    with ethernet.link_down():
        assert poll(lambda: sockets.ask("net.status")["link"] == "0", Deadline.after(REPLY_S))
        assert sockets.refusal("sock.open", host=NOBODY, port=9, ms=1_000) == "absent"
        assert sockets.ask("sock.send", handle=handle, hex="C0FFEE", ms=MS)["sent"] == "3"
    assert poll(lambda: sockets.ask("net.status")["link"] == "1", Deadline.after(REPLY_S))
    assert sockets.ask("sock.receive", handle=handle, count=3, ms=30_000)["hex"] == "C0FFEE"


def test_nothing_is_left_of_a_network_that_went_down(sockets: Board, echo: EchoServers) -> None:
    handle = sockets.open(echo.plain())

    def tasks() -> set[str]:
        return {row["name"] for row in sockets.rows("mem.tasks")}

    assert {"net.ip", "net.work"} <= tasks()
    sockets.ask("net.down")
    assert not {name for name in tasks() if name.startswith("net.")}
    assert sockets.ask("net.status") == {"state": "down"}
    assert sockets.refusal("sock.close", handle=handle) == "absent"
    sockets.ask("net.up", ms=MS)
    assert sockets.refusal("sock.close", handle=handle) == "value"
    sockets.echo(echo.plain(), 1000, seed=8)
