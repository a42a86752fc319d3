# SPDX-License-Identifier: MIT
"""Ways to read many serial ports at once into files: the rig's, and what stands beside it. Only measures.

``Rig`` keeps every byte on disk with its time, finds frames and keeps the last 16 MiB in memory. ``Lines`` is
pyserial's own ReaderThread with its LineReader, a thread for each port, which keeps every line with its time.
``Copy`` is the least that a thread for each port can do: it copies bytes to a file, without times or lines.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import serial
import serial.threaded

from benchmarks.console_ports import BAUD, Ports, missing
from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.links.console import ConsoleReader
from rig.transcript import Transcript

_LAST_S = 30.0

Counter = Callable[[], int]
Reader = Callable[[Sequence[str], Path], "contextlib.AbstractContextManager[Counter]"]
"""Reads ports into ``FOLDER/N.log`` while the context is open; hands out how many bytes came so far."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one feeding was read: seconds from first to last byte, of processor time, and bytes lost."""

    wall_s: float
    cpu_s: float
    lost: int


def measure(reader: Reader, program: str, ports: int, count: int, folder: Path) -> Reading:
    """Feeds ``count`` bytes to each of some ports and waits for all that the ports took."""
    with Ports(ports) as ptys, reader(ptys.paths, folder) as counted:
        cpu = _readers_cpu_s()
        begun_ns, refused = ptys.feed(program, count)
        wanted = ports * count - refused
        poll(lambda: counted() >= wanted, Deadline.after(_LAST_S), interval_s=0.002)
        wall_s, cpu_s = (time.monotonic_ns() - begun_ns) / 1e9, _readers_cpu_s() - cpu
    kept = (_text_of(folder / f"{number}.log") for number in range(ports))
    return Reading(wall_s, cpu_s, missing(kept, count))


def _readers_cpu_s() -> float:
    """Processor time of all threads but this one, which starts the sender and waits."""
    return time.process_time() - time.thread_time()


def _text_of(path: Path) -> bytes:
    """What was kept, without the times that ``Lines`` writes before each line."""
    content = path.read_bytes()
    if not content.startswith(b"t="):
        return content
    return b"".join(line.partition(b" ")[2] for line in content.splitlines(keepends=True))


@contextlib.contextmanager
def rig(paths: Sequence[str], folder: Path) -> Iterator[Counter]:
    """The console reader, with transcripts."""
    with ExitStack() as stack:
        reader = stack.enter_context(ConsoleReader(RunClock()))
        consoles = []
        for number, path in enumerate(paths):
            kept = stack.enter_context(Transcript(folder / f"{number}.log", head_bytes=1 << 30))
            console = stack.enter_context(reader.arm(f"board-{number}", path, BAUD, transcript=kept))
            console.wait_connected(Deadline.after(5))
            consoles.append(console)
        yield lambda: sum(console.mark().offset for console in consoles)


class _Lines(serial.threaded.LineReader):
    """Keeps each line with the time it was read at."""

    log: BinaryIO
    count = 0

    def data_received(self, data: bytes) -> None:
        self.count += len(data)
        super().data_received(data)

    def handle_line(self, line: str) -> None:
        self.log.write(b"t=%d %s\r\n" % (time.monotonic_ns(), line.encode()))

    def connection_lost(self, error: BaseException | None) -> None:
        del error


@contextlib.contextmanager
def lines(paths: Sequence[str], folder: Path) -> Iterator[Counter]:
    """pyserial's ReaderThread and LineReader for each port."""
    with ExitStack() as stack:
        readers: list[Any] = []
        for number, path in enumerate(paths):
            thread = serial.threaded.ReaderThread(serial.Serial(path, BAUD), _Lines)
            thread.start()
            _, reader = thread.connect()
            reader.log = stack.enter_context((folder / f"{number}.log").open("wb"))
            stack.callback(thread.close)
            readers.append(reader)
        yield lambda: sum(reader.count for reader in readers)


@contextlib.contextmanager
def copy(paths: Sequence[str], folder: Path) -> Iterator[Counter]:
    """A thread for each port that copies what there is."""
    counts, done = [0] * len(paths), threading.Event()

    def run(number: int, port: serial.Serial) -> None:
        with (folder / f"{number}.log").open("wb", buffering=0) as log:
            while not done.is_set():
                data = port.read(port.in_waiting or 1)
                log.write(data)
                counts[number] += len(data)

    with ExitStack() as stack:
        for number, path in enumerate(paths):
            port = stack.enter_context(serial.Serial(path, BAUD, timeout=0.05))
            thread = threading.Thread(target=run, args=(number, port))
            thread.start()
            stack.callback(thread.join)
        stack.callback(done.set)
        yield lambda: sum(counts)
