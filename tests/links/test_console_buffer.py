# SPDX-License-Identifier: MIT
"""What a console keeps in memory: the last bytes, whatever pieces they came in, and when each came."""

from __future__ import annotations

import random
import sys

import pytest

from rig.links.console_buffer import BLOCK_BYTES, StreamBuffer


@pytest.mark.parametrize("seed", range(10))
def test_it_keeps_the_last_bytes_and_their_times(seed: int) -> None:
    dice, limit = random.Random(seed), 3 * BLOCK_BYTES
    buffer, stream, times = StreamBuffer(limit), b"", []
    for t_ns in range(400):
        piece = dice.randbytes(dice.choice((1, 7, 300, 4095)))
        buffer.append(piece, t_ns)
        stream += piece
        times += [t_ns] * len(piece)
        if dice.random() < 0.1:
            since = dice.randrange(len(stream) + 1)
            start, parts = buffer.parts(since)
            assert start == max(since, buffer.start)
            assert b"".join(parts) == stream[start:]
            at = dice.randrange(buffer.start, len(stream))
            assert buffer.time_of(at) == times[at]
    assert buffer.end == len(stream)
    assert limit <= buffer.end - buffer.start <= limit + 2 * BLOCK_BYTES


def test_what_was_handed_out_does_not_change() -> None:
    buffer = StreamBuffer(BLOCK_BYTES)
    buffer.append(b"abc", 1)
    _, before = buffer.parts(0)
    buffer.append(b"def", 2)
    assert (before, buffer.parts(0)) == ([b"abc"], (0, [b"abcdef"]))


def test_single_bytes_that_trickle_in_do_not_cost_an_object_each() -> None:
    buffer = StreamBuffer(BLOCK_BYTES)
    for t_ns in range(BLOCK_BYTES):
        buffer.append(b"x", t_ns)
    (block,) = buffer._blocks
    assert sum(map(sys.getsizeof, block.pieces)) < 2 * BLOCK_BYTES
