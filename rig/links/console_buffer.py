# SPDX-License-Identifier: MIT
"""The last bytes of a console in memory, with the time each came: what ``expect`` searches.

Owns the bound on memory. Not thread-safe by itself: ``console_stream.py`` holds the lock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

BLOCK_BYTES = 64 * 1024
_STAMPS_KEPT = 4096  # of a full block; older times are then known to within 16 bytes of stream
_PIECES_KEPT = 256  # then they are joined: single bytes that trickle in must not cost 40 each


class _Block:
    __slots__ = ("offsets", "pieces", "size", "start", "times")

    def __init__(self, start: int) -> None:
        self.start = start
        self.size = 0
        self.pieces: list[bytes] = []
        self.offsets: list[int] = []
        self.times: list[int] = []

    def data(self) -> bytes:
        """All its bytes; copied once, however often they are asked for."""
        if len(self.pieces) > 1:
            self.pieces = [b"".join(self.pieces)]
        return self.pieces[0] if self.pieces else b""

    def finish(self) -> None:
        """It is full: bounds the stamps. Its bytes are joined when somebody wants them."""
        step = -(-len(self.times) // _STAMPS_KEPT)
        if step > 1:
            self.offsets = self.offsets[::step]
            self.times = self.times[::step]


class StreamBuffer:
    """Keeps at least the last ``limit_bytes`` of a stream (and at most two blocks more)."""

    def __init__(self, limit_bytes: int) -> None:
        self.end = 0
        """Bytes ever appended."""
        self._limit = limit_bytes
        self._blocks: deque[_Block] = deque([_Block(0)])

    @property
    def start(self) -> int:
        """Offset of the oldest byte still here."""
        return self._blocks[0].start

    def append(self, data: bytes, t_ns: int) -> None:
        """Adds bytes that came at ``t_ns``; forgets the oldest ones."""
        block = self._blocks[-1]
        if block.size >= BLOCK_BYTES:
            block.finish()
            block = _Block(self.end)
            self._blocks.append(block)
        block.offsets.append(self.end)
        block.times.append(t_ns)
        block.pieces.append(data)
        block.size += len(data)
        self.end += len(data)
        if len(block.pieces) >= _PIECES_KEPT:
            block.data()
        while len(self._blocks) > 1 and self.end - self._blocks[1].start >= self._limit:
            self._blocks.popleft()

    def parts(self, since: int) -> tuple[int, list[bytes]]:
        """The bytes from ``since`` (or from the oldest there is) in pieces, and where they begin."""
        start = max(since, self.start)
        found: list[bytes] = []
        for block in reversed(self._blocks):
            data = block.data()
            found.append(data if block.start >= start else data[start - block.start :])
            if block.start <= start:
                break
        return start, found[::-1]

    def time_of(self, offset: int) -> int:
        """When the byte at ``offset`` came, in ns of the run's clock; of the oldest one if it is gone."""
        for block in reversed(self._blocks):
            if block.start <= offset and block.times:
                return block.times[max(0, bisect_right(block.offsets, offset) - 1)]
        times = self._blocks[0].times
        return times[0] if times else 0
