# SPDX-License-Identifier: MIT
"""Expect, events and requests against a board that answers by a script, over a real pty and over RTT."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.bench.boot import behind_power_on, boot_before
from rig.deadline import Deadline, poll
from rig.errors import (
    BoardGarbled,
    BoardRebooted,
    BoardSilent,
    CommandRefused,
    EvidenceFault,
    LinkLost,
    RigError,
)
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.interfaces import Mark
from rig.transcript import Transcript
from tests.links.rtt_wire import RttWire
from tests.links.scripted_board import (
    Answer,
    PtyWire,
    ScriptedBoard,
    Wire,
    answer,
    damage,
    frame,
    reply,
    running,
)

START = Mark(0)
Arranged = Callable[..., tuple[ScriptedBoard, ConsoleLink]]


def soon(timeout_s: float = 5.0) -> Deadline:
    return Deadline.after(timeout_s)


@pytest.fixture(params=["pty", "rtt"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Wire:
    """The line between board and rig: what is said over it must make no difference."""
    return PtyWire(tmp_path) if request.param == "pty" else RttWire()


@pytest.fixture
def arrange(tmp_path: Path, wire: Wire) -> Iterator[Arranged]:
    """Makes a board that gives these answers, and an open console to it with a transcript."""
    with ExitStack() as stack:

        def arranged(*answers: Answer, first_seq: int = 1) -> tuple[ScriptedBoard, ConsoleLink]:
            board = stack.enter_context(running(ScriptedBoard(wire, *(answers or (answer(),)))))
            transcript = stack.enter_context(Transcript(tmp_path / "console.log"))
            reader = stack.enter_context(ConsoleReader(RunClock()))
            console = reader.arm("bench-1", board.port, transcript=transcript, first_seq=first_seq)
            stack.enter_context(console).wait_connected(soon())
            return board, console

        yield arranged


def silent(seq: int, rest: str) -> bytes:
    del seq, rest
    return b""


ROWS = ("id=yield n=1", "id=queue n=2", "id=notify n=3")


def in_order(*lines: bytes) -> bytes:
    return b"".join(lines)


def mixed_with_logs(seq: int, _: str) -> bytes:
    return b"I (12) net: li" + b"nk up\r\n\xff\0W (13) ".join(reply(seq, *ROWS)) + b"\r\n"


def doubled(seq: int, _: str) -> bytes:
    return b"".join(line * 2 for line in reply(seq, *ROWS))


def without_the_second(seq: int, _: str) -> bytes:
    first, _second, *rest = reply(seq, *ROWS)
    return in_order(first, *rest)


def with_the_second_damaged(seq: int, _: str) -> bytes:
    first, second, *rest = reply(seq, *ROWS)
    return in_order(first, damage(second, 9), *rest)


def without_the_last(seq: int, _: str) -> bytes:
    return in_order(*reply(seq, *ROWS)[:-1])


def of_another_request_first(seq: int, _: str) -> bytes:
    return in_order(*reply(seq + 7, "id=stale"), *reply(seq, *ROWS))


def refused_as_damaged(seq: int, _: str) -> bytes:
    del seq
    return frame("!4 badreq code=crc")


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (answer(*ROWS), False),
        (mixed_with_logs, False),
        (doubled, False),
        (of_another_request_first, False),
        (without_the_second, True),
        (with_the_second_damaged, True),
        (refused_as_damaged, True),
        (without_the_last, True),
        (silent, True),
    ],
)
def test_a_reply_is_whole_whatever_happened_to_its_lines(
    arrange: Arranged, first: Answer, again: bool
) -> None:
    board, console = arrange(first, answer(*ROWS))
    found = console.request("bench.list", deadline=soon(), repeat_s=0.1 if again else 5.0)
    assert [row["id"] for row in found.rows] == ["yield", "queue", "notify"]
    assert (len(board.requests) > 1) == again
    assert len(set(board.requests)) == 1, "a repeat is the same line"


def test_a_reply_that_comes_in_single_bytes_is_whole(arrange: Arranged) -> None:
    board, console = arrange(silent)
    done = threading.Event()

    def trickle() -> None:
        poll(lambda: bool(board.requests), soon())
        for byte in b"".join(reply(1, *ROWS)):
            board.say(bytes((byte,)))
        done.set()

    thread = threading.Thread(target=trickle)
    thread.start()
    assert len(console.request("bench.list", deadline=soon()).rows) == 3
    thread.join()
    assert done.is_set()


def test_a_command_executed_again_is_not_mixed_with_its_first_execution(arrange: Arranged) -> None:
    def again(seq: int, _: str) -> bytes:
        return in_order(*reply(seq, "task=a free=5", "task=b free=6", last="ok"))

    def cut(seq: int, _: str) -> bytes:
        first, _second, last = reply(seq, "task=a free=5", "task=b free=2", last="ok total=2")
        return in_order(first, last)

    _, console = arrange(cut, again)
    found = console.request("mem.tasks", deadline=soon())
    assert [row["free"] for row in found.rows] == ["5", "6"]


def test_requests_are_numbered_from_the_first_number_given(arrange: Arranged) -> None:
    board, console = arrange(answer(), first_seq=2**31 - 1)
    console.request("id", deadline=soon())
    console.request("ping", {"text": "a b"}, deadline=soon())
    assert [line.partition("*")[0] for line in board.requests] == ["@2147483647 id", "@1 ping text=a%20b"]


def test_what_the_board_refuses_is_said_with_its_words(arrange: Arranged) -> None:
    _, console = arrange(answer("a=1", last="err code=range msg=n%20is%20too%20big"))
    with pytest.raises(
        CommandRefused, match=r"refused 'bench.run' with 'range': n is too big \(.*log:2\)"
    ) as caught:
        console.request("bench.run", {"n": 10**9}, deadline=soon())
    assert caught.value.code == "range"


def test_a_reboot_during_a_request_ends_it_at_once(arrange: Arranged) -> None:
    _, console = arrange(lambda *_: b"$1.0 da" + frame("!0 boot count=2 cause=watchdog"))
    began = time.monotonic()
    with pytest.raises(BoardRebooted, match=r"reply to 'id', but .*cause=watchdog.*console.log:1"):
        console.request("id", deadline=soon(60))
    assert time.monotonic() - began < 1


def test_a_reboot_whose_boot_event_was_damaged_shows_by_the_next_event(arrange: Arranged) -> None:
    boot = damage(frame("!0 boot count=2"), 9)
    board, console = arrange(lambda *_: boot + frame("!1 ready"))
    board.say(frame("!0 boot count=1") + frame("!1 ready") + frame("!2 link up=1"))
    console.wait_event("link", soon(), since=START)
    with pytest.raises(BoardRebooted, match="1 ready"):
        console.request("id", deadline=soon())


def test_events_that_count_on_do_not_disturb_a_request(arrange: Arranged) -> None:
    board, console = arrange(lambda seq, _: frame("!1 ready") + frame("!2 link up=1") + frame(f"{seq}.0 ok"))
    board.say(frame("!0 boot count=1"))
    console.wait_event("boot", soon(), since=START)
    console.request("id", deadline=soon())


def test_a_boot_before_the_request_is_none_of_its_business(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(frame("!0 boot count=1"))
    console.wait_event("boot", soon(), since=START)
    console.request("id", deadline=soon())


def test_a_silent_board_is_silent_and_the_last_line_is_named(arrange: Arranged, tmp_path: Path) -> None:
    board, console = arrange(silent)
    board.say(b"I (1) app: up\r\nE (2) net: link down\r\n")
    console.expect(rb"down\r\n", soon(), since=START)
    with pytest.raises(BoardSilent) as caught:
        console.request("status", deadline=Deadline.after(0.3), repeat_s=0.1)
    assert str(caught.value) == (
        "board bench-1: no whole reply to 'status' (no line of it came) in 0.3 s; nothing came; "
        f"last line before 'E (2) net: link down' ({tmp_path / 'console.log'}:2)"
    )
    assert len(board.requests) == 3


def test_a_board_that_never_said_anything_is_silent(arrange: Arranged) -> None:
    _, console = arrange(silent)
    with pytest.raises(BoardSilent, match="nothing came, nor anything before"):
        console.request("id", deadline=Deadline.after(0))


def test_a_board_whose_frames_stay_damaged_is_garbled(arrange: Arranged) -> None:
    board, console = arrange(with_the_second_damaged)
    with pytest.raises(BoardGarbled, match=r"3 of its 4 lines came.*damaged frames, the last '\$1.1 data"):
        console.request("bench.list", deadline=Deadline.after(0.3))
    assert len(board.requests) <= 8


def test_damage_that_was_there_before_anybody_waited_counts(arrange: Arranged) -> None:
    """A fast board has said all by the time that its reset returns."""
    board, console = arrange(silent)
    board.say(frame("!0 boot count=1") + damage(frame("!1 ready reset_us=7"), at=5))
    console.expect(rb"reset_us=7\*.*\n", soon(), since=START)
    with pytest.raises(BoardGarbled, match=r"1 damaged frames, the last '\$!1 "):
        console.wait_event("ready", Deadline.after(0.1), since=START)


def test_a_damaged_line_between_boot_and_ready_changes_nothing_of_the_boot(arrange: Arranged) -> None:
    board, console = arrange(silent)
    board.say(frame("!0 boot count=1") + damage(frame("!1 crash present=1")) + frame("!2 ready"))
    ready = console.wait_event("ready", soon(), since=START)
    assert boot_before(console, START, ready, soon()).fields == {"count": "1"}


def test_a_reset_just_after_the_power_came_is_not_taken_for_the_power(arrange: Arranged) -> None:
    """What the board said of its power was on its way to us when the probe reset it."""
    board, console = arrange(silent)
    board.say(frame("!0 boot cause=power count=1") + frame("!1 ready"))
    found = boot_before(console, START, console.wait_event("ready", soon(), since=START), soon())
    board.say(frame("!0 boot cause=reset count=2") + frame("!1 ready"))
    heard = behind_power_on(console, found, 5.0)
    assert heard.fields == {"cause": "reset", "count": "2"}
    assert behind_power_on(console, heard, 5.0) is heard


def test_a_board_at_another_baud_rate_is_garbled(arrange: Arranged) -> None:
    board, console = arrange(silent)
    board.say(bytes(range(128, 256)) * 4)
    with pytest.raises(BoardGarbled, match="no text"):
        console.wait_event("boot", Deadline.after(0.1), since=START)


def test_babble_instead_of_a_reply_is_garbled_and_counted(arrange: Arranged) -> None:
    board, console = arrange(silent)
    board.flooding = b"I (1) app: over and over\r\n" * 1000
    with pytest.raises(BoardGarbled, match=r"it babbles; \d{6,} bytes came; last line "):
        console.request("id", deadline=Deadline.after(0.5))


def test_a_reply_is_found_in_the_middle_of_babble(arrange: Arranged) -> None:
    _, console = arrange(lambda seq, _: b"x" * 1_000_000 + frame(f"{seq}.0 ok n=1") + b"y" * 100_000 + b"end")
    assert console.request("id", deadline=soon()).fields == {"n": "1"}
    console.expect(b"end", soon(), since=START)


def test_expect_finds_a_needle_in_babble_without_end(arrange: Arranged) -> None:
    board, console = arrange()
    board.flooding = b"I (1) app: over and over\r\n" * 40_000 + b"needle\r\n"
    found = console.expect(rb"needle\r\n", soon(), since=START)
    board.stop_flood()
    assert found.after.offset == len(b"I (1) app: over and over\r\n") * 40_000 + 8


def test_expect_in_endless_output_ends_at_its_deadline(arrange: Arranged) -> None:
    board, console = arrange()
    board.flooding = bytes(range(32, 127)) * 500
    began = time.monotonic()
    with pytest.raises((BoardSilent, BoardGarbled), match=r"\d{6,} bytes came"):
        console.expect(rb"never", Deadline.after(0.5), since=START)
    assert time.monotonic() - began < 2


def test_a_port_that_vanishes_during_a_request_is_a_lost_link(arrange: Arranged) -> None:
    board, console = arrange(silent)

    def vanish() -> None:
        poll(lambda: bool(board.requests), soon())
        board.wire.vanish()

    thread = threading.Thread(target=vanish)
    thread.start()
    with pytest.raises(LinkLost, match="went away"):
        console.request("id", deadline=soon(60))
    thread.join()
    with pytest.raises(LinkLost, match=r"no event 'boot' in 0.1 s: .*(No such file|refused)"):
        console.wait_event("boot", Deadline.after(0.1), since=console.mark())
    with pytest.raises(LinkLost):
        console.expect(b"x", Deadline.after(0), since=console.mark())


def test_an_event_is_awaited_across_a_port_that_comes_back(arrange: Arranged) -> None:
    board, console = arrange()
    since = console.mark()
    board.wire.vanish()

    def come_back() -> None:
        poll(lambda: not console.connected, soon())
        board.wire.come_back()
        board.say(b"\0\0" + frame("!0 boot count=1") + frame("!1 ready"))

    thread = threading.Thread(target=come_back)
    thread.start()
    boot = console.wait_event("boot", soon(), since=since)
    ready = console.wait_event("ready", soon(), since=boot.after)
    thread.join()
    assert (boot.index, ready.index, ready.fields) == (0, 1, {})
    assert boot.t_ns <= ready.t_ns


def test_only_events_after_the_mark_count(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(frame("!0 boot count=1"))
    boot = console.wait_event("boot", soon(), since=START)
    with pytest.raises(BoardSilent, match=r"no event 'boot' in 0.1 s; nothing came"):
        console.wait_event("boot", Deadline.after(0.1), since=boot.after)
    assert console.wait_event("boot", Deadline.after(0), since=START) == boot


def test_a_mark_with_too_many_events_since_is_refused(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(b"".join(frame(f"!{index} tick") for index in range(5000)))
    console.expect(rb"!4999 ", soon(), since=START)
    with pytest.raises(EvidenceFault, match="in memory begin after"):
        console.wait_event("ready", Deadline.after(0), since=START)


def test_expect_searches_from_the_mark_and_flushes_nothing(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(b"alpha\r\nbeta\r\nalpha\r\n")
    first = console.expect(rb"^alpha", soon(), since=START)
    second = console.expect(rb"(?m)^alpha", soon(), since=first.after)
    assert (first.after.offset, second.after.offset) == (5, 18)
    assert console.expect(rb"beta", soon(), since=START).match.start() == 7
    with pytest.raises(
        BoardSilent, match=r"b'\^alpha' did not match in 0.1 s; 15 bytes came; last line 'alpha'"
    ):
        console.expect(rb"^alpha", Deadline.after(0.1), since=first.after)


def test_expect_matches_across_chunks_and_invalid_utf8(arrange: Arranged) -> None:
    board, console = arrange()
    for piece in (b"\xc3", b"(\xff\0 fir", b"st sec", b"ond\r\n"):
        since = console.mark()
        board.say(piece)
        poll(lambda mark=since: console.mark() != mark, soon())  # type: ignore[misc]
    assert console.expect(rb"first second\r", soon(), since=START).after.offset == 18


def test_expect_finds_a_very_long_match_by_its_deadline(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(b"<<" + b"x" * 200_000)
    poll(lambda: console.mark().offset > 200_000, soon())
    threading.Timer(0.05, board.say, (b">>",)).start()
    assert console.expect(rb"<<x*>>", Deadline.after(0.4), since=START).after.offset == 200_004


def test_time_out_zero_checks_once(arrange: Arranged) -> None:
    board, console = arrange()
    board.say(b"here")
    poll(lambda: console.mark().offset == 4, soon())
    assert console.expect(rb"here", Deadline.after(0), since=START)
    with pytest.raises(BoardSilent):
        console.expect(rb"gone", Deadline.after(0), since=START)


def test_two_threads_that_ask_take_turns(arrange: Arranged) -> None:
    _, console = arrange(
        lambda seq, rest: frame(f"{seq}.0 ok echo={rest.partition('*')[0].partition('=')[2]}")
    )
    wrong: list[RigError | str] = []

    def ask(name: str) -> None:
        for number in range(20):
            text = f"{name}{number}"
            if console.request("ping", {"text": text}, deadline=soon()).fields != {"echo": text}:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_reader_survives_random_noise(arrange: Arranged) -> None:
    board, console = arrange()
    for _ in range(20):
        board.say(os.urandom(20_000))
    board.say(b"\r\n")
    console.request("id", deadline=soon())
