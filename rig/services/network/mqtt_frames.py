# SPDX-License-Identifier: MIT
"""Cuts a stream of bytes into MQTT packets, by their fixed headers alone. Loses and invents no byte.

Pure. What cannot be a packet, and one that is longer than ``MOST_BYTES``, is handed on in pieces as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 4 * 1024 * 1024
"""The longest packet that is gathered before it is handed on; AWS IoT Core takes 128 KiB."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes of one packet, with its header. ``fault``: why this is no whole packet; empty if it is one."""

    raw: bytes
    fault: str = ""


class Framer:
    """One direction of a connection. The bytes of all frames, in order, are the bytes that were fed."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._passing = 0
        self._lost = ""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        self._held += data
        return list(self._frames())

    def flush(self) -> list[Frame]:
        """What is left when the stream has ended: half a packet, or nothing."""
        rest, self._held = bytes(self._held), bytearray()
        return [Frame(rest, "the stream ended within a packet")] if rest else []

    def _frames(self) -> Iterator[Frame]:
        at = 0
        while at < len(self._held):
            frame = self._next(at)
            if frame is None:
                break
            at += len(frame.raw)
            yield frame
        del self._held[:at]

    def _next(self, at: int) -> Frame | None:
        if self._lost:
            return Frame(bytes(self._held[at:]), self._lost)
        if self._passing:
            piece = bytes(self._held[at : at + self._passing])
            self._passing -= len(piece)
            return Frame(piece, "the rest of a packet that is too long to look at")
        size = _size(self._held, at)
        if size is None:
            return None
        if size < 0:
            self._lost = "the length has more than four bytes: this is no MQTT"
            return self._next(at)
        if size > self._most:
            return self._first_piece(at, size)
        return Frame(bytes(self._held[at : at + size])) if at + size <= len(self._held) else None

    def _first_piece(self, at: int, size: int) -> Frame:
        piece = bytes(self._held[at : at + size])
        self._passing = size - len(piece)
        return Frame(piece, f"{size} bytes: too long to look at")


def _size(data: bytearray, at: int) -> int | None:
    """Bytes of the packet that begins at ``at``, header included; None: not known yet; -1: no packet."""
    value = 0
    for place in range(4):
        where = at + 1 + place
        if where >= len(data):
            return None
        value |= (data[where] & 0x7F) << (7 * place)
        if data[where] < 0x80:
            return 2 + place + value
    return -1
