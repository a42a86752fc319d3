# SPDX-License-Identifier: MIT
"""Accepts connections and joins each with one to the service: the sockets of every proxy.

Owns listening, the two sockets of a connection, how they end (in good order or by a reset), back-pressure,
and TLS on both sides where it is wanted. What is done with the bytes is the ``Joint``'s that the proxy makes
for each connection. All of it runs in the loop of ``LoopThread``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, Protocol

from rig.errors import ToolFault
from rig.services.network.faults import Way

_BACKLOG: Final = 64
_HANDSHAKE_S: Final = 15.0
_LEAVE_S: Final = 2.0
_NO_LINGER: Final = struct.pack("ii", 1, 0)  # close() sends RST and forgets what is unsent


class Joint(Protocol):
    """What a proxy does with one connection. Called in the loop; must not block."""

    def received(self, way: Way, data: bytes) -> None:
        """Bytes came from the board (``up``) or from the service (``down``)."""
        ...

    def ended(self, way: Way) -> None:
        """That side will send no more."""
        ...

    def lost(self) -> None:
        """The connection is gone, both ways."""
        ...


class Leg(asyncio.Protocol):
    """One socket of a connection, read and written as it comes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.joined: Link | None = None
        self.way: Way = "up"
        self.gone = False
        self._holds = 0
        self._leaving = self._said_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.pause_reading()  # until it is joined

    def data_received(self, data: bytes) -> None:
        if self.joined is not None and not self._leaving:
            self.joined.joint.received(self.way, data)

    def eof_received(self) -> bool:
        if self.joined is not None and not self._leaving:
            self.joined.joint.ended(self.way)
        return not self._leaving and not self._encrypted  # a half of TLS cannot be closed alone

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        if self.joined is not None:
            self.joined.leg_lost(self, error)

    def pause_writing(self) -> None:
        if self.joined is not None:
            self.joined.other(self).hold(True)

    def resume_writing(self) -> None:
        if self.joined is not None:
            self.joined.other(self).hold(False)

    def hold(self, full: bool) -> None:
        """Counts the reasons for which this side must wait with sending."""
        self._holds = max(0, self._holds + (1 if full else -1))
        if self.transport is None or self.transport.is_closing():
            return
        if self._holds and not self._leaving:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    @property
    def _encrypted(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

    def write(self, data: bytes) -> None:
        """Sends, or does nothing where the socket is gone."""
        if data and self.transport is not None and not self.transport.is_closing() and not self._said_last:
            self.transport.write(data)

    def end(self) -> None:
        """No more bytes will be sent this way."""
        if self.transport is None or self.transport.is_closing() or self._said_last:
            return
        self._said_last = True
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):
                self.transport.write_eof()
        else:
            self.transport.close()

    def close(self) -> None:
        """In good order, when all is sent; what still comes is read away, else the kernel sends a reset."""
        if self.transport is None or self.transport.is_closing() or self._leaving:
            return
        self._leaving = True
        self.end()
        if not self.transport.is_closing():
            self.transport.resume_reading()
            asyncio.get_running_loop().call_later(_LEAVE_S, self.transport.close)

    def reset(self) -> None:
        """At once, by a TCP reset."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):  # it has no socket any more
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class Link:
    """A connection: the board's socket (``near``) and the service's (``far``)."""

    def __init__(self, number: int, near: Leg, peer: str) -> None:
        self.number = number
        self.peer = peer
        self.near = near
        self.far = Leg()
        self.far.way = "down"
        self.joint: Joint
        self.near_name = ""
        self.over = False
        self.accepted_ns = time.monotonic_ns()
        self.ended_by: Way | None = None
        """Whose side was the first to end, if the proxy did not."""
        self.keep_near = False
        """The board's socket stays when the service's goes (half-open)."""
        self.forget: Callable[[Link], None] = _nothing
        self._ended: set[Way] = set()

    def other(self, leg: Leg) -> Leg:
        """The socket at the other side."""
        return self.far if leg is self.near else self.near

    def leg_lost(self, leg: Leg, error: Exception | None) -> None:
        """A socket has gone; the other follows, in the same way."""
        if self.keep_near and leg is self.far:
            return
        self.ended_by = self.ended_by or leg.way
        if isinstance(error, ConnectionError):
            self.other(leg).reset()
        else:
            self.other(leg).close()
        self.finish()

    def way_ended(self, way: Way) -> None:
        """Nothing more comes that way; when that is so of both, the connection is over."""
        self.ended_by = self.ended_by or way
        (self.far if way == "up" else self.near).end()
        self._ended.add(way)
        if len(self._ended) == 2:
            self.end(reset=False)

    def finish(self) -> None:
        """Says once that it is over."""
        if not self.over:
            self.over = True
            self.forget(self)
            self.joint.lost()

    def end(self, reset: bool) -> None:
        """Ends both sockets."""
        for leg in (self.near, self.far):
            if reset:
                leg.reset()
            else:
                leg.close()
        self.finish()


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the service is. ``tls`` gives the context for a client that showed this common name."""

    host: str
    port: int
    tls: Callable[[str], ssl.SSLContext] | None = None
    server_name: str | None = None


