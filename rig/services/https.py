# SPDX-License-Identifier: MIT
"""HTTPS for small clients: bodies of stated length only, header names in lower case, no Host asked for.

Owns connections, TLS and who the client is by its certificate; what is served is a table of functions. A
client without a certificate is let in as nobody, so that it can be told 401; one with a certificate of
another CA is refused by TLS.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from rig.errors import RigFault
from rig.services.endpoint import LOOPBACK, Endpoint

PROTOCOLS: Final = ("x-amzn-http-ca", "http/1.1")
"""What is agreed on by ALPN: AWS IoT takes client certificates on port 443 under the first name."""

_IDLE_S: Final = 30.0
_LONGEST_BODY: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``client`` is the common name of the client's certificate, None without one."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    client: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and what is sent as JSON; bytes are sent as they are."""

    status: int
    content: Any


Route = Callable[[Asked], Reply | None]
"""Answers a request, or returns None where it is another's. Called from many threads; does not raise."""


class HttpsServer:
    """Serves while the context is entered. Raises RigFault when the port is taken."""

    def __init__(
        self, context: ssl.SSLContext, routes: Sequence[Route], *, host: str = LOOPBACK, port: int = 0
    ) -> None:
        context.set_alpn_protocols(list(PROTOCOLS))
        self._context = context
        self._routes = tuple(routes)
        self._where = (host, port)
        self._server: _Server
        self._thread: threading.Thread

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(self._where[0], int(self._server.server_address[1]))

    def check(self) -> None:
        """Raises RigFault when a request could not be served by a fault of ours."""
        if self._server.trouble is not None:
            raise RigFault(f"the HTTPS server broke: {self._server.trouble}")

    def __enter__(self) -> HttpsServer:
        try:
            self._server = _Server(self._where, self._context, self._routes)
        except OSError as error:
            where = f"{self._where[0]}:{self._where[1]}"
            raise RigFault(f"the HTTPS server cannot listen on {where}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """TLS begins in the connection's own thread: a client that says nothing keeps nobody waiting."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, where: tuple[str, int], context: ssl.SSLContext, routes: tuple[Route, ...]) -> None:
        self.context = context
        self.routes = routes
        self.trouble: str | None = None
        super().__init__(where, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_IDLE_S)
        with self.context.wrap_socket(request, server_side=True) as stream:
            _Handler(stream, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, refuses, or asks for what is no address is no trouble of ours."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError | ValueError):
            self.trouble = self.trouble or f"{type(error).__name__}: {error}"


class _Handler(BaseHTTPRequestHandler):
    """One connection; http.server reads the requests of it."""

    protocol_version = "HTTP/1.1"
    server: _Server
    connection: ssl.SSLSocket

    def handle_expect_100(self) -> bool:
        return True  # the body comes anyway; small clients know no interim answers

    def _serve(self) -> None:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _LONGEST_BODY or "transfer-encoding" in self.headers:
            self.close_connection = True
            return self._send(Reply(413 if length.isdecimal() else 400, _message("a body of stated length")))
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(length))
        asked = Asked(self.command, parts.path, query, body, self._client())
        replies = (route(asked) for route in self.server.routes)
        return self._send(next(filter(None, replies), Reply(404, _message("no such resource"))))

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = _serve

    def _send(self, reply: Reply) -> None:
        content = reply.content if isinstance(reply.content, bytes) else json.dumps(reply.content).encode()
        self.send_response(reply.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, in our form."""
        del explain
        self.close_connection = True
        self.request_version = self.protocol_version  # else a line without one is answered without a status
        with contextlib.suppress(OSError):
            self._send(Reply(code, _message(message or "bad request")))

    def _client(self) -> str | None:
        subject: Any = (self.connection.getpeercert() or {}).get("subject", ())
        return dict(pair for part in subject for pair in part).get("commonName")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked of a service is seen by the suites."""


def _message(text: str) -> dict[str, str]:
    return {"message": text}
