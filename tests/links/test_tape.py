# SPDX-License-Identifier: MIT
"""A transcript is cut into a dialogue, and played to a console that asks again, by other numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.events import Event, RunClock
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.console_player import ConsolePlayer
from rig.links.tape import RESET, Step, request_of, steps_of
from rig.links.wire import format_request, frame_line
from rig.transcript.segment_reader import Segment

BOOT = frame_line("$", "!0 boot image=aa", "\r\n") + frame_line("$", "!1 ready", "\r\n")


def _reply(seq: int, text: str) -> bytes:
    return (
        b"a log line\r\n"
        + frame_line("$", f"{seq}.0 data row={text}", "\r\n")
        + frame_line("$", f"{seq}.1 ok", "\r\n")
    )


def _sent(t_ns: int, seq: int, command: str, **args: str | int) -> Event:
    text = format_request(seq, command, args).decode()
    return Event(t_ns, "console", "sent", "b", {"text": text})


def _segment(*pieces: tuple[int, bytes]) -> Segment:
    """A segment of pieces that came at their times."""
    data, offsets, times = b"", array("Q"), array("Q")
    for at, piece in pieces:
        offsets.append(len(data))
        times.append(at)
        data += piece
    return Segment(0, data, len(data), 0, 0, offsets, times, finalised=True)


EVENTS = [
    Event(1, "probe", "reset", "b"),  # before the segment began
    Event(10, "probe", "reset", "b"),
    _sent(20, 7, "id"),
    _sent(25, 7, "id"),  # repeated
    Event(27, "console", "line", "b", {"text": "x"}),
    _sent(30, 8, "ping", text="a b"),
    _sent(40, 9, "ping", text="c"),
]
SEGMENT = _segment((12, BOOT), (22, _reply(7, "one")), (31, _reply(8, "two")), (45, _reply(9, "three")))


def test_a_dialogue_is_cut_where_something_was_sent() -> None:
    assert steps_of(SEGMENT, EVENTS) == (
        Step(RESET, 0, BOOT),
        Step("id", 7, _reply(7, "one")),
        Step("ping text=a%20b", 8, _reply(8, "two")),
        Step("ping text=c", 9, _reply(9, "three")),
    )


def test_without_events_there_is_no_dialogue() -> None:
    assert steps_of(SEGMENT, []) == ()
    assert steps_of(_segment(), EVENTS[2:4]) == (Step("id", 7, b""),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("@7 ping text=a*ABCD\n", ("ping text=a", 7)),
        ("@7 id*ABCD", ("id", 7)),
        ("help\n", ("help", 0)),
        ("@x id*ABCD", ("@x id*ABCD", 0)),
        ("", ("", 0)),
    ],
)
def test_what_a_line_asks(line: str, said: tuple[str, int]) -> None:
    assert request_of(line) == said


def test_an_answer_gets_another_number_and_a_right_check() -> None:
    step = Step(
        "id", 7, _reply(7, "one") + frame_line("$", "!5 tick", "\r\n") + _reply(70, "not it") + b"half $7."
    )
    expected = _reply(123, "one") + frame_line("$", "!5 tick", "\r\n") + _reply(70, "not it") + b"half $7."
    assert step.answer(123) == expected


# --- played


@pytest.fixture
def player() -> Iterator[ConsolePlayer]:
    """A player with the dialogue in it."""
    with ConsolePlayer() as made:
        made.load(steps_of(SEGMENT, EVENTS))
        yield made


@pytest.fixture
def console(player: ConsolePlayer) -> Iterator[ConsoleLink]:
    """A console at its port."""
    with ConsoleReader(RunClock()) as reader, reader.arm("b", player.url) as link:
        link.wait_connected(Deadline.after(5))
        yield link


def _ask(console: ConsoleLink, command: str, **args: str | int) -> str:
    return console.request(command, args, deadline=Deadline.after(5)).rows[0]["row"]


def test_the_same_questions_get_the_same_answers(player: ConsolePlayer, console: ConsoleLink) -> None:
    since = console.mark()
    assert player.reset()
    assert console.wait_event("ready", Deadline.after(5), since=since).index == 1
    assert [_ask(console, "id"), _ask(console, "ping", text="a b"), _ask(console, "ping", text="c")] == [
        "one", "two", "three",
    ]  # fmt: skip
    assert not player.reset()


def test_a_question_may_be_left_out_or_be_a_little_other(console: ConsoleLink) -> None:
    assert _ask(console, "ping", text="other") == "two"
    with pytest.raises(CommandRefused) as refused:
        _ask(console, "id")  # it came before, and time does not go back
    assert refused.value.code == "unplayed"


def test_another_case_has_another_tape(player: ConsolePlayer, console: ConsoleLink) -> None:
    player.load((Step("id", 3, _reply(3, "new")),))
    assert _ask(console, "id") == "new"
    with pytest.raises(CommandRefused):
        _ask(console, "ping", text="c")


def test_a_lost_answer_can_be_had_again(player: ConsolePlayer) -> None:
    """A number that was answered is a repeat, not a new question."""
    line = format_request(5, "id")
    with ConsoleReader(RunClock()) as reader, reader.arm("b", player.url) as link:
        link.wait_connected(Deadline.after(5))
        since = link.mark()
        link.send_raw(line + line)
        link.expect(rb"(?s)row=one.*row=one", Deadline.after(5), since=since)


def test_a_second_console_takes_its_place(player: ConsolePlayer) -> None:
    for _ in range(2):
        player.load((Step("id", 3, _reply(3, "new")),))
        with ConsoleReader(RunClock()) as reader, reader.arm("b", player.url) as link:
            link.wait_connected(Deadline.after(5))
            assert _ask(link, "id") == "new"
