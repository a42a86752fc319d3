# SPDX-License-Identifier: MIT
"""The data types of MQTT packets, read and written: integers, strings, and the properties of version 5.

Pure. Sources: MQTT 3.1.1, section 1.5; MQTT 5.0, sections 1.5 and 2.2.2. Knows no packet.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

PropertyType = Literal["u8", "u16", "u32", "length", "text", "blob", "pair"]
PropertyValue = int | str | bytes | tuple[str, str]
Properties = tuple[tuple[int, PropertyValue], ...]
"""(identifier, value) in the order of the wire; a user property may stand there more than once."""

PROPERTIES: Final[Mapping[int, tuple[str, PropertyType]]] = MappingProxyType(
    {
        1: ("payload_format", "u8"),
        2: ("message_expiry_s", "u32"),
        3: ("content_type", "text"),
        8: ("response_topic", "text"),
        9: ("correlation_data", "blob"),
        11: ("subscription_id", "length"),
        17: ("session_expiry_s", "u32"),
        18: ("assigned_client", "text"),
        19: ("server_keep_alive_s", "u16"),
        21: ("authentication_method", "text"),
        22: ("authentication_data", "blob"),
        23: ("request_problem", "u8"),
        24: ("will_delay_s", "u32"),
        25: ("request_response", "u8"),
        26: ("response_information", "text"),
        28: ("server_reference", "text"),
        31: ("reason", "text"),
        33: ("receive_maximum", "u16"),
        34: ("topic_alias_maximum", "u16"),
        35: ("topic_alias", "u16"),
        36: ("maximum_qos", "u8"),
        37: ("retain_available", "u8"),
        38: ("user", "pair"),
        39: ("maximum_packet", "u32"),
        40: ("wildcards_available", "u8"),
        41: ("subscription_ids_available", "u8"),
        42: ("shared_available", "u8"),
    }
)
"""Identifier of a property: its name in events, and its type (MQTT 5.0, table 2-4)."""

MOST_LENGTH: Final = 268_435_455
"""The largest number that four bytes of seven bits hold."""


class MalformedError(ValueError):
    """The bytes are no packet; says why."""


class Reader:
    """Takes data types off the front of a packet's bytes. Every method raises MalformedError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next bytes as they are."""
        if count > self.left:
            raise MalformedError(f"ends {count - self.left} bytes early")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes, the most significant first."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Four bytes, the most significant first."""
        return int.from_bytes(self.take(4), "big")

    def length(self) -> int:
        """A variable byte integer, in its shortest form."""
        value = 0
        for place in range(4):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if place and not byte:
                    raise MalformedError("a variable byte integer has more bytes than it needs")
                return value
        raise MalformedError("a variable byte integer has more than four bytes")

    def blob(self) -> bytes:
        """Bytes with their count before them."""
        return self.take(self.u16())

    def text(self, what: str) -> str:
        """A string; it must be UTF-8 without the null character."""
        raw = self.blob()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError(f"{what} is not UTF-8, at byte {error.start}") from error
        if "\0" in text:
            raise MalformedError(f"{what} holds a null character")
        return text

    def properties(self) -> Properties:
        """The properties of a packet of version 5."""
        inner = Reader(self.take(self.length()))
        found: list[tuple[int, PropertyValue]] = []
        while inner.left:
            found.append(inner._property({number for number, _ in found}))
        return tuple(found)

    def _property(self, before: set[int]) -> tuple[int, PropertyValue]:
        number = self.length()
        if number not in PROPERTIES:
            raise MalformedError(f"property {number} does not exist")
        name, kind = PROPERTIES[number]
        if number in before and kind != "pair" and name != "subscription_id":
            raise MalformedError(f"property {name} stands there twice")
        if kind == "text":
            return number, self.text(name)
        if kind == "pair":
            return number, (self.text(name), self.text(name))
        return number, self.blob() if kind == "blob" else self._number(kind)

    def _number(self, kind: PropertyType) -> int:
        if kind == "u8":
            return self.u8()
        if kind == "u16":
            return self.u16()
        return self.u32() if kind == "u32" else self.length()

    def end(self) -> None:
        """Nothing may be left."""
        if self.left:
            raise MalformedError(f"{self.left} bytes too many")


def length_bytes(value: int) -> bytes:
    """A variable byte integer. Raises ValueError outside of its range."""
    if not 0 <= value <= MOST_LENGTH:
        raise ValueError(f"a length must be 0 to {MOST_LENGTH}, got {value}")
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def u16_bytes(value: int) -> bytes:
    """Two bytes; raises struct.error outside of their range."""
    return struct.pack(">H", value)


def blob_bytes(value: bytes) -> bytes:
    """Bytes with their count before them."""
    return u16_bytes(len(value)) + value


def text_bytes(value: str) -> bytes:
    """A string with the count of its bytes before it."""
    return blob_bytes(value.encode("utf-8"))


def properties_bytes(properties: Properties) -> bytes:
    """Properties with their length before them."""
    body = b"".join(length_bytes(number) + _value_bytes(number, value) for number, value in properties)
    return length_bytes(len(body)) + body


def _value_bytes(number: int, value: PropertyValue) -> bytes:
    if isinstance(value, str):
        return text_bytes(value)
    if isinstance(value, bytes):
        return blob_bytes(value)
    if isinstance(value, tuple):
        return b"".join(map(text_bytes, value))
    kind = PROPERTIES[number][1]
    if kind == "length":
        return length_bytes(value)
    return value.to_bytes({"u8": 1, "u16": 2}.get(kind, 4), "big")
