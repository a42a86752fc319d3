# SPDX-License-Identifier: MIT
"""The fields of what a board said, read as what they must be: nonsense in them is the board's fault.

Owns the forms of values and the error, which says what was expected and what stood there. Whose board it is,
and where in the transcript, adds who knows: ``pytest_plugin/qualification.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final, Literal, TypeVar

from rig.errors import BoardGarbled

T = TypeVar("T")

_WHOLE: Final = {10: re.compile(r"-?[0-9]+"), 16: re.compile(r"(0x)?[0-9A-Fa-f]+")}
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_OCTETS: Final = re.compile(r"([0-9A-Fa-f]{2})*")


class Fields(dict[str, str]):
    """The fields of a line. One that must be there and is not is a board's fault: BoardGarbled.

    So is one that is asked for as something it is not: a number of letters is what the board said, and no
    trouble of the rig's. All of these raise BoardGarbled.
    """

    def __missing__(self, key: str) -> str:
        there = ", ".join(self) or "none"
        raise BoardGarbled(f"a line lacks the field '{key}', which it must have; it has: {there}")

    def integer(self, key: str, base: Literal[10, 16] = 10) -> int:
        """A whole number, decimal or hexadecimal."""
        if not _WHOLE[base].fullmatch(self[key]):
            raise self._nonsense(key, f"a whole number to the base {base}")
        return int(self[key], base)

    def positive(self, key: str) -> int:
        """A whole number above 0, such as one that something is divided by."""
        if (value := self.integer(key)) <= 0:
            raise self._nonsense(key, "a whole number above 0")
        return value

    def integers(self) -> dict[str, int]:
        """Every field of the line, as whole numbers."""
        return {key: self.integer(key) for key in self}

    def number(self, key: str) -> float:
        """A number that may have a fraction."""
        if not _NUMBER.fullmatch(self[key]):
            raise self._nonsense(key, "a number")
        return float(self[key])

    def flag(self, key: str) -> bool:
        """1 or 0."""
        if self[key] not in ("0", "1"):
            raise self._nonsense(key, "0 or 1")
        return self[key] == "1"

    def octets(self, key: str) -> bytes:
        """Bytes, two hexadecimal digits each."""
        if not _OCTETS.fullmatch(self[key]):
            raise self._nonsense(key, "bytes of two hexadecimal digits each")
        return bytes.fromhex(self[key])

    def address(self, key: str) -> IPv4Address:
        """An IPv4 address."""
        try:
            return IPv4Address(self[key])
        except AddressValueError as error:
            raise self._nonsense(key, "an IPv4 address") from error

    def listed(self, key: str) -> list[int]:
        """Whole numbers with commas between them; none where it is empty."""
        pieces = self[key].split(",") if self[key] else []
        if not all(_WHOLE[10].fullmatch(piece) for piece in pieces):
            raise self._nonsense(key, "whole numbers with commas between them")
        return [int(piece) for piece in pieces]

    def json(self, key: str) -> Any:
        """A JSON text (RFC 8259)."""
        try:
            return json.loads(self[key])
        except ValueError as error:
            raise self._nonsense(key, "JSON") from error

    def _nonsense(self, key: str, expected: str) -> BoardGarbled:
        message = (
            f"expected {expected} in the field '{key}', it is {self[key]!r}; the line has {dict(self)!r}"
        )
        return BoardGarbled(message)


def only(found: Sequence[T], what: str) -> T:
    """The one of its kind that a board must say or do. Raises BoardGarbled where there are more, or none."""
    return exactly(1, found, what)[0]


def exactly(count: int, found: Sequence[T], what: str) -> Sequence[T]:
    """Those of a kind, where a board must say or do that many. Raises BoardGarbled where it did not."""
    if len(found) != count:
        raise BoardGarbled(f"expected {count} of {what}, there are {len(found)}: {list(found)!s:.500}")
    return found
