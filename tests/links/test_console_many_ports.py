# SPDX-License-Identifier: MIT
"""Sixteen ports at once, at full speed and as UARTs send: every byte is kept, in order."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.console_ports import FULL_SPEED, LINE_BYTES, PACED, Ports, missing, sent_text
from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.links.console_link import ConsoleLink
from rig.transcript import Transcript

PORTS = 16
PTY_HOLDS = (
    18_000  # bytes that a pty takes with nobody reading: less than these cannot be lost by a busy host
)


def read_all(program: str, count: int, folder: Path) -> tuple[int, list[bytes], list[bytes]]:
    """Feeds each port; returns how many bytes the ports refused, and what memory and disk have of each."""
    with ExitStack() as stack:
        ports = stack.enter_context(Ports(PORTS))
        reader = stack.enter_context(ConsoleReader(RunClock()))
        consoles: list[ConsoleLink] = []
        for number, path in enumerate(ports.paths):
            kept = stack.enter_context(Transcript(folder / f"{number}.log"))
            consoles.append(stack.enter_context(reader.arm(f"board-{number}", path, transcript=kept)))
            consoles[-1].wait_connected(Deadline.after(5))
        start = [console.mark() for console in consoles]
        _, refused = ports.feed(program, count)
        wanted = PORTS * count - refused
        poll(lambda: sum(console.mark().offset for console in consoles) >= wanted, Deadline.after(30))
        heard = [
            console.read(mark, Deadline.after(0))[0] for console, mark in zip(consoles, start, strict=True)
        ]
    return refused, heard, [(folder / f"{number}.log").read_bytes() for number in range(PORTS)]


def test_sixteen_ports_at_full_speed_lose_nothing(tmp_path: Path) -> None:
    count = 512 * 1024
    refused, heard, kept = read_all(FULL_SPEED, count, tmp_path)
    assert refused == 0
    assert [content == sent_text(count) for content in heard] == [True] * PORTS
    assert [content == sent_text(count) for content in kept] == [True] * PORTS


def test_sixteen_uarts_without_flow_control_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[None] = []
    original = ConsoleReader._gather

    def counted(reader: ConsoleReader) -> None:
        gathered.append(None)
        original(reader)

    monkeypatch.setattr(ConsoleReader, "_gather", counted)
    count = PTY_HOLDS // LINE_BYTES * LINE_BYTES
    refused, heard, kept = read_all(PACED, count, tmp_path)
    assert (refused, missing(heard, count), missing(kept, count)) == (0, 0, 0)
    assert heard == kept == [sent_text(count)] * PORTS
    assert gathered


def test_a_port_can_be_closed_while_bytes_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order ends the wait: with a wait of a minute the test would not end."""
    monkeypatch.setattr("rig.links.console.GATHER_S", 60.0)
    with Ports(PORTS) as ports, ConsoleReader(RunClock()) as reader, ExitStack() as stack:
        consoles = [stack.enter_context(reader.arm("board", path)) for path in ports.paths]
        for console in consoles:
            console.wait_connected(Deadline.after(5))
        ports.feed(PACED, LINE_BYTES)
        consoles[0].close()
        assert not consoles[0].connected


def test_what_is_missing_is_counted() -> None:
    text = sent_text(10 * LINE_BYTES)
    assert missing([text, text], len(text)) == 0
    assert missing([text, text[:LINE_BYTES] + text[3 * LINE_BYTES :]], len(text)) == 2 * LINE_BYTES
    assert missing([text[:-1]], len(text)) == LINE_BYTES
