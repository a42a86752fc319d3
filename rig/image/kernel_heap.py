# SPDX-License-Identifier: MIT
"""The free list of a heap_4, walked through memory reads alone; the board may run meanwhile.

Owns the walk and the check that it saw one state of the heap: the free blocks add up to the kernel's own
count of free bytes, which is the same before and after.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from rig.errors import RigFault
from rig.image.kernel_layout import HeapLayout

ATTEMPTS = 20
MAX_COPY = 256 * 1024
"""Bytes that a heap and its variables may span to be read at once."""
ALLOCATED = 1 << 31
"""Top bit of a block's size: set while the block is the application's."""

ReadMemory = Callable[[int, int], bytes]
"""Reads ``length`` bytes at ``address`` of the board's memory, as ``Probe.read_memory``."""


@dataclass(frozen=True, slots=True)
class HeapView:
    """A heap_4, in bytes with block headers: ``largest`` is the largest of ``blocks`` free blocks.

    ``total`` is the size of the array; ``min_ever`` the least that was free since boot.
    """

    total: int
    free: int
    min_ever: int
    largest: int
    blocks: int

    @property
    def fragmentation(self) -> float:
        """1 - largest / free: 0 when all that is free is in one block, towards 1 when it is in many."""
        return 1 - self.largest / self.free if self.free else 0.0


def read_heap(layout: HeapLayout, read: ReadMemory) -> HeapView:
    """Walks the free list. Raises RigFault when no walk of many saw one state of the heap.

    Before the first allocation, when the kernel has not made its list yet, the whole array is one free block.
    """
    for number in range(ATTEMPTS):
        # Few bytes first; on a heap that is too busy for a walk, all of it with one read.
        if view := _attempt(layout, read if number < ATTEMPTS // 4 else _copied(layout, read)):
            return view
    raise RigFault(
        f"the heap's free list did not add up to its free bytes in {ATTEMPTS} walks",
        hint="Halt the core and read again; if it still does not, the list is overwritten",
    )


def allocated_size(layout: HeapLayout, address: int, read: ReadMemory) -> int | None:
    """The size of the allocated block whose content begins at ``address``; None when there is none."""
    array = layout.variables["ucHeap"]
    header = -layout.block.size % layout.alignment + layout.block.size
    if not array.at + header <= address < array.at + array.size:
        return None
    size = _word(read, address - header + layout.block.members["xBlockSize"].at)
    length = (size & ~ALLOCATED) - header
    return length if size & ALLOCATED and 0 < length <= array.at + array.size - address else None


def _attempt(layout: HeapLayout, read: ReadMemory) -> HeapView | None:
    places = layout.variables
    total, end = places["ucHeap"].size, _word(read, places["pxEnd"].at)
    if end == 0:
        return HeapView(total, total, total, total, 1)
    free, min_ever = (
        _word(read, places[name].at) for name in ("xFreeBytesRemaining", "xMinimumEverFreeBytesRemaining")
    )
    sizes = _free_blocks(layout, end, read)
    if sizes is None or sum(sizes) != free or _word(read, places["xFreeBytesRemaining"].at) != free:
        return None
    return HeapView(total, free, min_ever, max(sizes, default=0), len(sizes))


def _free_blocks(layout: HeapLayout, end: int, read: ReadMemory) -> list[int] | None:
    """The sizes of the free blocks in order of address, or None for a list that is being changed."""
    array, members = layout.variables["ucHeap"], layout.block.members
    # From V11 links may be stored exclusive-ored with a random word (configENABLE_HEAP_PROTECTOR).
    canary = layout.variables.get("xHeapCanary")
    mask = _word(read, canary.at) if canary else 0
    sizes: list[int] = []
    lowest, at = array.at, _word(read, layout.variables["xStart"].at + members["pxNextFreeBlock"].at) ^ mask
    while at != end:
        if at % layout.alignment or not lowest <= at <= array.at + array.size - layout.block.size:
            return None
        block = read(at, layout.block.size)
        (size,) = struct.unpack_from("<I", block, members["xBlockSize"].at)
        if not 0 < size <= array.at + array.size - at:
            return None
        sizes.append(size)
        lowest = at + size  # blocks are in order and do not overlap, so the walk ends
        at = struct.unpack_from("<I", block, members["pxNextFreeBlock"].at)[0] ^ mask
    return sizes


def _copied(layout: HeapLayout, read: ReadMemory) -> ReadMemory:
    low = min(place.at for place in layout.variables.values())
    high = max(place.at + place.size for place in layout.variables.values())
    if high - low > MAX_COPY:
        return read
    copy = read(low, high - low)
    return lambda address, length: copy[address - low :][:length]


def _word(read: ReadMemory, address: int) -> int:
    return int.from_bytes(read(address, 4), "little")
