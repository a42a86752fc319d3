# SPDX-License-Identifier: MIT
"""The image server over real sockets: addresses that are signed and end, ranges of bytes, small clients."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest

from rig.errors import RigFault
from rig.services.aws.byte_range import Unsatisfiable, read_range
from rig.services.aws.image_answers import HttpAnswer
from rig.services.aws.image_server import ImageServer
from rig.services.aws.job_desk import Order
from rig.services.aws.ota import OtaService
from rig.services.aws.ota_document import OfferedFile
from rig.services.aws.presigned import refusal, signed_path
from rig.services.handshake import server_context
from rig.services.pki import Authority
from tests.services.aws.ota_bench import NOW, PLACES

IMAGE = bytes(value * 11 % 249 for value in range(10_000))


class Shop:
    """The service with one stream of two files, its clock in the test's hand; not on MQTT."""

    def __init__(self, folder: Path) -> None:
        self.now = float(NOW)
        self.service = OtaService(folder, PLACES, now=lambda: self.now)
        files = [OfferedFile(number, 1, "") for number in (0, 1)]
        contents = {0: IMAGE, 1: b"slot b"}
        self.stream = self.service.desk.create(Order("thing-1", "http", files, contents))[1]

    def path(self, file: int = 0, lifetime_s: int = 60, stream: str | None = None) -> str:
        """A fresh address of a file, without its host."""
        return signed_path(self.service._secret, stream or self.stream, file, self.now, lifetime_s)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A service with images."""
    return Shop(tmp_path)


@pytest.fixture
def server(shop: Shop) -> Iterator[ImageServer]:
    """It on HTTP."""
    with ImageServer(shop.service.images.answer) as running:
        yield running
        running.check()


def _get(
    server: ImageServer, path: str, wanted: str | None = None, method: str = "GET"
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(server.endpoint.host, server.endpoint.port, timeout=10)
    connection.request(method, path, headers={"Range": wanted} if wanted else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_an_address_gets_its_file(server: ImageServer, shop: Shop) -> None:
    response, body = _get(server, shop.path())
    assert (response.status, body) == (200, IMAGE)
    assert response.getheader("accept-ranges") == "bytes"
    assert _get(server, shop.path(1))[1] == b"slot b"


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-4095", 0, 4_096),
        ("bytes=4096-8191", 4_096, 8_192),
        ("bytes=9999-", 9_999, 10_000),
        ("bytes=9000-20000", 9_000, 10_000),
        ("bytes=-10", 9_990, 10_000),
        ("bytes=-99999", 0, 10_000),
        ("Bytes = 5 - 9", 5, 10),
    ],
)
def test_a_range_is_partial_content(
    server: ImageServer, shop: Shop, wanted: str, first: int, end: int
) -> None:
    response, body = _get(server, shop.path(), wanted)
    assert (response.status, body) == (206, IMAGE[first:end])
    assert response.getheader("content-range") == f"bytes {first}-{end - 1}/10000"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,4-5", "bytes=9-5", "lines=0-1", "bytes=-", "bytes=a-b", "bytes=٠-١"]
)
def test_what_is_no_single_range_gets_the_whole(wanted: str) -> None:
    assert read_range(wanted, 10_000) is None


@pytest.mark.parametrize("wanted", ["bytes=10000-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_met(server: ImageServer, shop: Shop, wanted: str) -> None:
    response, _ = _get(server, shop.path(), wanted)
    assert response.status == 416
    assert response.getheader("content-range") == "bytes */10000"
    with pytest.raises(Unsatisfiable):
        read_range("bytes=0-", 0)


def test_an_address_ends(server: ImageServer, shop: Shop) -> None:
    path = shop.path(lifetime_s=60)
    shop.now += 59.9
    assert _get(server, path)[0].status == 200
    shop.now += 0.1
    response, body = _get(server, path)
    assert response.status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
    assert _get(server, shop.path())[0].status == 200


def test_a_signature_is_of_that_file_that_date_and_that_lifetime(server: ImageServer, shop: Shop) -> None:
    good = shop.path()
    wrong = [
        good.replace("/0?", "/1?"),
        good.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        good.replace("X-Amz-Expires=60", "X-Amz-Expires=x"),
        good.replace("X-Amz-Date=2023", "X-Amz-Date=2024"),
        good.replace("SHA256", "SHA1"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good[:-10],
        good[:-1] + "%C3%A9",
    ]
    for path in wrong:
        response, body = _get(server, path)
        assert (response.status, b"SignatureDoesNotMatch" in body) == (403, True), path
    for path in (good.split("?")[0], "/", "/x/y/z", good.rpartition("&")[0]):
        response, body = _get(server, path)
        assert (response.status, b"<Code>AccessDenied</Code>" in body) == (403, True), path
    other = signed_path(b"another secret", shop.stream, 0, shop.now, 60)
    assert _get(server, other)[0].status == 403


def test_only_get_is_signed(server: ImageServer, shop: Shop) -> None:
    for method in ("HEAD", "PUT", "POST", "DELETE"):
        assert _get(server, shop.path(), method=method)[0].status == 403
    assert _get(server, shop.path(), method="BREW")[0].status == 501


def test_a_file_that_is_not_there(server: ImageServer, shop: Shop) -> None:
    for path in (shop.path(7), shop.path(stream="none")):
        response, body = _get(server, path)
        assert (response.status, b"NoSuchKey" in body) == (404, True)


def test_the_secret_outlives_the_service(shop: Shop, tmp_path: Path) -> None:
    again = OtaService(tmp_path, PLACES, now=lambda: shop.now)
    with ImageServer(again.images.answer) as server:
        assert _get(server, shop.path())[1] == IMAGE


def test_small_clients_are_served(server: ImageServer, shop: Shop) -> None:
    """No Host header, names in lower case, two requests on one connection, HTTP/1.0."""
    with socket.create_connection((server.endpoint.host, server.endpoint.port), 10) as raw:
        file = raw.makefile("rb")
        for first in (0, 100):
            asked = f"GET {shop.path()} HTTP/1.1\r\nrange: bytes={first}-{first + 99}\r\n\r\n"
            raw.sendall(asked.encode())
            head = iter(lambda: file.readline().strip().decode(), "")
            status, *headers = list(head)
            assert " 206 " in status
            assert "content-length: 100" in headers
            assert not any(line.lower().startswith("transfer-encoding") for line in headers)
            assert file.read(100) == IMAGE[first : first + 100]
    with socket.create_connection((server.endpoint.host, server.endpoint.port), 10) as raw:
        raw.sendall(f"GET {shop.path(1)} HTTP/1.0\r\n\r\n".encode())
        assert raw.makefile("rb").read().endswith(b"\r\n\r\nslot b")


def test_rubbish_is_answered_and_harms_nobody(server: ImageServer, shop: Shop) -> None:
    for rubbish in (b"\r\n\r\n", b"\x16\x03\x01\x00\x05hello\r\n\r\n", b"GET " + b"x" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection((server.endpoint.host, server.endpoint.port), 10) as raw:
            raw.sendall(rubbish)
            raw.shutdown(socket.SHUT_WR)
            raw.makefile("rb").read()
    assert _get(server, shop.path())[0].status == 200


def test_it_serves_over_tls_without_a_clients_certificate(
    shop: Shop, authority: Authority, tmp_path: Path
) -> None:
    identity = authority.server().write(tmp_path)
    context = server_context(identity, authority, "none")
    with ImageServer(shop.service.images.answer, context=context) as server:
        trusting = ssl.create_default_context(cadata=authority.certificate)
        where = server.endpoint
        connection = HTTPSConnection(where.host, where.port, timeout=10, context=trusting)
        connection.request("GET", shop.path(), headers={"Range": "bytes=0-9"})
        assert connection.getresponse().read() == IMAGE[:10]
        connection.close()


def test_a_taken_port_is_said(server: ImageServer) -> None:
    with (
        pytest.raises(RigFault, match="the image server cannot listen on"),
        ImageServer(lambda *_: HttpAnswer(200), port=server.endpoint.port),
    ):
        pass


def test_a_date_is_never_read_of_what_is_not_signed() -> None:
    query = {"X-Amz-Signature": "x", "X-Amz-Date": "rubbish", "X-Amz-Expires": "-1"}
    assert refusal(b"s", "/a/0", query, 0) is not None
