# SPDX-License-Identifier: MIT
"""The telnet side of a serial port server: finding commands among the bytes, and agreeing on the port. Pure.

RFC 854 (commands, 0xFF doubled), RFC 856 (binary: without it 0x0D would come with a NUL) and RFC 2217
(COM-PORT-OPTION: the server sets up its serial port as the client asks, and says what it set). Owns no socket
and no waiting.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_BINARY, _SUPPRESS_GO_AHEAD, _COM_PORT = 0, 3, 44
_WANTED = (_COM_PORT, _BINARY, _SUPPRESS_GO_AHEAD)
_SET_BAUDRATE, _SET_DATASIZE, _SET_PARITY, _SET_STOPSIZE, _SET_CONTROL = 1, 2, 3, 4, 5
_FROM_SERVER = 100  # an answer has the number of its request plus this (RFC 2217, section 3)
_SUSPEND, _RESUME = 108, 109
_SETTINGS = {_SET_BAUDRATE: "baud", _SET_DATASIZE: "data bits", _SET_PARITY: "parity", _SET_STOPSIZE: "stop"}
_LONGEST = 1024  # of a subnegotiation; the longest that has a meaning here is a signature


@dataclass(frozen=True, slots=True)
class Option:
    """The other end will, won't, or asks us to do or not to do an option."""

    verb: int
    option: int


@dataclass(frozen=True, slots=True)
class Sub:
    """A subnegotiation: the option, and what was said."""

    option: int
    data: bytes


def quoted(data: bytes) -> bytes:
    """Bytes as they go over the line: 0xFF doubled."""
    return data.replace(b"\xff", b"\xff\xff")


class Unquoter:
    """Tells data from commands in a stream that comes in chunks of any size."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, list[Option | Sub]]:
        """The data and the commands among the next bytes; a command that is not whole yet is held."""
        data = self._held + data if self._held else data
        self._held = b""
        out: list[bytes] = []
        found: list[Option | Sub] = []
        at = 0
        while (iac := data.find(_IAC, at)) >= 0:
            out.append(data[at:iac])
            at, item = _command(data, iac)
            if at == iac:
                self._held = data[iac:]
                return b"".join(out), found
            if isinstance(item, bytes):
                out.append(item)
            elif item is not None:
                found.append(item)
        return (b"".join([*out, data[at:]]) if out else data), found


def _command(data: bytes, at: int) -> tuple[int, bytes | Option | Sub | None]:
    """What begins at an IAC, and where it ends; it ends where it begins when it is not whole."""
    verb = data[at + 1] if at + 1 < len(data) else None
    if verb is None:
        return at, None
    if verb == _IAC:
        return at + 2, b"\xff"
    if verb in (_DO, _DONT, _WILL, _WONT):
        return (at + 3, Option(verb, data[at + 2])) if at + 2 < len(data) else (at, None)
    return _subnegotiation(data, at) if verb == _SB else (at + 2, None)


def _subnegotiation(data: bytes, at: int) -> tuple[int, Sub | None]:
    content, here = bytearray(), at + 2
    while (iac := data.find(_IAC, here)) >= 0 and iac + 1 < len(data):
        content += data[here:iac]
        here = iac + 2
        if data[iac + 1] == _SE:
            return here, Sub(content[0], bytes(content[1:])) if content else None
        content.append(data[iac + 1])
    return (len(data), None) if len(data) - at > _LONGEST else (at, None)


class Negotiation:
    """What has been agreed with the server, and what to say next. ``baud`` with 8 data bits, none, 1 stop.

    Modem lines are left alone: a board that they reset is not reset by us.
    """

    def __init__(self, baud: int) -> None:
        self._wanted = {
            _SET_BAUDRATE: struct.pack(">I", baud),
            _SET_DATASIZE: b"\x08",
            _SET_PARITY: b"\x01",
            _SET_STOPSIZE: b"\x01",
        }
        self._set: set[int] = set()
        self._said: set[tuple[int, int]] = set()
        self._agreed: set[tuple[int, int]] = set()
        self._asked = False
        self.refusal = ""
        """Why this port cannot be used, as soon as that is known."""
        self.suspended = False
        """The server asks us to send nothing (RFC 2217, FLOWCONTROL-SUSPEND)."""

    @property
    def done(self) -> bool:
        """Whether the port is set up and every byte goes through unchanged, both ways."""
        return self._set == set(self._wanted) and {(_DO, _BINARY), (_WILL, _BINARY)} <= self._agreed

    def begin(self) -> bytes:
        """The first thing to say."""
        asked = [(_WILL, option) for option in _WANTED] + [(_DO, option) for option in _WANTED[1:]]
        return b"".join(self._say(verb, option) for verb, option in asked)

    def hear(self, command: Option | Sub) -> bytes:
        """Takes what the server said; returns the answer."""
        if isinstance(command, Sub):
            if command.option == _COM_PORT and command.data:
                self._hear_port(command.data[0], command.data[1:])
            return b""
        return self._hear_option(command.verb, command.option)

    def _hear_option(self, verb: int, option: int) -> bytes:
        """Each answer is given once, which no loop survives (RFC 1143, section 2)."""
        wanted, ours = option in _WANTED, verb in (_DO, _DONT)
        if verb in (_DONT, _WONT):
            self._refused(option, ours=ours)
            return self._say(_WONT if ours else _DONT, option)
        if not wanted:
            return self._say(_WONT if ours else _DONT, option)
        self._agreed.add((verb, option))
        answer = self._say(_WILL if ours else _DO, option)
        if (verb, option) == (_DO, _COM_PORT) and not self._asked:
            self._asked = True
            answer += b"".join(_sub(number, value) for number, value in self._wanted.items())
            answer += _sub(_SET_CONTROL, b"\x01")  # no flow control
        return answer

    def _refused(self, option: int, *, ours: bool) -> None:
        if option == _COM_PORT and ours:
            self.refusal = "it sets up no port (RFC 2217 refused); if it passes bytes as they are: socket://"
        elif option == _BINARY:
            self.refusal = "it does not pass all bytes (telnet's binary mode refused)"

    def _hear_port(self, number: int, value: bytes) -> None:
        if number in (_SUSPEND, _RESUME):
            self.suspended = number == _SUSPEND
        setting = number - _FROM_SERVER
        if setting not in self._wanted:
            return
        wanted = self._wanted[setting]
        if value == wanted:
            self._set.add(setting)
        else:
            has, asked = int.from_bytes(value, "big"), int.from_bytes(wanted, "big")
            self.refusal = f"it has set {_SETTINGS[setting]} to {has}, asked was {asked}"

    def _say(self, verb: int, option: int) -> bytes:
        """Said once, but for a change of mind."""
        if (verb, option) in self._said:
            return b""
        self._said.add((verb, option))
        self._said.discard((_OPPOSITE[verb], option))
        return bytes((_IAC, verb, option))


_OPPOSITE = {_DO: _DONT, _DONT: _DO, _WILL: _WONT, _WONT: _WILL}


def _sub(number: int, value: bytes) -> bytes:
    return bytes((_IAC, _SB, _COM_PORT, number)) + quoted(value) + bytes((_IAC, _SE))
