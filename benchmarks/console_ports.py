# SPDX-License-Identifier: MIT
"""Ptys with a child process at their other end that feeds them: at full speed, as UARTs do, or with stamps.

Owns the bytes that are sent and the check that all came. Judges no speed.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterable

BAUD = 921_600
BYTES_PER_S = BAUD // 10
_LINE = b"I (%08d) bench: the quick brown fox jumps over the lazy dog!\r\n"
LINE_BYTES = len(_LINE % 0)

_TEXT = f"""
import os, select, sys, time
masters, count = [int(fd) for fd in sys.argv[1].split(",")], int(sys.argv[2])
text = b"".join({_LINE!r} % number for number in range(count // {LINE_BYTES} + 1))[:count]
print(time.monotonic_ns())
"""

FULL_SPEED = f"""{_TEXT}
left = dict.fromkeys(masters, count)
while left:
    for fd in select.select([], list(left), [])[1]:
        at = count - left[fd]
        left[fd] -= os.write(fd, text[at : at + 65536])
        if not left[fd]:
            del left[fd]
print(0)
"""
"""Writes as fast as it is read; prints when it began, and how many bytes were not taken: none."""

PACED = f"""{_TEXT}
begin, sent, refused = time.monotonic(), 0, 0
while sent < count:
    due = min(count, int((time.monotonic() - begin) * {BYTES_PER_S}))
    if due - sent < {BYTES_PER_S // 1000} and due < count:
        select.select([], [], [], 0.001)
        continue
    for fd in masters:
        try:
            refused += due - sent - os.write(fd, text[sent:due])
        except BlockingIOError:
            refused += due - sent
    sent = due
print(refused)
"""
"""Writes as UARTs without flow control do: what a port does not take is gone. Prints when it began, and how
many bytes that were."""

STAMPED = """
import os, select, sys, time
master, count, took = int(sys.argv[1]), int(sys.argv[2]), []
for _ in range(count):
    select.select([], [], [], 0.002)
    before = time.monotonic_ns()
    os.write(master, b"%d\\n" % before)
    took.append(time.monotonic_ns() - before)
print(*took)
"""
"""Writes lines that are the time they were written at; prints how many ns each writing took."""


class Ports:
    """Some ptys in raw mode; ``paths`` are what a console is armed with. A context manager."""

    def __init__(self, count: int) -> None:
        self._pairs = [pty.openpty() for _ in range(count)]
        for master, slave in self._pairs:
            tty.setraw(slave)
            os.set_blocking(master, False)
        self.paths = [os.ttyname(slave) for _, slave in self._pairs]

    def __enter__(self) -> Ports:
        return self

    def __exit__(self, *exc: object) -> None:
        for pair in self._pairs:
            for fd in pair:
                os.close(fd)

    def feed(self, program: str, count: int) -> list[int]:
        """Runs a program that writes ``count`` bytes (or lines) to each; the numbers that it prints."""
        masters = [master for master, _ in self._pairs]
        command = [sys.executable, "-c", program, ",".join(map(str, masters)), str(count)]
        done = subprocess.run(command, pass_fds=masters, stdout=subprocess.PIPE, text=True, check=True)
        return [int(number) for number in done.stdout.split()]


def sent_text(count: int) -> bytes:
    """What each port was sent: numbered lines, ``count`` bytes of them."""
    return b"".join(_LINE % number for number in range(count // LINE_BYTES + 1))[:count]


def missing(kept: Iterable[bytes], count: int) -> int:
    """How many bytes of what was sent are not in what was kept, over all ports; by the lines' numbers."""
    text = sent_text(count)
    lines = set(text.splitlines(keepends=True))
    lost = 0
    for content in kept:
        if content != text:
            lost += sum(len(line) for line in lines - set(content.splitlines(keepends=True)))
    return lost
