# SPDX-License-Identifier: MIT
"""A scripted board whose console is two ring buffers in RAM, before the rig's bridge over a fake target.

Owns the board's side of the buffers and the memory they stand in, as pyOCD's target would read it. It shares
no code with the bridge: what both agree on is the layout.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator, Sequence

import pyocd.debug.rtt  # noqa: F401  before a board is waited for: it takes a second

from rig.bench.inventory import Board, ConsoleFacts, Identity, MemoryRange, PowerFacts, ProbeFacts
from rig.links.probe_rtt import RttBridge
from tests.links.scripted_board import Wire

RAM, SIZE = 0x20000000, 0x8000
BLOCK = 0x20000FF8  # its id lies across two pieces of 4 KiB
UP, UP_BYTES, DOWN, DOWN_BYTES = 0x20002000, 0x4000, 0x20006000, 1024
_UP_IN, _UP_OUT, _DOWN_IN, _DOWN_OUT = (BLOCK + at for at in (24 + 12, 24 + 16, 48 + 12, 48 + 16))


def a_board(port: str = "rtt") -> Board:
    """An inventory entry with that console."""
    return Board(
        name="bench-1",
        at="devices.yaml:2",
        core_hz=1,
        flash=(MemoryRange("main", 0, 1),),
        ram=(MemoryRange("sram", RAM, SIZE),),
        identity=Identity(1),
        probe=ProbeFacts("qemu", "bench-1", "cortex_m"),
        console=ConsoleFacts(port, 115200),
        power=PowerFacts("none"),
    )


class FakeTarget:
    """RAM as pyOCD's target reads and writes it. ``trouble`` is raised by each access while it is set."""

    def __init__(self) -> None:
        self.memory = bytearray(SIZE)
        self.trouble: Exception | None = None

    def read_memory_block8(self, address: int, length: int) -> list[int]:
        return list(self._at(address, length))

    def write_memory_block8(self, address: int, data: Sequence[int]) -> None:
        self._at(address, len(data))
        self.memory[address - RAM : address - RAM + len(data)] = bytes(data)

    def read_memory_block32(self, address: int, count: int) -> list[int]:
        return list(struct.unpack(f"<{count}I", self._at(address, 4 * count)))

    def read32(self, address: int) -> int:
        return self.read_memory_block32(address, 1)[0]

    def write32(self, address: int, value: int) -> None:
        self.write_memory_block8(address, struct.pack("<I", value))

    @contextlib.contextmanager
    def seen_by_the_core(self) -> Iterator[None]:
        """The core needs no probe."""
        trouble, self.trouble = self.trouble, None
        yield
        self.trouble = trouble

    def _at(self, address: int, length: int) -> bytes:
        if self.trouble is not None:
            raise self.trouble
        assert RAM <= address <= address + length <= RAM + SIZE
        return bytes(self.memory[address - RAM : address - RAM + length])


class FakeProbe:
    """What the bridge asks of a probe."""

    def __init__(self) -> None:
        self.target = FakeTarget()
        self.exclusive = threading.RLock()


def set_up_block(target: FakeTarget, at: int = BLOCK) -> None:
    """What a firmware does when it starts: the id last."""
    rings = [(0, UP, UP_BYTES, 0, 0, 2), (0, DOWN, DOWN_BYTES, 0, 0, 0)]
    body = struct.pack("<ii", 1, 1) + b"".join(struct.pack("<6I", *ring) for ring in rings)
    target.write_memory_block8(at + 16, body)
    target.write_memory_block8(at, b"SEGGER RTT".ljust(16, b"\0"))


class RttWire(Wire):
    """The line: a thread is the board's CPU, which moves bytes between its program and the buffers."""

    def __init__(self) -> None:
        self.probe = FakeProbe()
        self._stack = contextlib.ExitStack()
        self._board_end, self._program_end = socket.socketpair()
        self._program_end.setblocking(False)
        self._ended = threading.Event()
        self._cpu = threading.Thread(target=self._run, name="rtt-board")
        bridge = self._stack.enter_context(RttBridge(a_board()))
        self.port = bridge.url
        self._bridge = bridge
        self.come_back()
        self._cpu.start()

    def fileno(self) -> int | None:
        return None if self._ended.is_set() else self._program_end.fileno()

    def come_back(self) -> None:
        with self.probe.exclusive:
            self.probe.target.trouble = None
            set_up_block(self.probe.target)
        self._bridge.attach(self.probe)

    def vanish(self) -> None:
        """The probe is pulled off the bus."""
        from pyocd.core.exceptions import ProbeDisconnected

        with self.probe.exclusive:
            self.probe.target.trouble = ProbeDisconnected("pulled")

    def close(self) -> None:
        """The board stops first, then the bridge."""
        self._ended.set()
        self._cpu.join()
        self._bridge.detach()
        self._stack.close()
        self._board_end.close()
        self._program_end.close()

    def _run(self) -> None:
        to_host = b""
        while not self._ended.is_set():
            if to_host:
                self._ended.wait(0.0002)  # full: the probe comes by
            elif select.select([self._board_end], [], [], 0.0005)[0]:
                to_host = self._board_end.recv(UP_BYTES)
            with self.probe.exclusive, self.probe.target.seen_by_the_core():
                to_host = self._put(to_host)
                came = self._take()
            if came:
                self._board_end.sendall(came)

    def _put(self, data: bytes) -> bytes:
        target = self.probe.target
        begin, out = target.read32(_UP_IN), target.read32(_UP_OUT)
        while data and (room := (out - begin - 1) % UP_BYTES):
            piece = data[: min(room, UP_BYTES - begin)]
            target.write_memory_block8(UP + begin, piece)
            begin, data = (begin + len(piece)) % UP_BYTES, data[len(piece) :]
        target.write32(_UP_IN, begin)
        return data

    def _take(self) -> bytes:
        target = self.probe.target
        begin, out = target.read32(_DOWN_IN), target.read32(_DOWN_OUT)
        ring = bytes(target.read_memory_block8(DOWN, DOWN_BYTES))
        target.write32(_DOWN_OUT, begin)
        return ring[out:begin] if out <= begin else ring[out:] + ring[:begin]
