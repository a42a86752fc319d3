# SPDX-License-Identifier: MIT
"""A board for tests of the console: a thread behind a real pty or TCP socket that answers by a script.

It shares no code with ``rig/links/wire.py``: what both agree on is the grammar.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

Answer = Callable[[int, str], bytes]
"""Takes the sequence number and the rest of a request; returns the bytes to say."""


def crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = ((value << 1) ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def frame(body: str) -> bytes:
    """A whole frame from the board."""
    raw = body.encode("ascii")
    return b"$" + raw + b"*%04X\r\n" % crc(raw)


def reply(seq: int, *rows: str, last: str = "ok") -> list[bytes]:
    """The lines of a reply: one per row of fields, then ``last``."""
    lines = [frame(f"{seq}.{index} data {row}") for index, row in enumerate(rows)]
    return [*lines, frame(f"{seq}.{len(rows)} {last}")]


def answer(*rows: str, last: str = "ok") -> Answer:
    """Answers whatever is asked with these rows."""
    return lambda seq, _: b"".join(reply(seq, *rows, last=last))


def damage(line: bytes, at: int = 3, bit: int = 0) -> bytes:
    """The line with one bit flipped."""
    return line[:at] + bytes((line[at] ^ (1 << bit),)) + line[at + 1 :]


class Wire:
    """The board's end of the line. ``port`` is what the inventory would say."""

    port: str

    def fileno(self) -> int | None:
        """The descriptor to talk through; None while nobody is at the other end."""
        raise NotImplementedError

    def vanish(self) -> None:
        """The port goes away."""
        raise NotImplementedError

    def come_back(self) -> None:
        """The port is there again."""
        raise NotImplementedError

    def close(self) -> None:
        """The end of the test."""
        self.vanish()


class PtyWire(Wire):
    """A pty behind a name that does not change, as udev makes them."""

    def __init__(self, folder: Path, *, present: bool = True) -> None:
        self._link = folder / "port"
        self.port = str(self._link)
        self._fds: tuple[int, int] | None = None
        if present:
            self.come_back()

    def fileno(self) -> int | None:
        return self._fds[0] if self._fds else None

    def come_back(self) -> None:
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._fds = (master, slave)
        self._link.symlink_to(os.ttyname(slave))

    def vanish(self) -> None:
        if self._fds:
            self._link.unlink()
            for fd in self._fds:
                os.close(fd)
            self._fds = None


class SocketWire(Wire):
    """A listening socket that outlives the board, as the rig holds it for an emulated one."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connection: socket.socket | None = None
        self.come_back()

    def fileno(self) -> int | None:
        return self._connection.fileno() if self._connection else None

    def come_back(self) -> None:
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        self._listener.settimeout(5)
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            self._connection = connection

    def vanish(self) -> None:
        """Resets the connection, as a killed process with unread input does."""
        if self._connection:
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """The listener goes too, and then a connection that it took in the last moment."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.vanish()


class ScriptedBoard:
    """Answers the nth request by the nth answer, later ones by the last. ``requests`` is what it was sent."""

    def __init__(self, wire: Wire, *answers: Answer) -> None:
        self.wire = wire
        self.answers = list(answers)
        self.requests: list[str] = []
        self.flooding: bytes | None = None
        self.flooded = 0
        self._calm = threading.Event()
        self._stopping = threading.Event()
        self._received = b""
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> str:
        return self.wire.port

    def say(self, data: bytes) -> None:
        """Sends bytes; blocks until the port took them."""
        fd = self._wait_fd()
        while data:
            _, ready, _ = select.select([], [fd], [], 5)
            assert ready, "nobody reads the board's port"
            data = data[os.write(fd, data) :]

    def stop_flood(self) -> None:
        """Ends the flood; ``flooded`` is final then."""
        self._calm.clear()
        self.flooding = None
        assert self._calm.wait(5)

    def _wait_fd(self) -> int:
        for _ in range(1000):
            if (fd := self.wire.fileno()) is not None:
                return fd
            self._stopping.wait(0.005)
        raise AssertionError("nobody connected to the board's port")

    def _run(self) -> None:
        while not self._stopping.is_set():
            fd = self.wire.fileno()
            if fd is None:
                self._stopping.wait(0.002)
                continue
            with contextlib.suppress(OSError, ValueError):  # the wire vanished meanwhile
                flood = self.flooding
                if flood is None:
                    self._calm.set()
                if flood is not None:
                    self._flood(fd, flood)
                elif select.select([fd], [], [], 0.01)[0]:
                    self._hear(os.read(fd, 65536))

    def _flood(self, fd: int, flood: bytes) -> None:
        if select.select([], [fd], [], 0.01)[1]:
            with contextlib.suppress(BlockingIOError):
                self.flooded += os.write(fd, flood[self.flooded % len(flood) :])

    def _hear(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            text = line.decode("ascii")
            self.requests.append(text)
            if text.startswith("@"):
                seq, _, rest = text[1:].partition(" ")
                self.say(self._next_answer()(int(seq), rest))
            else:
                self.say(self._next_answer()(0, text))

    def _next_answer(self) -> Answer:
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


@contextlib.contextmanager
def running(board: ScriptedBoard) -> Iterator[ScriptedBoard]:
    """The board with power."""
    board._thread.start()
    try:
        yield board
    finally:
        board._stopping.set()
        board._thread.join()
        board.wire.close()
