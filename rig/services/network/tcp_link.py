# SPDX-License-Identifier: MIT
"""One TCP connection through a proxy: its two sockets, and how each of them ends.

Owns back-pressure, half-closing, ends in good order and by a reset. Runs in the loop of ``LoopThread``. Who
accepts and connects is ``tcp_relay.py``'s; what is done with the bytes is the ``Joint``'s that a proxy makes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Final, Protocol

from rig.services.network.faults import Way

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


def _nothing(link: Link) -> None:
    del link
