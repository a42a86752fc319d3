# SPDX-License-Identifier: MIT
"""How fast the console reader is, beside pyserial used the usual ways, in the same run on the same bytes.

    .venv/bin/python -m benchmarks.console_throughput [--mib 32]

Prints MB/s and CPU seconds per 100 MB over 1 and 16 ptys, the best of some rounds, as ratios too, and how
late the time stamps are.
Ours keeps everything on disk, finds frames and keeps the last 16 MiB in memory; the references only read and
write to a file. Not a test: figures depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import serial

from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.links.wire import frame_line
from rig.transcript import Transcript, read_lines

LINE = b"I (%08d) bench: the quick brown fox jumps over it\r\n"
STAMPS = 1000

WRITER = """
import os, select, sys
fds, total, text = [int(fd) for fd in sys.argv[1].split(",")], int(sys.argv[2]), sys.stdin.buffer.read()
left = dict.fromkeys(fds, total)
while left:
    for fd in select.select([], list(left), [])[1]:
        at = (total - left[fd]) % len(text)
        left[fd] -= os.write(fd, text[at : at + min(65536, left[fd])])
        if not left[fd]:
            del left[fd]
"""

STAMPER = """
import os, select, sys, time
for _ in range(int(sys.argv[2])):
    select.select([], [], [], 0.002)
    os.write(int(sys.argv[1]), b"%d\\n" % time.monotonic_ns())
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way of reading took."""

    mb_per_s: float
    cpu_s_per_100_mb: float


class Ports:
    """Some ptys in raw mode, masters written to by a child process."""

    def __init__(self, count: int) -> None:
        self._pairs = [pty.openpty() for _ in range(count)]
        for master, slave in self._pairs:
            tty.setraw(slave)
            os.set_blocking(master, False)
        self.masters = [master for master, _ in self._pairs]
        self.paths = [os.ttyname(slave) for _, slave in self._pairs]

    def __enter__(self) -> Ports:
        return self

    def __exit__(self, *exc: object) -> None:
        for pair in self._pairs:
            for fd in pair:
                os.close(fd)

    def child(self, program: str, *args: str) -> subprocess.Popen[bytes]:
        """Starts a program that writes to the masters."""
        command = [sys.executable, "-c", program, *args]
        return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=self.masters)


def sample_text() -> bytes:
    """About 1 MiB of log with a frame after every 50 lines."""
    out = []
    for number in range(20_000):
        out.append(LINE % number)
        if number % 50 == 0:
            out.append(frame_line("$", f"!{number} tick n={number}", "\r\n"))
    return b"".join(out)


def timed(ports: Ports, bytes_each: int, received: Callable[[], int]) -> Figure:
    """Feeds every port and waits until ``received()`` bytes came."""
    total = bytes_each * len(ports.masters)
    began, cpu = time.monotonic(), time.process_time()
    with ports.child(WRITER, ",".join(map(str, ports.masters)), str(bytes_each)) as writer:
        assert writer.stdin is not None
        writer.stdin.write(sample_text())
        writer.stdin.close()
        if not poll(lambda: received() >= total, Deadline.after(120), interval_s=0.02):
            raise SystemExit(f"expected {total} bytes, {received()} came")
    seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu
    return Figure(total / seconds / 1e6, cpu_s / total * 1e8)


def ours(count: int, bytes_each: int, folder: Path) -> Figure:
    """The console reader with transcripts."""
    with ExitStack() as stack:
        ports = stack.enter_context(Ports(count))
        reader = stack.enter_context(ConsoleReader(RunClock()))
        consoles = []
        for number, path in enumerate(ports.paths):
            kept = stack.enter_context(Transcript(folder / f"ours-{count}-{number}.log"))
            console = stack.enter_context(reader.arm(f"board-{number}", path, transcript=kept))
            console.wait_connected(Deadline.after(5))
            consoles.append(console)
        return timed(ports, bytes_each, lambda: sum(console.mark().offset for console in consoles))


def thread_per_port(
    count: int, bytes_each: int, folder: Path, read: Callable[[serial.Serial], bytes], label: str
) -> Figure:
    """pyserial with one thread per port that reads and writes to a file."""
    counts, done = [0] * count, threading.Event()

    def run(port: serial.Serial, number: int) -> None:
        with (folder / f"{label}-{count}-{number}.log").open("wb", buffering=0) as log:
            while not done.is_set():
                data = read(port)
                log.write(data)
                counts[number] += len(data)

    with ExitStack() as stack:
        ports = stack.enter_context(Ports(count))
        serials = [stack.enter_context(serial.Serial(path, timeout=0.05)) for path in ports.paths]
        threads = [
            threading.Thread(target=run, args=pair) for pair in zip(serials, range(count), strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            return timed(ports, bytes_each, lambda: sum(counts))
        finally:
            done.set()
            for thread in threads:
                thread.join()


def stamp_errors_ours(folder: Path) -> list[int]:
    """How many ns after a line was written its stamp is, in the transcript."""
    clock = RunClock()
    zero_ns = time.monotonic_ns() - clock.now_ns()
    path = folder / "stamps.log"
    with (
        Ports(1) as ports,
        Transcript(path) as kept,
        ConsoleReader(clock) as reader,
        reader.arm("board", ports.paths[0], transcript=kept) as console,
    ):
        console.wait_connected(Deadline.after(5))
        with ports.child(STAMPER, str(ports.masters[0]), str(STAMPS)):
            pass
        poll(lambda: path.read_bytes().count(b"\n") == STAMPS, Deadline.after(5))
    return [zero_ns + t_ns - int(line) for t_ns, line in read_lines(path)]


def stamp_errors_readline() -> list[int]:
    """The same for pyserial's readline."""
    with (
        Ports(1) as ports,
        serial.Serial(ports.paths[0], timeout=5) as port,
        ports.child(STAMPER, str(ports.masters[0]), str(STAMPS)),
    ):
        lines = [(port.readline(), time.monotonic_ns()) for _ in range(STAMPS)]
    return [t_ns - int(line) for line, t_ns in lines]


