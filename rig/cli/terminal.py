# SPDX-License-Identifier: MIT
"""The body of ``rig console BOARD``: a terminal session with a board, for a person or for a pipe.

What is typed goes to the board line by line as plain commands (``help`` answers). What the board says is
printed line by line, with terminal control characters escaped: a board must not be able to clear the screen,
retitle the window or type answers. Owns no port and no options.
"""

from __future__ import annotations

import sys
import threading
from typing import Protocol, TextIO

from rig.deadline import Deadline
from rig.errors import BoardSilent, LinkLost
from rig.links.interfaces import Mark
from rig.links.wire import Frame, Splitter, crc16

ANSWER_S = 5.0
"""How long the first byte of an answer to a piped line may take."""

_BETWEEN_S = 0.1  # of quiet before the next piped line is sent: a board's receive buffer is small
_END_S = 0.5  # of quiet after the last one
_LONGEST_S = 10.0  # of one answer: a board that never stops talking is cut off
_TICK_S = 0.1
_UNENDED_TICKS = 5  # of quiet, after which a line without end (a prompt) is shown


class Terminal(Protocol):
    """What of a console a terminal session needs; ``ConsoleLink`` has it."""

    board: str

    @property
    def connected(self) -> bool:
        """Whether the port is open now."""
        ...

    def mark(self) -> Mark:
        """The place where the stream ends now."""
        ...

    def read(self, since: Mark, deadline: Deadline) -> tuple[bytes, Mark]:
        """Blocks for bytes after ``since``; returns them and the place after them."""
        ...

    def send_raw(self, data: bytes) -> None:
        """Writes bytes as they are."""
        ...

    def evidence(self, mark: Mark | None = None) -> str:
        """Where a mark stands."""
        ...


def run_console(
    console: Terminal, stdin: TextIO, stdout: TextIO, *, raw: bool, since: Mark | None = None
) -> int:
    """Talks until the input ends (Ctrl-D), Ctrl-C, or the output is closed. Returns 0.

    Input that is no terminal is sent line by line, each after the answer to the one before. Raises
    BoardSilent if such a line gets no answer at all, LinkLost if the port is gone. ``since``: where to begin
    printing (default: now). ``raw`` shows frames as they are; else events are shown readably, replies to
    programs not.
    """
    try:
        with _Printer(console, stdout, since or console.mark(), raw=raw) as printer:
            if stdin.isatty():
                _talk(console, stdin, printer)
            else:
                _ask(console, stdin, printer)
    except KeyboardInterrupt:
        return 0
    return 0


def escaped(text: bytes) -> str:
    """One line for a terminal: control characters and bytes that are no UTF-8 as ``\\xNN``; tabs stay."""
    decoded = text.decode("utf-8", "backslashreplace")
    return "".join(
        char if char == "\t" or char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in decoded
    )


def _talk(console: Terminal, stdin: TextIO, printer: _Printer) -> None:
    """A person types: a port that is gone is remarked, and the session goes on."""
    while not printer.closed and (line := stdin.readline()):
        try:
            console.send_raw(_as_sent(line))
        except LinkLost as error:
            printer.note(str(error))


def _ask(console: Terminal, stdin: TextIO, printer: _Printer) -> None:
    """A pipe: one line, its answer, the next line."""
    mark = console.mark()
    while not printer.closed and (line := stdin.readline()):
        mark = console.mark()
        console.send_raw(_as_sent(line))
        mark = _await_answer(console, mark)
    _await_quiet(console, mark, _END_S)


def _as_sent(line: str) -> bytes:
    return line.rstrip("\r\n").encode("utf-8", "surrogateescape") + b"\n"


def _await_answer(console: Terminal, mark: Mark) -> Mark:
    data, after = console.read(mark, Deadline.after(ANSWER_S))
    if not data:
        raise BoardSilent(
            f"expected an answer in {ANSWER_S:.1f} s, nothing came",
            board=console.board,
            evidence=console.evidence(),
        )
    return _await_quiet(console, after, _BETWEEN_S)


def _await_quiet(console: Terminal, mark: Mark, quiet_s: float) -> Mark:
    longest = Deadline.after(_LONGEST_S)
    data = b"?"
    while data and not longest.expired:
        data, mark = console.read(mark, longest.sooner(quiet_s))
    return mark


class _Printer:
    """Prints on a thread of its own what the board says within the ``with`` block."""

    def __init__(self, console: Terminal, stdout: TextIO, since: Mark, *, raw: bool) -> None:
        self._console = console
        self._stdout = stdout
        self._raw = raw
        self._splitter = Splitter()
        self._mark = since
        self._idle_ticks = 0
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="console-printer")
        self.closed = False
        """The output was closed by whoever read it (``| head``)."""

    def __enter__(self) -> _Printer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending.set()
        self._thread.join()

    def note(self, text: str) -> None:
        """Prints a remark of the rig."""
        self._print(f"[{text}]")

    def _run(self) -> None:
        connected = self._console.connected
        while not self.closed:
            ending = self._ending.is_set()
            data, self._mark = self._console.read(self._mark, Deadline.after(0 if ending else _TICK_S))
            self._show(data, flush=ending)
            if self._console.connected != connected:
                connected = not connected
                self.note("port opened" if connected else "port lost, waiting for it")
            if ending:
                return
            if not data:
                self._ending.wait(0 if connected else _TICK_S)

    def _show(self, data: bytes, *, flush: bool) -> None:
        items = self._splitter.feed(data)
        self._idle_ticks = 0 if data else self._idle_ticks + 1
        if flush or self._idle_ticks == _UNENDED_TICKS:
            items += self._splitter.flush()
        for item in items:
            if not isinstance(item, Frame):
                self._print(escaped(item.data))
            elif self._raw:
                self._print(f"${item.body.decode('ascii')}*{crc16(item.body):04X}")
            elif item.kind == "event":
                fields = " ".join(f"{key}={value}" for key, value in item.fields.items())
                self._print(f"[{item.name}] {escaped(fields.encode('utf-8', 'backslashreplace'))}".rstrip())

    def _print(self, text: str) -> None:
        encoding = self._stdout.encoding or sys.getdefaultencoding()
        with self._lock:
            if self.closed:
                return
            try:
                self._stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
                self._stdout.flush()
            except (BrokenPipeError, ValueError):  # ValueError: the stream was closed on our side
                self.closed = True
