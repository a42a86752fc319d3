# SPDX-License-Identifier: MIT
"""A console behind a serial port server that speaks RFC 2217: ``rfc2217://HOST:PORT``, baud rate negotiated.

Owns what goes over the connection and in which order; what telnet commands mean is ``console_telnet.py``'s.
"""

from __future__ import annotations

import contextlib
import threading

from rig.links.console_endpoint import Opening
from rig.links.console_socket import SocketEndpoint
from rig.links.console_telnet import Negotiation, Unquoter, quoted

_READ_BYTES = 64 * 1024
_SAID_MAX = 200


class Rfc2217Endpoint:
    """See Endpoint. Open once the server has set its port up as asked; until then what comes is kept.

    What comes while the server agrees is the board's, and is the first thing that ``read`` returns. If the
    server hangs up instead, it was the server's own word, and is in the error.
    """

    def __init__(self, url: str, baud: int) -> None:
        self.name = url
        self._baud = baud
        self._tcp = SocketEndpoint(url)
        self._begin_anew()
        self._sending = threading.Lock()
        """Answers are sent by who reads, data by who writes."""

    def _begin_anew(self) -> None:
        self._connected = False
        self._unquoter = Unquoter()
        self._negotiation = Negotiation(self._baud)
        self._early = b""
        self._owed = b""  # to be sent before anything else
        self._half_sent = False

    def prepare(self) -> None:
        """See Endpoint."""
        self._tcp.prepare()

    def fileno(self) -> int:
        """See Endpoint."""
        return self._tcp.fileno()

    def close(self) -> None:
        """See Endpoint."""
        self._tcp.close()

    def open(self) -> Opening:
        """See Endpoint."""
        self._begin_anew()
        opening = self._tcp.open()
        return self._greet() if opening is Opening.OPEN else opening

    def finish(self) -> Opening:
        """See Endpoint."""
        if not self._connected:
            self._tcp.finish()
            return self._greet()
        try:
            data = self._tcp.read(_READ_BYTES)
        except BlockingIOError:
            return Opening.NEGOTIATING
        except ConnectionError as error:  # its words came before
            raise ConnectionRefusedError(self._hung_up()) from error
        if not data:
            raise ConnectionRefusedError(self._hung_up())
        self._early += self._take(data)
        if self._negotiation.refusal:
            raise ConnectionRefusedError(f"{self.name}: {self._negotiation.refusal}")
        return Opening.OPEN if self._negotiation.done else Opening.NEGOTIATING

    def read(self, limit: int) -> bytes | None:
        """See Endpoint."""
        if self._early:
            early, self._early = self._early, b""
            return early
        data = self._tcp.read(limit)
        return (self._take(data) or None) if data else b""

    def write(self, data: bytes) -> int:
        """See Endpoint. A byte that was sent by half counts as not sent, until it is offered again."""
        with self._sending:
            if self._negotiation.suspended or not self._pay():
                return 0
            again = self._half_sent and data.startswith(b"\xff")
            self._half_sent = False
            rest = data[1:] if again else data
            whole, half = _sent(rest, self._send(quoted(rest)) if rest else 0)
            if half:
                self._owed, self._half_sent = b"\xff", True
            return whole + again

    def _greet(self) -> Opening:
        self._connected = True
        self._answer(self._negotiation.begin())
        return Opening.NEGOTIATING

    def _take(self, data: bytes) -> bytes:
        """Answers the commands in what came; returns the board's part of it."""
        said, commands = self._unquoter.feed(data)
        if commands:
            self._answer(b"".join(map(self._negotiation.hear, commands)))
        return said

    def _answer(self, data: bytes) -> None:
        with self._sending, contextlib.suppress(ConnectionError):  # reading tells of it, and why
            self._owed += data
            self._pay()

    def _pay(self) -> bool:
        """Sends what is owed; whether nothing is owed any more. What is not taken is sent the next time."""
        if self._owed:
            self._owed = self._owed[self._send(self._owed) :]
        return not self._owed

    def _send(self, data: bytes) -> int:
        with contextlib.suppress(BlockingIOError):
            return self._tcp.write(data)
        return 0

    def _hung_up(self) -> str:
        said = self._early.decode("utf-8", "backslashreplace").strip()[:_SAID_MAX]
        return f"{self.name}: the server hung up" + (f", saying {said!r}" if said else "")


def _sent(data: bytes, quoted_count: int) -> tuple[int, bool]:
    """How many bytes went out whole, when so many did of their quoted form; and whether half a byte did."""
    if quoted_count == len(data) + data.count(b"\xff"):
        return len(data), False
    whole = 0
    while quoted_count >= (size := 1 + (data[whole : whole + 1] == b"\xff")) and whole < len(data):
        whole += 1
        quoted_count -= size
    return whole, quoted_count > 0
