# SPDX-License-Identifier: MIT
"""An HTTP server for small clients, with and without TLS: the port, connections, threads, and its troubles.

Owns nothing that is served: a handler of ``http.server`` does that, whose class is given.
"""

from __future__ import annotations

import socketserver
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from rig.errors import RigFault
from rig.services.endpoint import LOOPBACK, Endpoint

_IDLE_S: Final = 30.0
_LOOK_S: Final = 0.05


class WebServer:
    """Serves while the context is entered; with TLS where there is a ``context``. ``what`` names it.

    Raises RigFault when the port is taken.
    """

    def __init__(
        self,
        what: str,
        handler: type[BaseHTTPRequestHandler],
        *,
        context: ssl.SSLContext | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self._what = what
        self._handler = handler
        self._context = context
        self._where = (host, port)
        self._server: ConnectionServer
        self._thread: ServerThread

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(self._where[0], int(self._server.server_address[1]))

    def check(self) -> None:
        """Raises RigFault when a request could not be served by a fault of ours."""
        if self._server.trouble is not None:
            raise RigFault(f"{self._what} broke: {self._server.trouble}")

    def __enter__(self) -> Self:
        try:
            self._server = ConnectionServer(self._where, self._handler, self._context)
        except OSError as error:
            where = f"{self._where[0]}:{self._where[1]}"
            raise RigFault(f"{self._what} cannot listen on {where}: {error.strerror}") from error
        self._thread = ServerThread(self._server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.ended.set()
        self._thread.close()


class ConnectionServer(ThreadingHTTPServer):
    """What a handler gets as its ``server``. ``ended`` is set before it closes."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        where: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        context: ssl.SSLContext | None,
    ) -> None:
        self.context = context
        self.ended = threading.Event()
        self.trouble: str | None = None
        super().__init__(where, handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """TLS begins in the connection's own thread: a client that says nothing keeps nobody waiting."""
        request.settimeout(_IDLE_S)
        if self.context is None:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as stream:
            super().finish_request(stream, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, refuses, or asks for what is no address is no trouble of ours."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError | ValueError):
            self.trouble = self.trouble or f"{type(error).__name__}: {error}"


class ServerThread:
    """Has a server serve, from now until ``close``."""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it; blocks until it takes no more connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
