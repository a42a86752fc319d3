# SPDX-License-Identifier: MIT
"""The bytes that a length and a seed name, written apart from firmware/net/pattern.c."""

from __future__ import annotations


def pattern(length: int, seed: int) -> bytes:
    """As firmware/net/pattern.h says."""
    state, out = seed or 0x9E3779B9, bytearray()
    while len(out) < length:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        out += state.to_bytes(4, "little")
    return bytes(out[:length])
