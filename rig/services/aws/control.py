# SPDX-License-Identifier: MIT
"""The control socket of a service: a UNIX socket of this user, a line of JSON each way.

``{"do": WORD, …}`` is answered by ``{"done": …}``, or ``{"refused": …, "hint": …}`` for a person's mistake,
or ``{"broken": …}``. ``{"do": "watch", "since": N}`` is answered by a line for every event after number N,
and by an empty one now and then, for as long as the connection is there. Owns no order.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rig.errors import RigError, UsageFault
from rig.services.aws.history import History

_BEAT_S: Final = 0.2


class ControlServer:
    """Answers while the context is entered."""

    def __init__(
        self, path: Path, words: Mapping[str, Callable[..., Any]], history: History, after: Callable[[], None]
    ) -> None:
        """``after`` is called when an order has been done."""
        path.unlink(missing_ok=True)  # of one that was killed
        self._server = _Server(str(path), words, history, after)
        path.chmod(0o600)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> ControlServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, path: str, words: Mapping[str, Callable[..., Any]], history: History, after: Callable[[], None]
    ) -> None:
        self.words = words
        self.history = history
        self.after = after
        self.ended = threading.Event()
        super().__init__(path, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no trouble."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        for line in self.rfile:
            asked = json.loads(line)
            word = asked.pop("do")
            if word == "watch":
                for event in self._events(**asked):
                    self._say(event)
                return
            self._say(self._done(word, asked))

    def _done(self, word: str, asked: dict[str, Any]) -> Mapping[str, Any]:
        try:
            if word not in self.server.words:
                raise UsageFault(f"no order {word!r}; there are: {', '.join(self.server.words)}")
            done = self.server.words[word](**asked)
            self.server.after()
        except UsageFault as fault:
            return {"refused": fault.message, "hint": fault.hint}
        except RigError as fault:
            return {"broken": str(fault)}
        except Exception as error:  # noqa: BLE001  told to who asked, who has the means to say it
            return {"broken": f"{type(error).__name__}: {error}"}
        return {"done": done}

    def _events(self, since: int = 0) -> Iterator[Mapping[str, Any] | None]:
        while not self.server.ended.is_set():
            events = self.server.history.since(since)
            yield from events
            since = events[-1]["number"] if events else since
            yield None
            if not events:
                self.server.history.wait(_BEAT_S)

    def _say(self, told: Mapping[str, Any] | None) -> None:
        self.wfile.write((json.dumps(told) if told is not None else "").encode() + b"\n")
