# SPDX-License-Identifier: MIT
"""The transport interface over TCP: the field's 14 mandatory and 9 optional cases (qualification guide,
TransportInterfacePlainText). The board calls through the three function pointers; what came of it is judged
here, and by the server's own count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.links.fields import only
from rig.pattern import pattern

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.services.echo import EchoServers, Server

GROUP = "TransportInterfacePlainText"

pytestmark = [
    pytest.mark.board_feature("transport"),
    pytest.mark.arrangement(clock="free", network=True),
]

MS = 60_000
REPLY_S = 180.0  # four handshakes at once, on a busy host
LENGTHS = (1, 2, 16, 1460, 1461, 4096)
ONE_BY_ONE = 64
THREADS = 4

Run = Callable[..., list[dict[str, int]]]
"""Runs a case of the board's on a server; a row for each of its tasks."""

WRONG: Final = {  # case of the board: the field's name
    "send.null.context": "TransportSend_NetworkContextNullPtr",
    "send.null.buffer": "TransportSend_BufferNullPtr",
    "send.zero": "TransportSend_ZeroByteToSend",
    "receive.null.context": "TransportRecv_NetworkContextNullPtr",
    "receive.null.buffer": "TransportRecv_BufferNullPtr",
    "receive.zero": "TransportRecv_ZeroByteToRecv",
    "writev.null.context": "TransportWritev_NetworkContextNullPtr",
    "writev.null.buffer": "TransportWritev_BufferNullPtr",
    "writev.zero": "TransportWritev_ZeroVectorsToSend",
    "writev.one.null": "TransportWritev_OneVectorBufferNullPtr",
    "writev.one.empty": "TransportWritev_OneVectorLengthZero",
}
COMPARED: Final = {  # ... with the most bytes that it exchanges
    "compare.send.one": ("Transport_SendOneByteRecvCompare", ONE_BY_ONE),
    "compare.receive.one": ("Transport_SendRecvOneByteCompare", ONE_BY_ONE),
    "compare": ("Transport_SendRecvCompare", max(LENGTHS)),
    "compare.writev.one": ("Transport_WritevOneByteRecvCompare", ONE_BY_ONE),
    "compare.writev": ("Transport_WritevRecvCompare", max(LENGTHS)),
}
GONE: Final = {
    "send.disconnect": "TransportSend_RemoteDisconnect",
    "receive.disconnect": "TransportRecv_RemoteDisconnect",
    "writev.disconnect": "TransportWritev_RemoteDisconnect",
}
PARALLEL: Final = {
    "compare": "Transport_SendRecvCompareMultithreaded",
    "compare.writev": "Transport_WritevRecvCompareMultithreaded",
}


def cases(group: str, names: dict[str, str]) -> list[object]:
    """Parameters, each with its requirement."""
    return [
        pytest.param(case, id=name, marks=pytest.mark.requirement(group, name))
        for case, name in names.items()
    ]


@pytest.fixture
def run(board: BoardSession, console: ConsoleLink) -> Run:
    """Runs cases over TCP."""
    del board
    return runner(console, tls=0)


def runner(console: ConsoleLink, tls: int) -> Run:
    """Runs cases of the transport with the network up."""
    console.request("net.up", {"ms": 20_000}, deadline=Deadline.after(REPLY_S))

    def run(case: str, server: Server, **args: int) -> list[dict[str, int]]:
        where = server.place.board
        asked: dict[str, str | int] = {"name": case, "host": where.host, "port": where.port, "tls": tls}
        reply = console.request(
            "transport.case", {**asked, "ms": MS, **args}, deadline=Deadline.after(REPLY_S)
        )
        return [row.integers() for row in reply.rows]

    return run


# --- what every transport must do; test_transport_tls.py runs the same over TLS


def refuses(run: Run, server: Server, case: str) -> None:
    """A wrong argument is an error."""
    said = only(run(case, server), case)
    assert (said["calls"], said["value"] < 0) == (1, True)


def gives_back(run: Run, server: Server, case: str, length: int, threads: int = 1) -> None:
    """What was sent comes back, in every thread: by the board's word, and the server has got it."""
    before = server.connections
    rows = run(case, server, length=length, threads=threads)
    assert len(rows) == threads
    for said in rows:
        assert (said["sent"], said["received"], said["same"]) == (length, length, length)
    sent = (pattern(length, number + 1) for number in range(threads))
    server.must_have_got(*sent, since=before, timeout_s=REPLY_S)


def notices_the_end(run: Run, server: Server, case: str) -> None:
    """Once the other side has gone, a call comes to an error."""
    said = only(run(case, server), case)
    assert (said["sent"], said["value"] < 0) == (1, True)


def has_nothing(run: Run, server: Server) -> None:
    """0, not an error, while nothing has come."""
    said = only(run("receive.nothing", server), "receive.nothing")
    assert (said["calls"], said["value"], said["zeros"]) == (1, 0, 1)


def comes_after_a_zero(run: Run, server: Server) -> None:
    """A receive that gave 0 is asked again, and gives what has come since."""
    said = only(run("receive.retry", server, length=ONE_BY_ONE), "receive.retry")
    assert said["zeros"] >= 1
    assert (said["received"], said["same"]) == (ONE_BY_ONE, ONE_BY_ONE)


@pytest.mark.parametrize("case", cases(GROUP, WRONG))
def test_wrong_argument(run: Run, echo: EchoServers, case: str) -> None:
    refuses(run, echo.plain(), case)


@pytest.mark.parametrize("case", cases(GROUP, {case: name for case, (name, _) in COMPARED.items()}))
def test_compare(run: Run, echo: EchoServers, case: str) -> None:
    for length in (length for length in LENGTHS if length <= COMPARED[case][1]):
        gives_back(run, echo.plain(), case, length)


@pytest.mark.parametrize("case", cases(GROUP, PARALLEL))
def test_compare_in_threads(run: Run, echo: EchoServers, case: str) -> None:
    before = echo.plain().connections
    gives_back(run, echo.plain(), case, max(LENGTHS), THREADS)
    assert echo.plain().connections == before + THREADS


@pytest.mark.parametrize("case", cases(GROUP, GONE))
@pytest.mark.parametrize("how", ["close", "reset"])
def test_remote_disconnect(run: Run, echo: EchoServers, case: str, how: str) -> None:
    notices_the_end(run, echo.plain(how), case)  # type: ignore[arg-type]


@pytest.mark.requirement(GROUP, "TransportRecv_NoDataToReceive")
def test_no_data_to_receive(run: Run, echo: EchoServers) -> None:
    has_nothing(run, echo.plain("silent"))


@pytest.mark.requirement(GROUP, "TransportRecv_ReturnZeroRetry")
def test_zero_and_again(run: Run, echo: EchoServers) -> None:
    comes_after_a_zero(run, echo.plain())
