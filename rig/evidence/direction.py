# SPDX-License-Identifier: MIT
"""Which way of a figure is the better one. Owns the table, by unit and by name; knows nothing of runs.

The first rule that fits counts: names before units, because free bytes and used bytes share a unit.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final


class Better(StrEnum):
    """The better way of a figure; UNKNOWN where a difference is only a difference."""

    LOWER = "lower"
    HIGHER = "higher"
    UNKNOWN = ""


_BY_NAME: Final = (
    ("cal.*", Better.UNKNOWN),  # the instrument's own calibration
    ("*.fragmentation", Better.LOWER),
    ("metric.ramp.load", Better.HIGHER),  # what it carries before a deadline is missed
    *((f"*.{word}", Better.HIGHER) for word in ("unused", "lowest", "free", "min_ever", "largest")),
    *((f"*.{word}", Better.LOWER) for word in ("lost", "dropped", "missed", "errors", "retries", "leaked")),
)
_BY_UNIT: Final = {
    **dict.fromkeys(("instructions", "cycles", "ticks", "ns", "us", "µs", "ms", "s"), Better.LOWER),
    **dict.fromkeys(("B", "KiB", "MiB", "J", "mJ", "µJ", "A", "mA", "µA"), Better.LOWER),
    **dict.fromkeys(("1/s", "ops", "ops/s", "iterations", "B/s", "kB/s", "MB/s", "bit/s"), Better.HIGHER),
}


def better(name: str, unit: str) -> Better:
    """The better way of the measurement ``name`` in ``unit``."""
    for pattern, way in _BY_NAME:
        if fnmatchcase(name, pattern):
            return way
    return _BY_UNIT.get(unit, Better.UNKNOWN)
