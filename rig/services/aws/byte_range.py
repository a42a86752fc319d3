# SPDX-License-Identifier: MIT
"""The Range header of HTTP (RFC 9110, sections 14.1 and 14.2), as far as one range of bytes goes. Pure."""

from __future__ import annotations

import re
from typing import Final

_RANGE: Final = re.compile(
    r"\s*bytes\s*=\s*(?P<first>\d{1,18})?\s*-\s*(?P<last>\d{1,18})?\s*", re.ASCII | re.I
)


class Unsatisfiable(Exception):
    """No byte of the file lies in the range: status 416."""


def read_range(header: str | None, size: int) -> range | None:
    """The places of the bytes that are asked for; None where all are: no header, several ranges, or none.

    Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last = found["first"], found["last"]
    if first is None:
        if last is None:
            return None
        return _within(max(0, size - int(last)), size, size)
    if last is not None and int(last) < int(first):
        return None  # such a range is to be ignored
    return _within(int(first), size if last is None else int(last) + 1, size)


def _within(first: int, end: int, size: int) -> range:
    if first >= min(end, size):
        raise Unsatisfiable
    return range(first, min(end, size))
