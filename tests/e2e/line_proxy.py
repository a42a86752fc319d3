# SPDX-License-Identifier: MIT
"""A man in the middle of a console: a TCP proxy between the rig and the UART of an emulated board.

What passes is changed by two functions of bytes. Like the wire it stands for it is there before power and
over power cycles.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

Filter = Callable[[bytes], bytes]


def unchanged(data: bytes) -> bytes:
    """The filter of a good wire."""
    return data


class LineProxy:
    """Passes bytes between whoever connects to ``url`` and ``upstream``. A context manager.

    ``from_board`` and ``to_board`` are called on the proxy's thread and may be replaced at any time.
    """

    def __init__(self, upstream: str, from_board: Filter = unchanged, to_board: Filter = unchanged) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self.from_board, self.to_board = from_board, to_board
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._wake, self._closer = socket.socketpair()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line-proxy")

    @property
    def url(self) -> str:
        """Where the rig connects."""
        return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> LineProxy:
        self._thread.start()
        self._ready.wait(5)  # the board must find its end of the wire taken when it is switched on
        return self

    def __exit__(self, *exc: object) -> None:
        self._closer.close()
        self._thread.join()
        self._listener.close()
        self._wake.close()

    def _run(self) -> None:
        with contextlib.suppress(_Closing, ConnectionError):
            while True:
                with socket.create_connection(self._upstream) as board:
                    self._ready.set()
                    self._wait(self._listener)
                    rig, _ = self._listener.accept()
                    with rig:
                        for end in (board, rig):
                            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        with contextlib.suppress(ConnectionError):
                            self._pump(board, rig)

    def _pump(self, board: socket.socket, rig: socket.socket) -> None:
        while True:
            for end in self._wait(board, rig):
                data = end.recv(65536)
                if not data:
                    return
                if end is board:
                    rig.sendall(self.from_board(data))
                else:
                    board.sendall(self.to_board(data))

    def _wait(self, *ends: socket.socket) -> list[socket.socket]:
        ready, _, _ = select.select([*ends, self._wake], [], [])
        if self._wake in ready:
            raise _Closing
        return ready


class _Closing(Exception):
    """The proxy is to end."""


class ByLine:
    """A filter that hands whole lines, with their end, to ``change``."""

    def __init__(self, change: Filter) -> None:
        self._change = change
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return b"".join(self._change(line + b"\n") for line in lines)


@contextlib.contextmanager
def proxied_session_links(from_board: Filter = unchanged) -> Iterator[list[LineProxy]]:
    """Sessions that are opened meanwhile have a proxy in their console; the list gets each."""
    from rig.bench import session

    original, proxies = session._links_of, []

    def links_of(board, inventory, state_dir, stack, arrangement, extra):  # type: ignore[no-untyped-def]
        power, port, probe_id = original(board, inventory, state_dir, stack, arrangement, extra)
        proxy = stack.enter_context(LineProxy(port, from_board))
        proxies.append(proxy)
        return power, proxy.url, probe_id

    session._links_of = links_of
    try:
        yield proxies
    finally:
        session._links_of = original
