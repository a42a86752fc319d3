# SPDX-License-Identifier: MIT
"""Echo servers: every byte back, each misbehaviour as it is named, and what was seen of each handshake."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.errors import BoardFault, RigFault
from rig.services.echo import EchoServers, Server
from rig.services.echo_behaviour import GATHER_MOST
from rig.services.pki import Authority, IdentityFiles
from tests.services.conftest import THING

EC_SUITE = "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.fixture
def echo(authority: Authority, tmp_path: Path) -> Iterator[EchoServers]:
    """The servers of one test."""
    with EchoServers(tmp_path, authority) as servers:
        yield servers


def _connect(server: Server) -> socket.socket:
    where = server.place.host
    return socket.create_connection((where.host, where.port), 10)


def _context(authority: Authority, identity: IdentityFiles | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.private_key)
    return context


def _exchange(stream: socket.socket, data: bytes) -> bytes:
    """Sends piece by piece and takes each back before the next."""
    got = bytearray()
    for start in range(0, len(data), 1 << 14):
        stream.sendall(data[start : start + (1 << 14)])
        while len(got) < min(len(data), start + (1 << 14)) and (part := stream.recv(1 << 16)):
            got += part
    return bytes(got)


@pytest.mark.parametrize("size", [1, 1459, 1 << 20])
def test_every_byte_comes_back(
    echo: EchoServers, authority: Authority, thing: IdentityFiles, size: int
) -> None:
    data = random.Random(size).randbytes(size)
    with _connect(echo.plain()) as plain:
        assert _exchange(plain, data) == data
    with _context(authority, thing).wrap_socket(_connect(echo.tls()), server_hostname="echo.rig.test") as tls:
        assert _exchange(tls, data) == data


def test_it_ends_its_side_when_the_client_ends_his(echo: EchoServers) -> None:
    with _connect(echo.plain()) as stream:
        stream.sendall(b"last")
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(10) == b"last"
        assert stream.recv(10) == b""


def test_many_clients_are_served_at_once(echo: EchoServers) -> None:
    streams = [_connect(echo.plain()) for _ in range(50)]
    for number, stream in enumerate(streams):
        stream.sendall(b"%d" % number)
    assert [stream.recv(10) for stream in streams] == [b"%d" % number for number in range(50)]
    assert echo.plain().connections == 50
    for stream in streams:
        stream.close()


def test_silent_says_nothing_close_closes_and_reset_resets(echo: EchoServers) -> None:
    with _connect(echo.plain("silent")) as stream:
        stream.sendall(b"x")
        stream.settimeout(0.2)
        with pytest.raises(TimeoutError):
            stream.recv(1)
    with _connect(echo.plain("close")) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b""
    with _connect(echo.plain("reset")) as stream:
        stream.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            stream.recv(1)


def test_close_over_tls_is_said_before(echo: EchoServers, authority: Authority, thing: IdentityFiles) -> None:
    with _context(authority, thing).wrap_socket(
        _connect(echo.tls("close")), server_hostname="rig.test"
    ) as tls:
        tls.sendall(b"x")
        assert tls.recv(1) == b""  # close_notify; without it this would raise SSLEOFError


def test_what_a_server_saw_of_a_good_handshake(
    echo: EchoServers, authority: Authority, thing: IdentityFiles
) -> None:
    server = echo.tls(suites=EC_SUITE, protocols=["x-amzn-mqtt-ca"])
    context = _context(authority, thing)
    context.set_alpn_protocols(["x-amzn-mqtt-ca", "other"])
    with context.wrap_socket(_connect(server), server_hostname="echo.rig.test") as tls:
        session = tls.session
    seen = server.next_handshake(0, 5)
    assert (seen.outcome, seen.suite, seen.version) == ("done", EC_SUITE, "TLSv1.2")
    assert (seen.client, seen.protocol, seen.resumed) == (THING, "x-amzn-mqtt-ca", False)
    assert seen.hello is not None
    assert seen.hello.server_name == "echo.rig.test"
    assert seen.hello.protocols == ("x-amzn-mqtt-ca", "other")
    assert seen.hello.version == 0x0303
    assert 0xC02B in seen.hello.suites  # TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    raw = _connect(server)
    with context.wrap_socket(raw, server_hostname="echo.rig.test", session=session) as tls:
        assert tls.session_reused
    assert server.next_handshake(1, 5).resumed


@pytest.mark.parametrize(
    ("flaw", "alert"),
    [
        ("other_ca", "TLSV1_ALERT_UNKNOWN_CA"),
        ("expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        ("not_yet_valid", "SSLV3_ALERT_BAD_CERTIFICATE"),
        ("wrong_name", "SSLV3_ALERT_BAD_CERTIFICATE"),
        ("small_key", "SSLV3_ALERT_BAD_CERTIFICATE"),
    ],
)
def test_the_alert_of_a_client_that_refuses_is_kept(
    echo: EchoServers, authority: Authority, thing: IdentityFiles, flaw: str, alert: str
) -> None:
    server = echo.tls(flaw=flaw)  # type: ignore[arg-type]
    with pytest.raises(ssl.SSLCertVerificationError):
        _context(authority, thing).wrap_socket(_connect(server), server_hostname="echo.rig.test")
    assert server.next_handshake(0, 5).outcome == alert


def test_a_client_without_a_certificate_is_refused_where_one_is_required(
    echo: EchoServers, authority: Authority
) -> None:
    with pytest.raises(ssl.SSLError):
        _context(authority).wrap_socket(_connect(echo.tls()), server_hostname="echo.rig.test")
    assert echo.tls().next_handshake(0, 5).outcome == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    server = echo.tls(ask_for="wanted")
    with _context(authority).wrap_socket(_connect(server), server_hostname="echo.rig.test") as tls:
        assert _exchange(tls, b"served") == b"served"
    assert server.next_handshake(0, 5).client is None


@pytest.mark.parametrize(
    "first",
    [b"", b"\x16\x03\x01\x02", b"GET / HTTP/1.0\r\n\r\n", bytes(100)],
    ids=["nothing", "cut off", "HTTP", "zeros"],
)
def test_what_is_no_handshake_is_kept_as_such(echo: EchoServers, first: bytes) -> None:
    server = echo.tls()
    with _connect(server) as stream:
        stream.sendall(first)
        with contextlib.suppress(OSError):  # it may have been thrown out already
            stream.shutdown(socket.SHUT_WR)
        seen = server.next_handshake(0, 5)
    assert seen.outcome != "done"
    assert seen.hello is None


def test_a_board_that_never_comes_is_at_fault(echo: EchoServers) -> None:
    with pytest.raises(BoardFault, match=r"nobody came to 127\.0\.0\.1:\d+ in 0 s; 0 came before"):
        echo.tls().next_handshake(0, 0)


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RigFault, match="cannot listen on"):
        Server("echo", "echo", port=taken.getsockname()[1]).__enter__()


def test_leaving_ends_connections_and_threads(authority: Authority, tmp_path: Path) -> None:
    before = threading.active_count()
    with EchoServers(tmp_path, authority) as echo:
        held = _connect(echo.plain("silent"))
        half = _connect(echo.tls())
        held.sendall(b"x")
    assert threading.active_count() == before
    for stream in (held, half):
        stream.close()


def test_what_a_connection_brought_is_counted_and_compared(echo: EchoServers) -> None:
    server = echo.plain()
    for data in (b"first", b"", b"second"):
        with _connect(server) as plain:
            assert _exchange(plain, data) == data
    server.must_have_got(b"second", b"first", since=0, timeout_s=10)
    server.must_have_got(b"second", since=1, timeout_s=10)
    assert [carried.length for carried in server.carried] == [5, 0, 6]


@pytest.mark.parametrize("lie", [[b"First", b"second"], [b"first"], [b"first", b"second", b"third"], []])
def test_a_board_that_says_it_sent_something_else_is_found_out(echo: EchoServers, lie: list[bytes]) -> None:
    server = echo.plain()
    for data in (b"first", b"second"):
        with _connect(server) as plain:
            assert _exchange(plain, data) == data
    with pytest.raises(BoardFault, match=r"it got 5 bytes with SHA-256 \w+…, 6 bytes"):
        server.must_have_got(*lie, since=0, timeout_s=0)


def test_gather_holds_no_more_than_its_bound(echo: EchoServers) -> None:
    """A device that announces 4 GiB is cut off before any of it is held."""
    server = echo.plain("gather")
    with _connect(server) as plain:
        plain.sendall(GATHER_MOST.to_bytes(4, "big"))
        whole = bytes(GATHER_MOST)
        plain.sendall(whole)
        got = bytearray()
        while len(got) < GATHER_MOST and (part := plain.recv(1 << 16)):
            got += part
        assert got == whole
    for count in (GATHER_MOST + 1, (1 << 32) - 1):
        with _connect(server) as plain:
            plain.sendall(count.to_bytes(4, "big"))
            assert plain.recv(1) == b""


def test_deaf_reads_nothing_until_it_is_hung_up(echo: EchoServers) -> None:
    server = echo.plain("deaf")
    with _connect(server) as plain:
        plain.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 1 << 26:
                sent += plain.send(bytes(1 << 16))
        assert sent < 1 << 24, "more than what its case sends found room"
        assert [carried.length for carried in server.carried] == [0]
        server.hang_up()
        plain.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert plain.recv(1) == b""
