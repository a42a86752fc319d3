# SPDX-License-Identifier: MIT
"""The console reader beside threads: speed, processor time, what is lost, how late stamps are."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.console_ports import BAUD, BYTES_PER_S, FULL_SPEED, LINE_BYTES, PACED, STAMPED, Ports
from benchmarks.console_readers import Reader, Reading, copy, lines, measure, rig
from benchmarks.figures import Comparison, Goal, Series
from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.transcript import Transcript, read_lines

TOTAL = 16 * 1024 * 1024
PACED_S = 3
STAMPS = 1000
_ROUNDS = 3
_PREEMPTED_NS = 100_000  # a writing that took longer says how late the sender was, not the reader

_READERS: dict[str, Reader] = {
    "console reader": rig,
    "pyserial LineReader, a thread per port": lines,
    "bare copy, a thread per port": copy,
}


def figures() -> Iterator[Comparison]:
    """All of them."""
    for ports in (1, 16):
        name = f"{ports} pty{'s' if ports > 1 else ''} at full speed"
        readings = _readings(FULL_SPEED, ports, _whole_lines(TOTAL // ports))
        yield _compared(readings, name, "MB/s", lambda taken: TOTAL / taken.wall_s / 1e6)
        fifth = Goal("ratio at most", 0.2) if ports > 1 else None
        yield _compared(readings, name, "cpu s", lambda taken: taken.cpu_s, fifth)
        yield _compared(readings, name, "B lost", lambda taken: taken.lost, Goal("at most", 0))
    name = f"16 ptys at {BAUD:,} baud"
    readings = _readings(PACED, 16, _whole_lines(PACED_S * BYTES_PER_S))
    yield _compared(readings, name, "cpu s", lambda taken: taken.cpu_s, Goal("ratio at most", 0.2))
    yield _compared(readings, name, "B lost", lambda taken: taken.lost, Goal("at most", 0))
    yield _stamps()


def _whole_lines(count: int) -> int:
    return count // LINE_BYTES * LINE_BYTES


def _readings(program: str, ports: int, count: int) -> dict[str, list[Reading]]:
    """Each reader in turn, some rounds after one to warm up."""
    readings: dict[str, list[Reading]] = {label: [] for label in _READERS}
    for _ in range(_ROUNDS + 1):
        for label, reader in _READERS.items():
            with tempfile.TemporaryDirectory() as name:
                readings[label].append(measure(reader, program, ports, count, Path(name)))
    return {label: taken[1:] for label, taken in readings.items()}


def _compared(
    readings: dict[str, list[Reading]],
    name: str,
    unit: str,
    of: Callable[[Reading], float],
    goal: Goal | None = None,
) -> Comparison:
    ours, *others = (Series(label, unit, tuple(map(of, taken))) for label, taken in readings.items())
    return Comparison(replace(ours, label=f"{name}: {ours.label}"), tuple(others), goal)


def _stamps() -> Comparison:
    """How much later than its writing a line is stamped, beside a loop that only reads and looks."""
    ours: list[float] = []
    bare: list[float] = []
    excluded = 0
    for _ in range(_ROUNDS):
        for errors, take in ((ours, _stamped_by_rig), (bare, _stamped_by_loop)):
            lines_ns, took_ns = take()
            kept = [
                (t_ns - written_ns) / 1e6
                for (written_ns, t_ns), took in zip(lines_ns, took_ns, strict=True)
                if took <= _PREEMPTED_NS
            ]
            excluded += len(took_ns) - len(kept)
            errors.append(sorted(kept)[len(kept) * 99 // 100])
    figure = Series("p99 of how late a stamp is: console reader, on disk", "ms", tuple(ours))
    reference = Series("os.read and a look at the clock", "ms", tuple(bare))
    note = (
        f"{STAMPS} lines a round, 2 ms apart; left out: {excluded} whose writing alone took over 0.1 ms; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return Comparison(figure, (reference,), Goal("at most", 1.0), note)


def _stamped_by_rig() -> tuple[list[tuple[int, int]], list[int]]:
    """(when a line was written, when it was stamped) for each line, and how long each writing took."""
    clock = RunClock()
    with tempfile.TemporaryDirectory() as name, Ports(1) as ports:
        path = Path(name) / "console.log"
        with (
            Transcript(path) as kept,
            ConsoleReader(clock) as reader,
            reader.arm("board", ports.paths[0], transcript=kept) as console,
        ):
            console.wait_connected(Deadline.after(5))
            took = ports.feed(STAMPED, STAMPS)
            poll(lambda: path.read_bytes().count(b"\n") == STAMPS, Deadline.after(5))
        return [(int(line), clock.zero_ns + t_ns) for t_ns, line in read_lines(path)], took


def _stamped_by_loop() -> tuple[list[tuple[int, int]], list[int]]:
    found: list[tuple[int, int]] = []
    with Ports(1) as ports, Path(ports.paths[0]).open("rb", buffering=0) as port:

        def run() -> None:
            while len(found) < STAMPS:
                data, t_ns = port.read(4096), time.monotonic_ns()
                found.extend((int(line), t_ns) for line in data.splitlines())

        thread = threading.Thread(target=run)
        thread.start()
        took = ports.feed(STAMPED, STAMPS)
        thread.join()
    return found, took
