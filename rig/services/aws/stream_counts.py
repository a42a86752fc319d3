# SPDX-License-Identifier: MIT
"""How much of each stream was asked for and sent: what a resumed download cost. Not kept."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rig.services.aws.stream_request import Block


@dataclass(slots=True)
class _Count:
    requests: Counter[str] = field(default_factory=Counter)
    blocks: int = 0
    payload_bytes: int = 0
    last_block: int | None = None
    refused: Counter[str] = field(default_factory=Counter)


class StreamCounts:
    """Counts by stream. Safe from any thread."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()

    def request(self, stream: str, how: str) -> None:
        """A request for blocks that is served: ``json``, ``cbor`` or ``http``."""
        with self._lock:
            self._of(stream).requests[how] += 1

    def block(self, stream: str, block: Block) -> None:
        """A block that is sent."""
        with self._lock:
            count = self._of(stream)
            count.blocks += 1
            count.payload_bytes += len(block.data)
            count.last_block = block.index

    def refusal(self, stream: str, code: str) -> None:
        """A request that is refused."""
        with self._lock:
            self._of(stream).refused[code] += 1

    def told(self) -> dict[str, Any]:
        """All of it, as plain data by stream."""
        with self._lock:
            return {
                name: {
                    "requests": dict(count.requests), "blocks": count.blocks,
                    "payload_bytes": count.payload_bytes, "last_block": count.last_block,
                    "refused": dict(count.refused),
                }
                for name, count in self._counts.items()
            }  # fmt: skip

    def _of(self, stream: str) -> _Count:
        return self._counts.setdefault(stream, _Count())
