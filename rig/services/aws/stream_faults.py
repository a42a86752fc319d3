# SPDX-License-Identifier: MIT
"""What the switches do to requests for blocks and to the blocks themselves. Owns no transport."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from rig.services.aws.fault_switches import MOMENTS, FaultSwitches
from rig.services.aws.stream_request import Block, StreamRefused

Moment = Callable[[str, str, int], None]
"""Told of a fault that is due now and is another's to make: its kind, the stream, and at which block."""


class StreamFaults:
    """The faults of one service's streams. ``request`` and ``moments`` from any thread, the rest from one."""

    def __init__(
        self, switches: FaultSwitches, moment: Moment, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._switches = switches
        self._moment = moment
        self._monotonic = monotonic
        self._held: dict[str, list[Block]] = {}
        self._free_at = 0.0

    def request(self) -> bool:
        """Whether a request is to be answered at all. Raises StreamRefused where it is to be refused."""
        if self._switches.take("silent_server") is not None:
            return False
        if self._switches.take("stream_version_mismatch") is not None:
            raise StreamRefused(
                "VersionMismatch", "The stream has another version (a fault that was asked for)"
            )
        if (refuse := self._switches.take("stream_rejected")) is not None:
            raise StreamRefused(refuse["code"], "A fault that was asked for")
        return True

    def blocks(self, stream: str, blocks: Iterable[Block], blocks_of_file: int) -> Iterator[Block]:
        """The blocks as they are to be sent, and in that order."""
        for block in blocks:
            self.moments(stream, block.index)
            if self._switches.take("block_lost", block.index) is not None:
                continue
            sent = self._changed(block, blocks_of_file)
            if self._switches.take("block_reordered", block.index) is not None:
                self._held.setdefault(stream, []).append(sent)
                continue
            yield sent
            if self._switches.take("block_duplicate", block.index) is not None:
                yield sent
            yield from self._held.pop(stream, ())

    def moments(self, stream: str, block: int) -> None:
        """Tells of each that is due at the block."""
        for kind in MOMENTS:
            if self._switches.take(kind, block) is not None:
                self._moment(kind, stream, block)

    def delay_s(self, size: int) -> float:
        """How much later than now so many bytes are to be sent, on a link that is made slow."""
        slow = self._switches.take("slow_link")
        if slow is None:
            return 0.0
        now = self._monotonic()
        self._free_at = max(now, self._free_at) + size / slow["bytes_per_s"]
        return self._free_at - now

    def _changed(self, block: Block, blocks_of_file: int) -> Block:
        if self._switches.take("block_corrupt", block.index) is not None:
            block = replace(block, data=with_a_bit_flipped(block.data))
        if (size := self._switches.take("block_wrong_size", block.index)) is not None:
            data = resized(block.data, size["by"])
            block = replace(block, data=data, said_length=len(data))
        if self._switches.take("block_wrong_file", block.index) is not None:
            block = replace(block, file=(block.file + 1) % 256, data=bytes(len(block.data)))
        if self._switches.take("block_out_of_range", block.index) is not None:
            block = replace(block, index=blocks_of_file + block.index)
        return block


_BIT: Final = 0x10


def with_a_bit_flipped(data: bytes) -> bytes:
    """One bit in the middle is another."""
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ _BIT for byte in data[middle : middle + 1]) + data[middle + 1 :]


def resized(data: bytes, by: int) -> bytes:
    """So many bytes longer (with 0xFF) or shorter."""
    return data + b"\xff" * by if by > 0 else data[: max(0, len(data) + by)]
