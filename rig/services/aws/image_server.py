# SPDX-License-Identifier: MIT
"""The HTTP server of images, with and without TLS: connections, and sending as the answer says.

Made for small clients: header names in lower case, bodies of stated length, no Host asked for.
"""

from __future__ import annotations

import contextlib
import http.server
import ssl
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from rig.errors import RigFault
from rig.services.aws.image_answers import HttpAnswer, error
from rig.services.endpoint import LOOPBACK, Endpoint

Answer = Callable[[str, str, str | None], HttpAnswer]
"""Takes method, target and Range of a request. Called from many threads."""

_IDLE_S: Final = 60.0
_SLICE_S: Final = 0.05


class ImageServer:
    """Serves while the context is entered; with TLS where there is a ``context``. Raises RigFault."""

    def __init__(
        self, answer: Answer, *, context: ssl.SSLContext | None = None, host: str = LOOPBACK, port: int = 0
    ) -> None:
        self._answer = answer
        self._context = context
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
            raise RigFault(f"the image server broke: {self._server.trouble}")

    def __enter__(self) -> ImageServer:
        try:
            self._server = _Server(self._where, self._context, self._answer)
        except OSError as error:
            where = f"{self._where[0]}:{self._where[1]}"
            raise RigFault(f"the image server cannot listen on {where}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, where: tuple[str, int], context: ssl.SSLContext | None, answer: Answer) -> None:
        self.context = context
        self.answer = answer
        self.ended = threading.Event()
        self.trouble: str | None = None
        super().__init__(where, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """TLS begins in the connection's own thread: a client that says nothing keeps nobody waiting."""
        request.settimeout(_IDLE_S)
        if self.context is None:
            _Handler(request, client_address, self)
            return
        with self.context.wrap_socket(request, server_side=True) as stream:
            _Handler(stream, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, refuses, or asks for what is no address is no trouble of ours."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError | ValueError):
            self.trouble = self.trouble or f"{type(error).__name__}: {error}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        if self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers:
            self.close_connection = True  # a body is not read
        answer = self.server.answer(self.command, self.path, self.headers.get("range"))
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
