# SPDX-License-Identifier: MIT
"""A console port behind which no board is: it answers as the transcript of a case has it.

Owns the socket and which step of the tape answers what, also which follows what is done beside the console. A
request that the tape does not have is refused with the code ``unplayed``: the suite asks for something that
was not asked then.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Final

from rig.events import Event
from rig.links.tape import RESET, Step, request_of
from rig.links.wire import frame_line

UNPLAYED: Final = "unplayed"
_PIECE: Final = 65536


class ConsolePlayer:
    """A context manager; its ``url`` is a console port. One client at a time; a next one takes its place.

    What is said while there is none is said to who comes next: one that connects is not yet accepted then.

    ``on_seen`` is given what was seen beside the console in a step, before the console says what belongs to
    it, so that who has an answer has the packets too. From any thread.
    """

    def __init__(self, on_seen: Callable[[Sequence[Event]], None] = lambda _: None) -> None:
        self._on_seen = on_seen
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._client: socket.socket | None = None
        self._unsaid = b""
        self._answered: dict[int, bytes] = {}
        self._thread = threading.Thread(target=self._serve, name="console-player", daemon=True)

    def __enter__(self) -> ConsolePlayer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._hang_up()
        self._thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        """Where the console is."""
        return "socket://{}:{}".format(*self._listener.getsockname())

    def load(self, steps: tuple[Step, ...]) -> None:
        """Plays another case from here on."""
        with self._lock:
            self._steps = list(steps)

    def reset(self) -> bool:
        """Says what the board said after its next reset; False where it was not reset again."""
        return self.act(RESET) is not None

    def act(self, what: str) -> Step | None:
        """Plays what followed when the rig did this (``mqtt_acts.py``); None where it did not do it again."""
        with self._lock:
            step = self._next(what)
        if step is not None:
            self._on_seen(step.seen)
            self._say(step.said)
        return step

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock, contextlib.suppress(OSError):
                self._client, unsaid, self._unsaid = client, self._unsaid, b""
                client.sendall(unsaid)
            with contextlib.suppress(OSError):
                self._listen(client)
            self._hang_up()

    def _listen(self, client: socket.socket) -> None:
        held = b""
        while data := client.recv(_PIECE):
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                self._hear(line.decode("ascii", "replace"))

    def _hear(self, line: str) -> None:
        request, seq = request_of(line)
        if seq in self._answered:  # the rig repeats what it has no answer to yet
            self._say(self._answered[seq])
            return
        with self._lock:
            step = self._next(request)
        if step is not None:
            self._on_seen(step.seen)
            answer = step.answer(seq)
        else:
            answer = frame_line("$", f"{seq}.0 err code={UNPLAYED} msg=not.asked.in.this.case", "\r\n")
        if seq:
            self._answered = {seq: answer}
        self._say(answer)

    def _next(self, request: str) -> Step | None:
        """The next step that answers; those before it are over. With other arguments: one of its command."""
        for asked in (request, request.partition(" ")[0]):
            for at, step in enumerate(self._steps):
                if step.request == asked or (asked != request and step.request.partition(" ")[0] == asked):
                    del self._steps[: at + 1]
                    return step
        return None

    def _say(self, data: bytes) -> None:
        with self._lock:
            client = self._client
            if client is None:
                self._unsaid += data
        if client is not None:
            with contextlib.suppress(OSError):
                client.sendall(data)

    def _hang_up(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
