# SPDX-License-Identifier: MIT
"""HTTPS for small clients: bodies of stated length only, header names in lower case, no Host asked for.

Owns requests and who the client is by its certificate; what is served is a table of functions. A
client without a certificate is let in as nobody, so that it can be told 401; one with a certificate of
another CA is refused by TLS.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from rig.services.endpoint import LOOPBACK
from rig.services.web_server import WebServer

PROTOCOLS: Final = ("x-amzn-http-ca", "http/1.1")
"""What is agreed on by ALPN: AWS IoT takes client certificates on port 443 under the first name."""

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


class HttpsServer(WebServer):
    """Serves while the context is entered. Raises RigFault when the port is taken."""

    def __init__(
        self, context: ssl.SSLContext, routes: Sequence[Route], *, host: str = LOOPBACK, port: int = 0
    ) -> None:
        context.set_alpn_protocols(list(PROTOCOLS))
        served = tuple(routes)

        class Handler(_Handler):
            routes = served

        super().__init__("the HTTPS server", Handler, context=context, host=host, port=port)


class _Handler(BaseHTTPRequestHandler):
    """One connection; http.server reads the requests of it."""

    protocol_version = "HTTP/1.1"
    routes: tuple[Route, ...] = ()
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
        replies = (route(asked) for route in self.routes)
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