class Relay:
    """Listens on a free port of ``host`` and joins. ``start`` and ``stop`` run in the loop.

    ``join`` makes what handles a connection, or None to refuse it. ``refused`` is told why a connection came
    to nothing: (number, peer, reason).
    """

    def __init__(
        self,
        upstream: Upstream,
        join: Callable[[Link], Joint | None],
        refused: Callable[[int, str, str], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream = upstream
        self.links: list[Link] = []
        self._join, self._refused, self._tls = join, refused, tls
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._legs: list[Leg] = []
        self._count = 0

    @property
    def port(self) -> int:
        """The port that boards connect to."""
        assert self._listener is not None
        port: int = self._listener.getsockname()[1]
        return port

    async def start(self) -> None:
        """Raises ToolFault where the port is taken."""
        try:
            self._listener = socket.create_server(self._address, backlog=_BACKLOG)
        except OSError as error:
            host, port = self._address
            raise ToolFault(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._listener.setblocking(False)
        self._begin(self._accept(self._listener))

    async def stop(self) -> None:
        """Ends listening and every connection, by resets."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for link in list(self.links):
            link.end(reset=True)
        for leg in self._legs:
            leg.reset()
        while any(leg.transport is not None and not leg.gone for leg in self._legs):
            await asyncio.sleep(0)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, address = await loop.sock_accept(listener)
            self._count += 1
            self._begin(self._serve(connection, f"{address[0]}:{address[1]}", self._count))

    async def _serve(self, connection: socket.socket, peer: str, number: int) -> None:
        near = Leg()
        link = Link(number, near, peer)
        self._legs = [leg for leg in self._legs if not leg.gone] + [link.near, link.far]
        try:
            await self._connect(link, connection)
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError and TimeoutError are OSErrors
            near.reset()
            link.far.reset()
            connection.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            self._refused(number, peer, _reason(error))
            return
        joint = self._join(link)
        if joint is None:
            link.near.reset()
            link.far.reset()
            return
        self._joined(link, joint)

    async def _connect(self, link: Link, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        near, far, upstream = link.near, link.far, self.upstream
        limit = _HANDSHAKE_S if self._tls else None
        await loop.connect_accepted_socket(
            lambda: near, connection, ssl=self._tls, ssl_handshake_timeout=limit
        )
        assert near.transport is not None
        link.near_name = common_name(near.transport.get_extra_info("peercert"))
        context = upstream.tls(link.near_name) if upstream.tls else None
        await loop.create_connection(
            lambda: far, upstream.host, upstream.port, ssl=context,
            server_hostname=upstream.server_name if context else None,
        )  # fmt: skip

    def _joined(self, link: Link, joint: Joint) -> None:
        link.joint = joint
        self.links.append(link)
        link.forget = self.links.remove
        for leg in (link.near, link.far):
            leg.joined = link
            assert leg.transport is not None
            if leg.transport.is_closing():  # it went between its handshake and now
                leg.connection_lost(None)
            else:
                leg.transport.resume_reading()


def _nothing(link: Link) -> None:
    del link


def common_name(certificate: object) -> str:
    """The subject's common name in a certificate as ``ssl`` shows it; empty without one."""
    if not isinstance(certificate, dict):
        return ""
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return str(names[0]) if names else ""


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
