# SPDX-License-Identifier: MIT
"""A client of QEMU's gdbstub: registers, run control, breakpoints and watchpoints of one core.

Owns the remote serial protocol (GDB manual, appendix E) as QEMU 7.2 speaks it, no meaning of registers.
Every call blocks until the stub answers, at most ``timeout_s``.
"""

from __future__ import annotations

import select
import socket
import struct
from pathlib import Path
from types import TracebackType

from rig.errors import LinkLost

_MAX_READ = 0x800  # bytes in one 'm' packet: PacketSize is 4096 and the answer is in hex
_MAX_WRITE = 0x7E0  # bytes in one 'M' packet, which also holds the address


class GdbFault(Exception):
    """The stub answered a packet with an error."""


class GdbClient:
    """One connection to a gdbstub; a context manager. The stub serves a single client."""

    def __init__(self, path: Path, *, board: str, timeout_s: float = 5.0) -> None:
        self._path = path
        self._board = board
        self._timeout_s = timeout_s
        self._sock: socket.socket | None = None
        self._pending = bytearray()
        self._stopped: str | None = None

    def __enter__(self) -> GdbClient:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connects; the guest stops by that. Raises LinkLost when nobody answers."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self._timeout_s)
        try:
            sock.connect(str(self._path))
        except OSError as error:
            sock.close()
            raise self._lost("cannot be reached", error) from error
        self._sock = sock
        # A stop packet may already be on its way when the guest was running: ask until answers line up.
        self.call("?")
        self._drain()
        # 'p' and 'P' answer nothing until the description was read (QEMU 7.2).
        self.call("qXfer:features:read:target.xml:0,ffb")
        self.call("Qqemu.sstep=1")

    def close(self) -> None:
        """Lets go of the stub without touching the guest."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def call(self, packet: str) -> str:
        """Sends one packet and returns the answer's text; raises GdbFault for ``Exx``."""
        self._send(packet)
        answer = self._receive()
        # A stop that was caused by connecting may come before the answer that was asked for.
        while answer[:1] in ("T", "S") and not packet.startswith(("?", "s", "c", "vCont")):
            answer = self._receive()
        if len(answer) == 3 and answer[0] == "E":
            raise GdbFault(f"gdbstub answered {answer} to '{packet[:40]}'")
        return answer

    def read_registers(self) -> bytearray:
        """The whole register file as the stub packs it ('g')."""
        return bytearray(bytes.fromhex(self.call("g")))

    def write_registers(self, data: bytes | bytearray) -> None:
        """Writes the whole register file ('G')."""
        self.call("G" + data.hex())

    def read_register(self, number: int) -> int:
        """One 32-bit register ('p')."""
        return int(struct.unpack("<I", bytes.fromhex(self.call(f"p{number:x}")))[0])

    def write_register(self, number: int, value: int) -> None:
        """Writes one 32-bit register ('P')."""
        self.call(f"P{number:x}={struct.pack('<I', value & 0xFFFFFFFF).hex()}")

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory as the core sees it, in pieces of 2 KiB."""
        out = bytearray()
        while len(out) < length:
            size = min(_MAX_READ, length - len(out))
            out += bytes.fromhex(self.call(f"m{address + len(out):x},{size:x}"))
        return bytes(out)

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes memory of a stopped core, ROM too, in pieces of 2 KiB ('M')."""
        for start in range(0, len(data), _MAX_WRITE):
            piece = data[start : start + _MAX_WRITE]
            self.call(f"M{address + start:x},{len(piece):x}:{piece.hex()}")

    def insert(self, kind: int, address: int, size: int) -> None:
        """Sets a break- or watchpoint ('Z'): 0 software, 1 hardware, 2 write, 3 read, 4 access."""
        self.call(f"Z{kind},{address:x},{size:x}")

    def remove(self, kind: int, address: int, size: int) -> None:
        """Takes a break- or watchpoint back ('z')."""
        self.call(f"z{kind},{address:x},{size:x}")

    def set_step_flags(self, flags: int) -> None:
        """How a step runs: 1 enable, 2 no interrupts, 4 no timers (QEMU's ``Qqemu.sstep``)."""
        self.call(f"Qqemu.sstep={flags:x}")

    def step(self) -> None:
        """Executes one instruction and returns when it is done."""
        self._stopped = None
        self._send("s")
        self._receive()

    def resume(self) -> None:
        """Lets the core run and returns at once."""
        self._stopped = None
        self._send("c")

    def interrupt(self) -> str:
        """Stops a running core; returns the stop packet."""
        if self._stopped is None:
            self._write(b"\x03")
            self._stopped = self._receive()
        return self._stopped

    def poll_stop(self, timeout_s: float = 0.0) -> str | None:
        """The stop packet of a core that was resumed, or None while it runs; waits at most ``timeout_s``."""
        if self._stopped is None:
            self._stopped = self._next_packet()
        if self._stopped is None and self._readable(timeout_s):
            self._pending += self._chunk()
            self._stopped = self._next_packet()  # what was readable may be a mere acknowledgement
        return self._stopped

    def _readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._socket()], [], [], timeout_s)[0])

    def _drain(self) -> None:
        while self._readable(0.01):
            self._pending += self._chunk()
        while self._next_packet() is not None:
            pass

    def _socket(self) -> socket.socket:
        if self._sock is None:
            raise LinkLost("the gdbstub of the emulated board is not connected", board=self._board)
        return self._sock

    def _send(self, packet: str) -> None:
        body = packet.encode("ascii")
        self._write(b"$%s#%02x" % (body, sum(body) & 0xFF))

    def _write(self, data: bytes) -> None:
        try:
            self._socket().sendall(data)
        except OSError as error:
            raise self._lost("went away", error) from error

    def _receive(self) -> str:
        """One packet's text; waits for it."""
        while True:
            packet = self._next_packet()
            if packet is not None:
                return packet
            self._pending += self._chunk()

    def _next_packet(self) -> str | None:
        """Takes the next whole packet out of what has come, and acknowledges it; skips plus signs."""
        start = self._pending.find(b"$")
        end = self._pending.find(b"#", start) if start >= 0 else -1
        if end < 0 or len(self._pending) < end + 3:
            return None
        body = bytes(self._pending[start + 1 : end])
        del self._pending[: end + 3]
        self._write(b"+")
        if body[:1] in (b"W", b"X") and body[1:2].isalnum():
            raise LinkLost("the emulated board's QEMU has ended", board=self._board)
        return body.decode("ascii")

    def _chunk(self) -> bytes:
        try:
            data = self._socket().recv(65536)
        except TimeoutError as error:
            raise self._lost(f"did not answer in {self._timeout_s:.1f} s", error) from error
        except OSError as error:
            raise self._lost("went away", error) from error
        if not data:
            raise self._lost("was closed", None)
        return data

    def _lost(self, what: str, error: OSError | None) -> LinkLost:
        why = f": {error}" if error else ""
        return LinkLost(f"the gdbstub of the emulated board {what}{why}", board=self._board)