def show_stamps(label: str, errors: list[int]) -> None:
    """One line of the table."""
    ordered = sorted(errors)
    p50, p99 = ordered[len(ordered) // 2] / 1e6, ordered[len(ordered) * 99 // 100] / 1e6
    print(f"stamp error  {label:<34} p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   n {len(ordered)}")


def best(measure: Callable[[Path], Figure], rounds: int) -> Figure:
    """The fastest of some rounds: what else the machine does only ever slows down."""
    figures = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            figures.append(measure(Path(name)))
    return max(figures, key=lambda figure: figure.mb_per_s)


def compare(count: int, total: int, rounds: int) -> None:
    """Prints one table: ours and the references over ``count`` ports."""
    each, few = total // count, min(total, 512 * 1024) // count
    rows = {
        "console reader, with transcript": best(lambda folder: ours(count, each, folder), rounds),
        "pyserial read(4096), thread per port": best(
            lambda folder: thread_per_port(count, each, folder, lambda port: port.read(4096), "bulk"), rounds
        ),
        "pyserial readline, thread per port": best(
            lambda folder: thread_per_port(count, few, folder, lambda port: port.readline(), "lines"), 1
        ),
    }
    base = next(iter(rows.values()))
    for label, figure in rows.items():
        speed = figure.mb_per_s / base.mb_per_s
        cpu = figure.cpu_s_per_100_mb / base.cpu_s_per_100_mb
        print(
            f"{count:2} pty  {label:<38}{figure.mb_per_s:8.2f} MB/s (x {speed:.3g})"
            f"{figure.cpu_s_per_100_mb:10.2f} CPU s/100 MB (x {cpu:.3g})"
        )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mib", type=int, default=32, help="MiB over all ports of each round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for count in (1, 16):
        compare(count, arguments.mib * 1024 * 1024, arguments.rounds)
    with tempfile.TemporaryDirectory() as name:
        show_stamps("console reader (transcript)", stamp_errors_ours(Path(name)))
    show_stamps("pyserial readline", stamp_errors_readline())
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
