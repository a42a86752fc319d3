# SPDX-License-Identifier: MIT
"""A console in a board's RAM (SEGGER's RTT), carried by the debug probe to a socket that the reader opens.

Owns finding the control block, and the thread that moves bytes of channel 0 both ways while the core runs.
The socket is there before power, as any console port is; what the board says until the probe is attached
waits in its own buffer. The layout of the block is pyOCD's.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Protocol

from rig.bench.inventory import RTT, Board, MemoryRange
from rig.deadline import Deadline

_ID: Final = b"SEGGER RTT"
_HEAD = struct.Struct("<16sii")  # id, number of up buffers, of down buffers
_BUFFERS_MAX = 16
_CHUNK = 4096
_SOONEST_S, _LATEST_S = 0.0002, 0.01  # never zero: others want the probe too
_SEARCH_AGAIN_S = 0.1
_STRIKES = 5
"""So many accesses that fail in a row are a lost link; one may be a core that is just being reset."""


class Carrier(Protocol):
    """What is asked of the probe: pyOCD's target, and the lock that every access to it holds."""

    @property
    def target(self) -> Any: ...

    @property
    def exclusive(self) -> AbstractContextManager[Any]: ...


class RttBridge:
    """The bridge of one board. A context manager: listens within it. ``attach`` it once the probe is."""

    def __init__(self, board: Board) -> None:
        _, _, address = board.console.port.partition(f"{RTT}://")
        self._fixed = int(address, 16) if address else None
        self._ram = board.ram
        self._probe: Carrier | None = None
        self._block: Any = None
        self._found_at: int | None = None
        self._search = Deadline.after(0)
        self._strikes = 0
        self._to_board = b""
        self._listener: socket.socket | None = None
        self._port = 0
        self._connection: socket.socket | None = None
        self._closing = False
        self._stirred = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rtt-bridge")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> RttBridge:
        with contextlib.ExitStack() as stack:
            self._listen(0)
            self._thread.start()
            stack.callback(self._stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """The console port."""
        return f"socket://127.0.0.1:{self._port}"

    def attach(self, probe: Carrier) -> None:
        """Bytes move from now on."""
        self._strikes, self._block, self._search = 0, None, Deadline.after(0)
        if self._listener is None:
            self._listen(self._port)
        self._probe = probe
        self._stirred.set()

    def detach(self) -> None:
        """The probe is about to be let go: nothing touches it after this. The port stays open."""
        probe = self._probe
        if probe is not None:
            with probe.exclusive:
                self._probe = self._block = None

    def forget(self) -> None:
        """Another image is there: what the old one left in RAM must not be taken for its block."""
        from pyocd.core.exceptions import Error

        probe = self._probe
        if probe is not None:
            with probe.exclusive, contextlib.suppress(Error, OSError):  # who flashes tells of a lost link
                if self._found_at is not None:
                    probe.target.write_memory_block8(self._found_at, bytes(len(_ID)))
                self._block = self._found_at = None

    # --- the thread

    def _run(self) -> None:
        pause_s = _SOONEST_S
        try:
            while not self._closing:
                self._receive(pause_s)
                moved = self._exchange()
                pause_s = _SOONEST_S if moved else min(_LATEST_S, 2 * pause_s)
        finally:
            self._give_up()  # should it ever end by an error, the port is gone and not merely silent

    def _stop(self) -> None:
        self._closing = True
        self._stirred.set()
        self._thread.join()

    def _receive(self, pause_s: float) -> None:
        """Waits for the reader to connect or to send, or for the time to look at the board again."""
        waits_for = self._connection or self._listener
        not_now = self._connection is not None and (self._to_board or self._probe is None)
        if waits_for is None or not_now:
            self._stirred.wait(pause_s)
            self._stirred.clear()
            return
        if not select.select([waits_for], [], [], pause_s)[0]:
            return
        if self._connection is None:
            self._connection, _ = waits_for.accept()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
        with contextlib.suppress(OSError):
            self._to_board = self._connection.recv(_CHUNK)
        if not self._to_board:
            self._hang_up()

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._port = self._listener.getsockname()[1]

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._to_board = None, b""

    def _give_up(self) -> None:
        """The probe is gone: to the console's users, a port that is not there until the next ``attach``."""
        self._probe = self._block = None
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self._hang_up()

    def _exchange(self) -> bool:
        """Moves what there is, both ways; whether there was anything."""
        probe, connection = self._probe, self._connection
        if probe is None or connection is None:
            return False
        said, sent = self._access(probe)
        self._to_board = self._to_board[sent:]
        with contextlib.suppress(OSError):
            connection.sendall(said)
        if self._strikes >= _STRIKES:
            self._give_up()
        return bool(said or sent)

    def _access(self, probe: Carrier) -> tuple[bytes, int]:
        """What the board said, and how many bytes it took."""
        from pyocd.core.exceptions import Error, RTTError

        with probe.exclusive:
            said, sent = b"", 0
            if self._probe is not probe:
                return said, sent
            try:
                block = self._block = self._block or self._find(probe.target)
                if block:
                    said = bytes(block.up_channels[0].read())
                    sent = block.down_channels[0].write(self._to_board) if self._to_board else 0
                    self._strikes = 0
            except RTTError:  # it was reset, and is not set up yet
                self._block = None
            except (Error, OSError, AssertionError):
                self._strikes += 1
            return said, sent

    def _find(self, target: Any) -> Any:
        """pyOCD's control block with a channel in each direction, or None."""
        from pyocd.debug.rtt import RTTControlBlock

        if not self._search.expired:
            return None
        self._search = Deadline.after(_SEARCH_AGAIN_S)
        for address in self._candidates(target):
            id_text, up, down = _HEAD.unpack(bytes(target.read_memory_block8(address, _HEAD.size)))
            if id_text.startswith(_ID) and 0 < up <= _BUFFERS_MAX and 0 < down <= _BUFFERS_MAX:
                block = RTTControlBlock.from_target(target, address=address, size=0)
                block.start()
                self._found_at = address
                return block
        self._strikes = 0
        return None

    def _candidates(self, target: Any) -> Iterator[int]:
        if self._fixed is not None:
            yield self._fixed
            return
        if self._found_at is not None:
            yield self._found_at
        for ram in self._ram:
            yield from _places(target, ram)


def _places(target: Any, ram: MemoryRange) -> Iterator[int]:
    """Where the id stands in a range of RAM, also across the pieces that are read."""
    before = b""
    for start in range(ram.start, ram.end, _CHUNK):
        piece = before + bytes(target.read_memory_block8(start, min(_CHUNK, ram.end - start)))
        at = piece.find(_ID)
        while at >= 0:
            yield start - len(before) + at
            at = piece.find(_ID, at + 1)
        before = piece[1 - len(_ID) :]
