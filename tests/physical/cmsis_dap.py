# SPDX-License-Identifier: MIT
"""The firmware of a CMSIS-DAP probe (CMSIS-DAP specification, version 2) before an emulated debug port.

Owns the packets and what an SW-DP adds to the port's registers: SELECT, the sticky error, acknowledgements.
How packets reach it is ``usb_bus.py``'s. What shall go wrong is a list of ``Fault``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from rig.emulator.debug_port import AP_DRW, DP_CTRL_STAT, DP_RDBUFF, DebugPort, MemoryFault
from rig.errors import LinkLost

OK, WAIT, FAULT, NO_ACK = 1, 2, 4, 7
PACKET_BYTES: Final = 512

_INFO, _LED, _CONNECT, _DISCONNECT, _CONFIGURE = 0x00, 0x01, 0x02, 0x03, 0x04
_TRANSFER, _BLOCK, _ABORT, _RESET = 0x05, 0x06, 0x08, 0x0A
_PINS, _CLOCK, _SEQUENCE, _SWD_CONFIGURE = 0x10, 0x11, 0x12, 0x13
_UNKNOWN = b"\xff"
_AP, _READ = 1, 2
_DP_ABORT, _DP_SELECT = 0x0, 0x8
_STICKYERR, _STKERRCLR = 1 << 5, 1 << 2
_N_RESET = 1 << 7

Kind = Literal["fault", "wait", "no ack", "flip", "vanish"]
_ACKS: Final = {"fault": FAULT, "wait": WAIT, "no ack": NO_ACK}


class Vanished(Exception):
    """The probe was pulled off the bus."""


@dataclass(slots=True)
class Fault:
    """Something that goes wrong when the ``after``-th word is written to RAM from ``low`` to ``high``.

    ``times``: at so many words in a row.
    """

    kind: Kind
    low: int = 0
    high: int = 0
    after: int = 1
    times: int = 1
    seen: int = field(default=0)

    def strikes(self, address: int) -> bool:
        """Counts a word that is about to be written; whether it is one of those that go wrong."""
        if not self.low <= address < self.high:
            return False
        self.seen += 1
        return self.after <= self.seen < self.after + self.times


class CmsisDap:
    """A probe that is wired to one board. ``port`` None: the board has no power, and nothing acknowledges."""

    def __init__(self, port: DebugPort | None, serial: str, faults: Sequence[Fault]) -> None:
        self._port = port
        self._faults = faults
        self._select = 0
        self._sticky = False
        self._reset_low = False
        self._strings = {1: "Rig", 2: "Simulated CMSIS-DAP", 3: serial, 4: "2.0.0"}
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            _INFO: self._info,
            _CONNECT: lambda _: b"\x01",  # SWD, whatever was asked for
            _TRANSFER: self._transfer,
            _BLOCK: self._block,
            _ABORT: self._write_abort,
            _RESET: lambda _: b"\0\0",
            _PINS: self._pins,
            **dict.fromkeys((_LED, _DISCONNECT, _CONFIGURE, _CLOCK, _SEQUENCE, _SWD_CONFIGURE), _done),
        }

    def execute(self, packet: bytes) -> bytes:
        """Carries out one command and returns its response. Raises Vanished."""
        command = self._commands.get(packet[0])
        return _UNKNOWN if command is None else packet[:1] + command(packet[1:])

    # --- commands

    def _info(self, data: bytes) -> bytes:
        numbers = {0xF0: b"\x01", 0xFE: b"\x01", 0xFF: struct.pack("<H", PACKET_BYTES)}
        text = self._strings.get(data[0])
        value = numbers.get(data[0], b"") if text is None else text.encode("ascii") + b"\0"
        return bytes((len(value),)) + value

    def _pins(self, data: bytes) -> bytes:
        output, selected = data[0], data[1]
        if selected & _N_RESET:
            released = bool(output & _N_RESET)
            if released and self._reset_low and self._port is not None:
                self._port.core.reset()
            self._reset_low = not released
        return bytes((0 if self._reset_low else _N_RESET,))

    def _write_abort(self, data: bytes) -> bytes:
        self._clear(struct.unpack_from("<I", data, 1)[0])
        return b"\0"

    def _transfer(self, data: bytes) -> bytes:
        count, at, done, ack, out = data[1], 2, 0, OK, b""
        for _ in range(count):
            request, at = data[at], at + 1
            if request & _READ:
                ack, values = self._read(request, 1)
                out += struct.pack(f"<{len(values)}I", *values)
            else:
                ack = self._write(request, struct.unpack_from("<I", data, at))
                at += 4
            if ack != OK:
                break
            done += 1
        return bytes((done, ack)) + out

    def _block(self, data: bytes) -> bytes:
        count, request = struct.unpack_from("<HB", data, 1)
        values: Sequence[int] = ()
        if request & _READ:
            ack, values = self._read(request, count)
        else:
            ack = self._write(request, struct.unpack_from(f"<{count}I", data, 4))
        done = count if ack == OK else 0
        return struct.pack("<HB", done, ack) + struct.pack(f"<{len(values)}I", *values)

    # --- the wire

    def _read(self, request: int, count: int) -> tuple[int, Sequence[int]]:
        found: list[Sequence[int]] = []
        ack = self._answered(lambda port: found.append(self._values(port, request, count)), request)
        return ack, found[0] if found else ()

    def _write(self, request: int, values: Sequence[int]) -> int:
        acks: list[int] = []
        ack = self._answered(lambda port: acks.append(self._written(port, request, values)), request)
        return acks[0] if acks else ack

    def _answered(self, access: Callable[[DebugPort], None], request: int) -> int:
        if self._port is None:
            return NO_ACK
        if self._sticky and request & _AP:
            return FAULT
        try:
            access(self._port)
        except MemoryFault:
            self._sticky = True
            return FAULT
        except LinkLost:  # the board lost its power
            self._port = None
            return NO_ACK
        return OK

    def _values(self, port: DebugPort, request: int, count: int) -> Sequence[int]:
        select, address = self._ap_address(request)
        if not request & _AP:
            return [self._read_dp(port, request & 0xC)] * count
        if address == AP_DRW and select == 0:
            return port.read_data(count)
        return [port.read_ap(select, address) for _ in range(count)]

    def _written(self, port: DebugPort, request: int, values: Sequence[int]) -> int:
        select, address = self._ap_address(request)
        if request & _AP and address == AP_DRW and select == 0:
            return self._write_data(port, values)
        for value in values:
            if request & _AP:
                port.write_ap(select, address, value)
            else:
                self._write_dp(port, request & 0xC, value)
        return OK

    def _write_data(self, port: DebugPort, values: Sequence[int]) -> int:
        """Words into memory; those before one that is not acknowledged are written."""
        sent, ack, begin = list(values), OK, port.transfer_address
        for index, fault in ((i, f) for i in range(len(sent)) for f in self._faults):
            if not fault.strikes(begin + 4 * index):
                continue
            if fault.kind == "vanish":
                raise Vanished
            if fault.kind == "flip":
                sent[index] ^= 1 << 9
            else:
                sent, ack = sent[:index], _ACKS[fault.kind]
                break
        port.write_data(sent)
        self._sticky |= ack == FAULT
        return ack

    def _read_dp(self, port: DebugPort, address: int) -> int:
        value = 0 if address == DP_RDBUFF else port.read_dp(address)
        return value | (_STICKYERR if address == DP_CTRL_STAT and self._sticky else 0)

    def _write_dp(self, port: DebugPort, address: int, value: int) -> None:
        if address == _DP_ABORT:
            self._clear(value)
        elif address == _DP_SELECT:
            self._select = value
        else:
            port.write_dp(address, value)

    def _clear(self, abort: int) -> None:
        if abort & _STKERRCLR:
            self._sticky = False

    def _ap_address(self, request: int) -> tuple[int, int]:
        return self._select >> 24, self._select & 0xF0 | request & 0xC


def _done(_: bytes) -> bytes:
    return b"\0"
