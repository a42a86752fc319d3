# SPDX-License-Identifier: MIT
"""Accepts TCP connections and joins each with one to the service: the listening side of the proxies.

Owns the listener, and TLS on both sides where it is wanted. The two sockets of a connection are
``tcp_link.py``'s. All of it runs in the loop of ``LoopThread``.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from rig.errors import ToolFault
from rig.services.network.tcp_link import Joint, Leg, Link

_BACKLOG: Final = 64
_HANDSHAKE_S: Final = 15.0


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
        self.trouble: str | None = None
        """What broke here by no fault of a board or a service, if anything did."""
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
        asyncio.get_running_loop().set_exception_handler(self._heard)
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
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.trouble = self.trouble or _reason(error)

    def _heard(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a callback raised; a connection that was lost is nobody's trouble."""
        del loop
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.trouble = self.trouble or _reason(error)

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
