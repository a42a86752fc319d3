# SPDX-License-Identifier: MIT
"""Greengrass discovery over HTTPS, also for clients that know little of HTTP."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.deadline import Deadline, poll
from rig.errors import RigFault
from rig.services.aws.discovery import PATH, Discovery, Group
from rig.services.endpoint import Endpoint
from rig.services.handshake import server_context
from rig.services.https import Asked, HttpsServer, Reply
from rig.services.pki import Authority, IdentityFiles
from tests.services.conftest import THING


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    """A server that knows a group of one thing."""
    identity = authority.server().write(tmp_path_factory.mktemp("https"))
    group = Group("g1", "core-1", (Endpoint("mqtt.rig.test", 8883),), (authority.certificate,))
    groups = Discovery({THING: [group], "thing-2": []})
    with HttpsServer(server_context(identity, authority, "wanted"), [groups]) as running:
        yield running


class Raw:
    """A TLS connection on which every byte is the test's own."""

    def __init__(
        self,
        server: HttpsServer,
        authority: Authority,
        identity: IdentityFiles | None,
        alpn: str | None = None,
    ) -> None:
        context = ssl.create_default_context(cadata=authority.certificate)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.private_key)
        if alpn is not None:
            context.set_alpn_protocols([alpn])
        raw = socket.create_connection((server.endpoint.host, server.endpoint.port), 10)
        self.stream = context.wrap_socket(raw, server_hostname="https.rig.test")
        self._file = self.stream.makefile("rb")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.stream.close()

    def ask(self, text: str) -> tuple[int, dict[str, str], Any]:
        """Sends it and reads one reply by its ``content-length:``, in lower case, as small clients do."""
        self.stream.sendall(text.encode())
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        return status, headers, json.loads(self._file.read(int(headers["content-length"])))


def test_a_thing_finds_its_cores(server: HttpsServer, authority: Authority, thing: IdentityFiles) -> None:
    with Raw(server, authority, thing) as raw:
        status, headers, said = raw.ask(f"GET {PATH}{THING} HTTP/1.1\r\n\r\n")  # no Host header
    assert status == 200
    assert "Transfer-Encoding" not in headers
    (group,) = said["GGGroups"]
    assert group["GGGroupId"] == "g1"
    assert group["CAs"] == [authority.certificate]
    (core,) = group["Cores"]
    assert core["thingArn"].endswith(":thing/core-1")
    assert core["Connectivity"] == [
        {"Id": "way-0", "HostAddress": "mqtt.rig.test", "PortNumber": 8883, "Metadata": ""}
    ]


def test_one_connection_bears_many_requests(
    server: HttpsServer, authority: Authority, thing: IdentityFiles
) -> None:
    with Raw(server, authority, thing) as raw:
        assert [raw.ask(f"GET {PATH}{THING} HTTP/1.1\r\nHost: x\r\n\r\n")[0] for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("alpn", ["x-amzn-http-ca", "http/1.1", None])
def test_it_speaks_the_protocol_name_of_port_443(
    server: HttpsServer, authority: Authority, thing: IdentityFiles, alpn: str | None
) -> None:
    with Raw(server, authority, thing, alpn) as raw:
        assert raw.stream.selected_alpn_protocol() == alpn
        assert raw.ask(f"GET {PATH}{THING} HTTP/1.0\r\n\r\n")[0] == 200


@pytest.mark.parametrize(
    ("who", "request_line", "status"),
    [
        ("thing-1", f"GET {PATH}nobody", 404),
        ("thing-2", f"GET {PATH}thing-2", 404),  # known, but in no group
        ("thing-2", f"GET {PATH}{THING}", 403),
        (None, f"GET {PATH}{THING}", 401),
        ("thing-1", f"POST {PATH}{THING}", 405),
        ("thing-1", "GET /elsewhere", 404),
        ("thing-1", f"BREW {PATH}{THING}", 501),
    ],
)
def test_who_asks_for_what_else_is_told(
    server: HttpsServer, authority: Authority, tmp_path: Path, who: str | None, request_line: str, status: int
) -> None:
    identity = authority.device(who).write(tmp_path) if who else None
    with Raw(server, authority, identity) as raw:
        got, _, said = raw.ask(f"{request_line} HTTP/1.1\r\n\r\n")
    assert got == status
    assert said["message"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 505),
        (f"GET /{'x' * 70_000} HTTP/1.1\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\n" + "x: y\r\n" * 200 + "\r\n", 431),
        ("GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    ],
)
def test_what_is_no_request_is_refused(
    server: HttpsServer, authority: Authority, thing: IdentityFiles, text: str, status: int
) -> None:
    with Raw(server, authority, thing) as raw:
        got, _, said = raw.ask(text)
    assert (got, bool(said["message"])) == (status, True)


def test_a_certificate_of_another_ca_is_refused_by_tls(
    server: HttpsServer, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.create().device(THING).write(tmp_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Raw(server, authority, stranger)


def test_a_client_that_says_nothing_keeps_nobody_waiting(
    server: HttpsServer, authority: Authority, thing: IdentityFiles
) -> None:
    where = (server.endpoint.host, server.endpoint.port)
    with socket.create_connection(where), Raw(server, authority, thing) as raw:
        assert raw.ask(f"GET {PATH}{THING} HTTP/1.1\r\n\r\n")[0] == 200


def test_a_taken_port_is_said(server: HttpsServer, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.server().write(tmp_path), authority)
    with pytest.raises(RigFault, match="the HTTPS server cannot listen on 127"):
        HttpsServer(context, [], port=server.endpoint.port).__enter__()


def test_a_route_that_breaks_is_told(authority: Authority, tmp_path: Path) -> None:
    """To the client it looks as if the server had gone; whose fault that is the server knows."""

    def broken(_: Asked) -> Reply | None:
        raise ZeroDivisionError

    context = server_context(authority.server().write(tmp_path), authority, "wanted")
    with HttpsServer(context, [broken]) as running:
        running.check()
        with Raw(running, authority, None) as client:
            client.stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.stream.recv(1) == b""
        said: list[str] = []

        def told() -> bool:  # the client may see the end before the server has noted why
            try:
                running.check()
            except RigFault as fault:
                said.append(str(fault))
            return bool(said)

        assert poll(told, Deadline.after(10))
        assert said[0].startswith("the HTTPS server broke: ZeroDivisionError")
