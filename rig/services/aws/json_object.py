# SPDX-License-Identifier: MIT
"""JSON as a service may trust it: what Python reads beyond the standard is refused. Pure."""

from __future__ import annotations

import json
from typing import Any

Tree = dict[str, Any]
"""A JSON object."""


def read_json(text: str) -> Any:
    """Any JSON value. Raises ValueError for no JSON, and for what could not be sent back as it came."""
    try:
        value = json.loads(text, parse_constant=_no_number)
        # Half a character cannot be sent back, nor 1e999, which Python reads as a number without end.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return value


def compact(tree: Tree) -> bytes:
    """JSON as it is sent: no blanks, UTF-8."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def is_count(value: object) -> bool:
    """An integer of zero or more; true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
