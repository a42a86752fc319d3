# SPDX-License-Identifier: MIT
"""Payloads that are named by a length and a seed instead of carried over the console; pure.

Owns the host's side of the pattern, written apart from the firmware's (firmware/net/pattern.h).
"""

from __future__ import annotations


def pattern(length: int, seed: int) -> bytes:
    """As firmware/net/pattern.h says."""
    words = (length + 3) // 4
    return b"".join(_mix(seed + at * 0x9E3779B9).to_bytes(4, "little") for at in range(words))[:length]


def _mix(x: int) -> int:
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x &= 0xFFFFFFFF
        x = (x ^ x >> shift) * factor
    x &= 0xFFFFFFFF
    return x ^ x >> 16
