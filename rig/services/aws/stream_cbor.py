# SPDX-License-Identifier: MIT
"""CBOR as a device's stream request is: one flat map from texts to numbers, texts and bytes. Pure.

A reader of its own, because a general one builds whatever a stranger's few bytes tell it to: nested arrays,
numbers with exponents, regular expressions. Here nothing is larger than the message and nothing is nested.
Source of the encoding: RFC 8949, section 3. Replies are written by cbor2.
"""

from __future__ import annotations

from typing import Final

Value = int | str | bytes | None

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _MAP, _SIMPLE = 0, 1, 2, 3, 5, 7
_INDEFINITE: Final = -1
_BREAK: Final = 0xFF
_NULLS: Final = (22, 23)  # null, undefined


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise ValueError("cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def head(self) -> tuple[int, int]:
        """The major type, and the argument or _INDEFINITE."""
        first = self.take(1)[0]
        kind, short = first >> 5, first & 0x1F
        if short < 24:
            return kind, short
        if short <= 27:
            return kind, int.from_bytes(self.take(1 << (short - 24)), "big")
        if short == 31 and kind in (_BYTES, _TEXT, _MAP):
            return kind, _INDEFINITE
        raise ValueError("not well-formed")

    def ends(self) -> bool:
        """Whether what has no stated length ends here; goes past its end."""
        if self._data[self._at : self._at + 1] == bytes([_BREAK]):
            self._at += 1
            return True
        return False

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def read_flat_map(data: bytes) -> dict[str, Value]:
    """The map. Raises ValueError for anything else, and for bytes after it."""
    reader = _Reader(data)
    kind, count = reader.head()
    if kind != _MAP:
        raise ValueError("no map")
    found: dict[str, Value] = {}
    while not reader.ends() if count == _INDEFINITE else len(found) < count:
        key = _value(reader)
        if not isinstance(key, str) or key in found:
            raise ValueError("a key is no text, or is there twice")
        found[key] = _value(reader)
    if reader.left:
        raise ValueError("bytes after the map")
    return found


def _value(reader: _Reader) -> Value:
    kind, argument = reader.head()
    if kind == _UNSIGNED:
        return argument
    if kind == _NEGATIVE:
        return -1 - argument
    if kind in (_BYTES, _TEXT):
        whole = b"".join(_chunks(reader, kind)) if argument == _INDEFINITE else reader.take(argument)
        return whole.decode() if kind == _TEXT else whole
    if kind == _SIMPLE and argument in _NULLS:
        return None
    raise ValueError("neither a number, nor text, nor bytes")


def _chunks(reader: _Reader, kind: int) -> list[bytes]:
    chunks = []
    while not reader.ends():
        inner, length = reader.head()
        if inner != kind or length == _INDEFINITE:
            raise ValueError("a chunk of another kind")
        chunk = reader.take(length)
        if kind == _TEXT:
            chunk.decode()
        chunks.append(chunk)
    return chunks
