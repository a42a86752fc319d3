# SPDX-License-Identifier: MIT
"""The HTTP server of images, with and without TLS: reads requests, and sends as the answer says.

Made for small clients: header names in lower case, bodies of stated length, no Host asked for.
"""

from __future__ import annotations

import contextlib
import http.server
import ssl
from collections.abc import Callable
from typing import Any, Final

from rig.services.aws.image_answers import HttpAnswer, error
from rig.services.endpoint import LOOPBACK
from rig.services.web_server import ConnectionServer, WebServer

Answer = Callable[[str, str, str | None], HttpAnswer]
"""Takes method, target and Range of a request. Called from many threads."""

_SLICE_S: Final = 0.05


class ImageServer(WebServer):
    """Serves while the context is entered; with TLS where there is a ``context``. Raises RigFault."""

    def __init__(
        self, answer: Answer, *, context: ssl.SSLContext | None = None, host: str = LOOPBACK, port: int = 0
    ) -> None:
        class Handler(_Handler):
            ask = staticmethod(answer)

        super().__init__("the image server", Handler, context=context, host=host, port=port)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ConnectionServer
    ask: Answer

    def _serve(self) -> None:
        if self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers:
            self.close_connection = True  # a body is not read
        answer = self.ask(self.command, self.path, self.headers.get("range"))
        if answer.silent:
            self.rfile.read(1)  # until the client goes, says more, or the connection has been idle too long
        if answer.silent or not answer.times:
            self.close_connection = True
            return
        for _ in range(answer.times):
            self._send(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _send(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.bytes_per_s is None:
            self.wfile.write(answer.body)
        else:
            self._send_slowly(answer.body, answer.bytes_per_s)

    def _send_slowly(self, body: bytes, bytes_per_s: float) -> None:
        size = max(1, int(bytes_per_s * _SLICE_S))
        for first in range(0, len(body), size):
            part = body[first : first + size]
            if self.server.ended.wait(len(part) / bytes_per_s):
                self.close_connection = True
                return
            self.wfile.write(part)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, in our form."""
        del explain
        self.close_connection = True
        self.request_version = self.protocol_version
        with contextlib.suppress(OSError):
            self._send(error(code, "InvalidRequest", message or "bad request"))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked for is counted by who answers."""
