# SPDX-License-Identifier: MIT
"""The console over real ptys and TCP sockets: ports that come and go, order, bounds, and nothing leaked."""

from __future__ import annotations

import os
import socket
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.deadline import Deadline, poll
from rig.errors import EvidenceFault, LinkLost, RigFault, UsageFault
from rig.events import Event, RunClock
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.links.console_port import SerialEndpoint
from rig.links.interfaces import Console, Mark
from rig.transcript import Transcript, read_lines
from tests.links.scripted_board import PtyWire, ScriptedBoard, SocketWire, Wire, answer, frame, running

START = Mark(0)


def soon(timeout_s: float = 5.0) -> Deadline:
    return Deadline.after(timeout_s)


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Every test closes its threads and descriptors."""
    threads, fds = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert poll(lambda: threading.active_count() == threads, soon())
    assert len(list(Path("/proc/self/fd").iterdir())) <= fds  # another test's may be gone


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["pty", "socket"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Wire:
    return PtyWire(tmp_path) if request.param == "pty" else SocketWire()


@pytest.fixture
def board(wire: Wire, stack: ExitStack) -> ScriptedBoard:
    return stack.enter_context(running(ScriptedBoard(wire, answer())))


def armed(stack: ExitStack, port: str, *, sink: list[Event] | None = None, **more: object) -> ConsoleLink:
    """A console on the port, in a reader of its own."""
    search = more.pop("search_bytes", 16 * 1024 * 1024)
    assert isinstance(search, int)
    clock = RunClock()
    reader = ConsoleReader(clock, sink.append, search_bytes=search) if sink is not None else None
    reader = stack.enter_context(reader or ConsoleReader(clock, search_bytes=search))
    transcript = more.pop("transcript", None)
    assert transcript is None or isinstance(transcript, Transcript)
    assert not more
    return stack.enter_context(reader.arm("bench-1", port, transcript=transcript))


def test_it_is_the_console_that_the_upper_half_asks_for(stack: ExitStack, board: ScriptedBoard) -> None:
    console: Console = armed(stack, board.port)
    assert console.board == "bench-1"


def test_bytes_come_in_order_and_are_kept(stack: ExitStack, board: ScriptedBoard, tmp_path: Path) -> None:
    transcript = stack.enter_context(Transcript(tmp_path / "console.log"))
    console = armed(stack, board.port, transcript=transcript)
    console.wait_connected(soon())
    board.say(b"".join(b"line %d\r\n" % number for number in range(50_000)) + b"done\r\n")
    found = console.expect(
        rb"^done\r\n", soon(), since=Mark(console.expect(rb"\n(?=done)", soon(), since=START).after.offset)
    )
    data, after = console.read(START, soon())
    assert data.split(b"\r\n")[:-2] == [b"line %d" % number for number in range(50_000)]
    assert found.after == after == console.mark()
    assert transcript.path.read_bytes() == data
    assert console.evidence(found.after) == f"{transcript.path}:50001"


def test_a_port_is_opened_when_it_appears_and_nothing_said_before_is_lost(
    stack: ExitStack, tmp_path: Path
) -> None:
    wire = PtyWire(tmp_path, present=False)
    console = armed(stack, wire.port)
    with pytest.raises(LinkLost, match=r"did not open in 0.1 s: .*No such file"):
        console.wait_connected(Deadline.after(0.1))
    board = stack.enter_context(running(ScriptedBoard(wire, answer())))
    wire.come_back()
    board.say(frame("!0 boot count=1"))
    assert console.wait_event("boot", soon(), since=START).fields == {"count": "1"}
    assert console.connected


def test_what_came_before_the_port_was_opened_is_kept(stack: ExitStack, tmp_path: Path) -> None:
    wire = PtyWire(tmp_path)
    stack.enter_context(running(ScriptedBoard(wire, answer()))).say(b"early\r\n")
    assert armed(stack, wire.port).expect(rb"early", soon(), since=START).after.offset == 5


def test_a_break_does_not_empty_the_port(tmp_path: Path) -> None:
    wire, endpoint = PtyWire(tmp_path), SerialEndpoint(str(tmp_path / "port"), 115200)
    endpoint.open()
    assert not termios.tcgetattr(endpoint.fileno())[0] & termios.BRKINT
    endpoint.close()
    wire.vanish()


def test_a_port_that_vanished_is_opened_again(stack: ExitStack, board: ScriptedBoard) -> None:
    events: list[Event] = []
    console = armed(stack, board.port, sink=events)
    for count in range(1, 4):
        since = console.mark()
        board.say(frame(f"!0 boot count={count}") + b"I (1) app: cut he")
        assert console.wait_event("boot", soon(), since=since).fields == {"count": str(count)}
        console.expect(rb"cut he", soon(), since=since)
        board.wire.vanish()
        assert poll(lambda: len([e for e in events if e.kind == "lost"]) == count, soon())  # noqa: B023
        board.wire.come_back()
        console.wait_connected(soon())
    kinds = [event.kind for event in events if event.kind != "line"]
    assert kinds == ["opened", "event", "lost"] * 3 + ["opened"] * (kinds.count("opened") - 3)
    boot = next(event for event in events if event.kind == "event")
    assert boot.data == {"name": "boot", "index": 0, "field.count": "1"}
    assert (boot.source, boot.board) == ("console", "bench-1")


def test_an_emulated_boards_port_is_open_before_power_and_between(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    console = armed(stack, f"socket://127.0.0.1:{listener.getsockname()[1]}")
    console.wait_connected(soon())
    for _ in range(3):
        since = console.mark()
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"boot\r\n")
            console.expect(rb"boot", soon(), since=since)
        console.wait_connected(soon())


def test_a_port_that_hangs_up_at_once_is_not_tried_in_a_busy_loop(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    armed(stack, f"socket://127.0.0.1:{listener.getsockname()[1]}")
    listener.settimeout(0.5)
    end, count = time.monotonic() + 0.5, 0
    while time.monotonic() < end:
        listener.accept()[0].close()
        count += 1
    assert 5 <= count <= 30


def test_a_missing_port_costs_next_to_nothing(stack: ExitStack, tmp_path: Path) -> None:
    armed(stack, str(tmp_path / "absent"))
    before = time.process_time()
    threading.Event().wait(0.5)
    assert time.process_time() - before < 0.1


def test_a_tcp_port_never_connects_to_itself(stack: ExitStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    console = armed(stack, f"socket://127.0.0.1:{port}")
    with pytest.raises(LinkLost, match="refused"):
        console.wait_connected(Deadline.after(0.1))
    stack.enter_context(running(ScriptedBoard(SocketWire(port), answer()))).say(b"here\r\n")
    console.expect(rb"here", soon(), since=START)


@pytest.mark.parametrize(
    "port", ["COM3", "telnet://host:1", "socket://host", "socket://host:1/x", "socket://:99999"]
)
def test_a_port_of_another_kind_is_refused(stack: ExitStack, port: str) -> None:
    with pytest.raises(UsageFault, match="socket://HOST:PORT"):
        armed(stack, port)


@pytest.mark.parametrize("port", ["rfc2217://host", "rfc2217://host:1?poll_modem", "rfc2217://:99999"])
def test_an_rfc_2217_port_is_a_host_and_a_port(stack: ExitStack, port: str) -> None:
    with pytest.raises(UsageFault, match="expected rfc2217://HOST:PORT"):
        armed(stack, port)


def test_two_rigs_do_not_share_a_port(stack: ExitStack, tmp_path: Path) -> None:
    wire = PtyWire(tmp_path)
    stack.callback(wire.vanish)
    armed(stack, wire.port).wait_connected(soon())
    with pytest.raises(LinkLost, match="lock"):
        armed(stack, wire.port).wait_connected(Deadline.after(0.1))


def test_one_thread_reads_all_ports_and_a_silent_one_delays_nobody(stack: ExitStack, tmp_path: Path) -> None:
    reader = stack.enter_context(ConsoleReader(RunClock()))
    before = threading.active_count()
    pairs = []
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        wire = PtyWire(folder)
        stack.callback(wire.vanish)
        pairs.append((wire, stack.enter_context(reader.arm(f"board-{number}", wire.port))))
    assert threading.active_count() == before
    for number, (wire, console) in enumerate(pairs[1:]):
        master = wire.fileno()
        assert master is not None
        os.write(master, b"I am %d\r\n" % number)
        assert console.expect(rb"I am (\d)\r", soon(), since=START).match[1] == b"%d" % number
    assert pairs[0][1].mark() == START


def test_a_babbling_board_is_kept_within_bounds_while_nobody_listens(
    stack: ExitStack, board: ScriptedBoard, tmp_path: Path
) -> None:
    events: list[Event] = []
    transcript = Transcript(tmp_path / "console.log", head_bytes=100_000, tail_bytes=100_000)
    console = armed(
        stack, board.port, sink=events, transcript=stack.enter_context(transcript), search_bytes=1_000_000
    )
    board.flooding = b"".join(b"E (%08d) app: babble\r\n" % number for number in range(10_000))
    assert poll(lambda: console.mark().offset > 20_000_000, soon())
    board.stop_flood()
    assert poll(lambda: console.mark().offset == board.flooded, soon())
    data, after = console.read(START, soon())
    assert 1_000_000 <= len(data) < 1_300_000
    assert after.offset == board.flooded
    with pytest.raises(EvidenceFault, match="memory begins at byte"):
        console.expect(rb"x", soon(), since=START)
    stack.close()
    assert transcript.path.read_bytes().endswith(data[-100_000:])
    assert sum(path.stat().st_size for path in tmp_path.glob("console.log*")) < 400_000
    lines = sum(event.kind == "line" for event in events)
    skipped = sum(int(str(event.data["count"])) for event in events if event.kind == "lines_skipped")
    assert 500 < lines < 20_000
    assert lines + skipped == pytest.approx(board.flooded / 26, rel=0.01)


def test_a_slow_sink_delays_no_byte(stack: ExitStack, board: ScriptedBoard) -> None:
    gate = threading.Event()
    told: list[Event] = []

    def stuck(event: Event) -> None:
        gate.wait(5)
        told.append(event)

    reader = stack.enter_context(ConsoleReader(RunClock(), stuck))
    stack.callback(gate.set)
    console = stack.enter_context(reader.arm("bench-1", board.port))
    board.say(b"one\r\ntwo\r\n")
    console.expect(rb"two", Deadline.after(1), since=START)
    assert not told
    gate.set()
    assert poll(lambda: [e.data["text"] for e in told if e.kind == "line"] == ["one", "two"], soon())


def test_a_sink_that_fails_does_not_stop_the_console(stack: ExitStack, board: ScriptedBoard) -> None:
    def full(_: Event) -> None:
        raise EvidenceFault("disk full")

    reader = stack.enter_context(ConsoleReader(RunClock(), full))
    console = stack.enter_context(reader.arm("bench-1", board.port))
    board.say(b"one\r\n")
    console.expect(rb"one", soon(), since=START)
    assert poll(lambda: isinstance(reader.sink_fault, EvidenceFault), soon())


def test_a_full_disk_shows_as_a_fault_of_the_console(
    stack: ExitStack, board: ScriptedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = stack.enter_context(Transcript(tmp_path / "console.log"))
    console = armed(stack, board.port, transcript=transcript)
    assert console.fault is None

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transcript._writer, "append", no_space)
    board.say(b"still here\r\n")
    console.expect(rb"still here", soon(), since=START)
    assert isinstance(console.fault, EvidenceFault)


def test_stamps_are_on_the_runs_clock_and_reach_the_transcript(
    stack: ExitStack, board: ScriptedBoard, tmp_path: Path
) -> None:
    transcript = stack.enter_context(Transcript(tmp_path / "console.log"))
    console = armed(stack, board.port, transcript=transcript)
    console.wait_connected(soon())
    before = console._clock.now_ns()
    board.say(b"now\r\n")
    found = console.expect(rb"now\r\n", soon(), since=START)
    assert before <= found.t_ns <= console._clock.now_ns()
    assert list(read_lines(transcript.path)) == [(found.t_ns, b"now")]


def test_sending_to_a_port_that_takes_nothing_ends_at_the_deadline(stack: ExitStack, tmp_path: Path) -> None:
    wire = PtyWire(tmp_path)
    stack.callback(wire.vanish)
    console = armed(stack, wire.port)
    console.wait_connected(soon())
    with pytest.raises(LinkLost, match=r"took \d+ of 1000000 bytes in 0.1 s"):
        console.send_raw(b"x" * 1_000_000, deadline=Deadline.after(0.1))


def test_sending_without_a_port_says_why(stack: ExitStack, tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match=r"board bench-1: cannot send: /.*/absent: .*No such file"):
        armed(stack, str(tmp_path / "absent"), sink=None).send_raw(b"x")


def test_who_waits_on_a_closed_reader_is_told(board: ScriptedBoard) -> None:
    reader = ConsoleReader(RunClock())
    with reader:
        console = reader.arm("bench-1", board.port)
        board.say(b"one\r\n")
        console.expect(rb"one", soon(), since=START)
    with pytest.raises(RigFault, match="closed"):
        console.expect(rb"two", soon(60), since=START)
    with pytest.raises(RigFault, match="closed"):
        console.wait_event("boot", soon(60), since=START)
    with pytest.raises(RigFault, match="closed"):
        console.send_raw(b"x")
    console.close()
