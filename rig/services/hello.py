# SPDX-License-Identifier: MIT
"""What a TLS client offers: its ClientHello, read before the handshake (RFC 5246 section 7.4.1.2, RFC 6066).

Pure. Python's own TLS tells what was agreed on, not what was offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORD_HEADER: Final = 5

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _MAX_FRAGMENT, _ALPN = 0, 1, 16


@dataclass(frozen=True, slots=True)
class ClientHello:
    """The offer. ``version`` 0x0303 is TLS 1.2; ``suites`` are IANA's numbers in the client's order.

    ``server_name`` and ``max_fragment`` (2^(8+n) bytes) are None where the client sent none.
    """

    version: int
    suites: tuple[int, ...]
    extensions: tuple[int, ...]
    server_name: str | None
    protocols: tuple[str, ...]
    max_fragment: int | None


def read_hello(record: bytes) -> ClientHello | None:
    """The ClientHello that begins a connection; None where it is none, is cut off, or makes no sense."""
    try:
        return _read(record)
    except (IndexError, ValueError, UnicodeDecodeError):
        return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Reader:
        return _Reader(self.take(self.number(size)))

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def _read(record: bytes) -> ClientHello | None:
    reader = _Reader(record)
    if reader.number(1) != _HANDSHAKE:
        return None
    reader.take(2)
    body = reader.vector(2)
    if body.number(1) != _CLIENT_HELLO:
        return None
    hello = body.vector(3)
    version = hello.number(2)
    hello.take(32)  # random
    hello.vector(1)  # session
    offered = hello.vector(2).data
    suites = tuple(int.from_bytes(offered[i : i + 2], "big") for i in range(0, len(offered), 2))
    hello.vector(1)  # compression
    extensions: dict[int, bytes] = {}
    if hello.left:
        listed = hello.vector(2)
        while listed.left:
            kind = listed.number(2)
            extensions[kind] = listed.vector(2).data
    return ClientHello(
        version, suites, tuple(extensions), _server_name(extensions.get(_SERVER_NAME)),
        _protocols(extensions.get(_ALPN)), next(iter(extensions.get(_MAX_FRAGMENT, b"")), None),
    )  # fmt: skip


def _server_name(data: bytes | None) -> str | None:
    if data is None:
        return None
    names = _Reader(data).vector(2)
    names.take(1)  # host_name
    return names.vector(2).data.decode("ascii")


def _protocols(data: bytes | None) -> tuple[str, ...]:
    if data is None:
        return ()
    names, found = _Reader(data).vector(2), []
    while names.left:
        found.append(names.vector(1).data.decode("ascii"))
    return tuple(found)
