# SPDX-License-Identifier: MIT
"""``rig console`` without click: a person at a terminal, and a pipe, against a scripted board."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.cli import terminal as terminal
from rig.cli.terminal import escaped, run_console
from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, LinkLost
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.interfaces import Mark
from tests.links.scripted_board import Answer, PtyWire, ScriptedBoard, frame, running

Arranged = Callable[..., tuple[ScriptedBoard, ConsoleLink]]


@pytest.fixture
def arrange(tmp_path: Path) -> Iterator[Arranged]:
    with ExitStack() as stack:

        def arranged(*answers: Answer) -> tuple[ScriptedBoard, ConsoleLink]:
            board = stack.enter_context(running(ScriptedBoard(PtyWire(tmp_path), *answers)))
            reader = stack.enter_context(ConsoleReader(RunClock()))
            console = stack.enter_context(reader.arm("bench-1", board.port))
            console.wait_connected(Deadline.after(5))
            return board, console

        yield arranged


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These boards are quiet sooner than real ones."""
    monkeypatch.setattr(terminal, "_END_S", 0.2)


class Typed(io.StringIO):
    """What a person types; then waits for ``done`` before Ctrl-D (or Ctrl-C)."""

    def __init__(self, text: str, done: Callable[[], bool], end: type[BaseException] | None = None) -> None:
        super().__init__(text)
        self._done, self._end = done, end

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # the stubs disagree among themselves
        line = super().readline(size)
        if not line:
            poll(self._done, Deadline.after(5))
            if self._end:
                raise self._end
        return line


def helpful(_: int, line: str) -> bytes:
    return f"{line}: id ping reboot\r\nend of {line}\r\n".encode()


def test_a_pipe_gets_the_answers_in_order_and_ends(arrange: Arranged) -> None:
    board, console = arrange(helpful)
    out = io.StringIO()
    assert run_console(console, io.StringIO("help\r\nid\n"), out, raw=False) == 0
    assert out.getvalue() == "help: id ping reboot\nend of help\nid: id ping reboot\nend of id\n"
    assert board.requests == ["help", "id"]


def test_a_pipe_that_gets_no_answer_is_told_so(arrange: Arranged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "ANSWER_S", 0.1)
    _, console = arrange(lambda *_: b"")
    with pytest.raises(BoardSilent, match=r"expected an answer in 0\.1 s"):
        run_console(console, io.StringIO("help\n"), io.StringIO(), raw=False)


def test_an_empty_pipe_ends_too(arrange: Arranged) -> None:
    _, console = arrange(helpful)
    assert run_console(console, io.StringIO(""), io.StringIO(), raw=False) == 0


@pytest.mark.parametrize("end", [None, KeyboardInterrupt])
def test_a_person_sees_text_as_it_comes_until_the_session_ends(
    arrange: Arranged, end: type[BaseException] | None
) -> None:
    _, console = arrange(helpful)
    out = io.StringIO()
    typed = Typed("help\n", lambda: "end of help" in out.getvalue(), end)
    assert run_console(console, typed, out, raw=False) == 0
    assert out.getvalue() == "help: id ping reboot\nend of help\n"


def test_a_person_sees_the_port_come_and_go(arrange: Arranged) -> None:
    board, console = arrange(helpful)
    out = io.StringIO()

    def power_cycle() -> None:
        board.wire.vanish()
        poll(lambda: "lost" in out.getvalue(), Deadline.after(5))
        board.wire.come_back()

    thread = threading.Thread(target=power_cycle)
    typed = Typed("", lambda: "opened" in out.getvalue())
    thread.start()
    run_console(console, typed, out, raw=False)
    thread.join()
    assert out.getvalue() == "[port lost, waiting for it]\n[port opened]\n"


def test_a_pipe_needs_a_port(arrange: Arranged) -> None:
    board, console = arrange(helpful)
    board.wire.vanish()
    poll(lambda: not console.connected, Deadline.after(5))
    with pytest.raises(LinkLost):
        run_console(console, io.StringIO("help\n"), io.StringIO(), raw=False)


FRAMES = b"text\r\n" + frame("1.0 ok a=1") + frame("!2 crash cause=stack%20end") + b"more\r\nprompt> "


def test_frames_are_hidden_but_events_told(arrange: Arranged) -> None:
    _, console = arrange(lambda *_: FRAMES)
    out = io.StringIO()
    run_console(console, io.StringIO("x\n"), out, raw=False)
    assert out.getvalue() == "text\n[crash] cause=stack end\nmore\nprompt> \n"


def test_raw_shows_frames_as_they_are(arrange: Arranged) -> None:
    _, console = arrange(lambda *_: FRAMES)
    out = io.StringIO()
    run_console(console, io.StringIO("x\n"), out, raw=True)
    assert out.getvalue().splitlines()[1] == frame("1.0 ok a=1").decode().strip()


def test_printing_may_begin_at_an_earlier_mark(arrange: Arranged) -> None:
    board, console = arrange(helpful)
    board.say(b"booted\r\n")
    console.expect(b"booted\r\n", Deadline.after(5), since=Mark(0))
    out = io.StringIO()
    run_console(console, io.StringIO(""), out, raw=False, since=Mark(0))
    assert out.getvalue() == "booted\n"


def test_a_closed_output_ends_the_session_quietly(arrange: Arranged) -> None:
    _, console = arrange(helpful)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as out:
        assert run_console(console, io.StringIO("help\n" * 50), out, raw=False) == 0
        with pytest.raises(BrokenPipeError):
            out.close()


def test_an_output_that_knows_ascii_only_gets_ascii(arrange: Arranged) -> None:
    _, console = arrange(lambda *_: "21 °C\r\n".encode())
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii")
    run_console(console, io.StringIO("x\n"), out, raw=False)
    assert raw.getvalue() == b"21 \\xb0C\n"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"a\tb", "a\tb"),
        (b"\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("21 °C\u202e\x9b".encode(), "21 °C\\u202e\\x9b"),
        (b"\xff\0", "\\xff\\x00"),
    ],
)
def test_what_could_steer_the_terminal_is_escaped(said: bytes, shown: str) -> None:
    assert escaped(said) == shown
