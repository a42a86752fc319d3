# SPDX-License-Identifier: MIT
"""One way of one connection through the byte proxy: bytes go in, and come out late, slowed, damaged, or cut.

Owns the queue of a connection's way and the order in it. Runs in the proxy's loop and nowhere else. With no
fault that meets it, bytes are handed on in the same call in which they came.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from rig.services.network.faults import Bandwidth, Corrupt, CutAfter, Delay, Fault, Stall, Way

HELD_BYTES: Final = 256 * 1024
"""A way that holds more than this takes no more: the sender's own flow control tells it so."""
_PIECE: Final = 1460  # a narrow link passes segments, not whole writes


class Outlet(Protocol):
    """What is behind a pipe: the other end of the connection, and the connection's fate."""

    def write(self, data: bytes) -> None: ...

    def end(self) -> None:
        """No more bytes come this way."""
        ...

    def cut(self, reset: bool) -> None:
        """Ends the whole connection, both ways."""
        ...

    def hold(self, full: bool) -> None:
        """Whether the sender has to wait."""
        ...

    def hit(self, active: Active, **what: int) -> None:
        """The fault did something to this connection."""
        ...


class Active:
    """A fault in force, with what its connections share: when each way of a narrow link is free again."""

    __slots__ = ("fault", "free_at", "hits")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.free_at = {"up": 0.0, "down": 0.0}
        self.hits = 0


class _Memory:
    """What one way of a connection remembers of a fault: its dice, and bytes since or until something."""

    __slots__ = ("dice", "passed", "sound")

    def __init__(self, fault: Fault, salt: str) -> None:
        self.dice = random.Random(f"{getattr(fault, 'seed', 0)} {salt}")
        self.passed = 0
        self.sound = _gap(self.dice, fault.probability) if isinstance(fault, Corrupt) else 0


class Pipe:
    """The bytes of one way. ``active`` is asked anew for every piece: faults come and go.

    ``number`` is the connection's: with the seed of a fault and the way it decides what chance does.
    """

    def __init__(
        self,
        way: Way,
        number: int,
        outlet: Outlet,
        active: Callable[[], Sequence[Active]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._way: Way = way
        self._number = number
        self._outlet = outlet
        self._active = active
        self._loop = loop
        self._queue: deque[tuple[float, bytes | None]] = deque()
        self._held = 0
        self._full = False
        self._last_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._memories: dict[Active, _Memory] = {}
        self._closed = False

    def feed(self, data: bytes) -> None:
        """Takes bytes that came now."""
        active = self._mine()
        if not active and not self._queue:
            self._outlet.write(data)
            return
        for each in active:
            if isinstance(each.fault, Corrupt):
                data = self._damaged(data, each, each.fault)
        narrow = any(isinstance(each.fault, Bandwidth) for each in active)
        size = _PIECE if narrow else len(data)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            self._enter(piece, self._due(len(piece), active))
        self._pump()

    def end(self) -> None:
        """The sender has said its last; that goes on behind what is queued."""
        self._enter(None, self._last_due)
        self._pump()

    def changed(self) -> None:
        """Faults began or ended: what waited for one that is gone goes on now."""
        active = self._mine()
        if not any(isinstance(each.fault, Delay | Bandwidth) for each in active):
            self._queue = deque((0.0, data) for _, data in self._queue)
            self._last_due = 0.0
        self._memories = {each: memory for each, memory in self._memories.items() if each in active}
        self._pump()

    def close(self) -> None:
        """Forgets all: the connection is gone."""
        self._closed = True
        self._queue.clear()
        self._stop_timer()

    def _mine(self) -> list[Active]:
        return [each for each in self._active() if each.fault.meets(self._way)]

    def _enter(self, data: bytes | None, due: float) -> None:
        self._last_due = due
        self._queue.append((due, data))
        self._held += len(data or b"")
        self._tell_sender()

    def _due(self, count: int, active: Sequence[Active]) -> float:
        due = self._loop.time()
        for each in active:
            if isinstance(each.fault, Bandwidth):
                due = max(due, each.free_at[self._way]) + count / each.fault.bytes_per_s
                each.free_at[self._way] = due
        for each in active:
            if isinstance(each.fault, Delay):
                due += each.fault.delay_s + self._memory(each).dice.uniform(0, each.fault.jitter_s)
        return max(due, self._last_due)

    def _damaged(self, data: bytes, each: Active, fault: Corrupt) -> bytes:
        """The same bytes are damaged in the same places, however they come in pieces."""
        memory, out, at, flipped = self._memory(each), bytearray(data), 0, 0
        while len(out) - at > memory.sound:
            at += memory.sound
            out[at] ^= 1 << memory.dice.randrange(8)
            at, flipped = at + 1, flipped + 1
            memory.sound = _gap(memory.dice, fault.probability)
        memory.sound -= len(out) - at
        if flipped:
            self._outlet.hit(each, bytes=flipped)
        return bytes(out)

    def _memory(self, each: Active) -> _Memory:
        if each not in self._memories:
            self._memories[each] = _Memory(each.fault, f"{self._way} {self._number}")
        return self._memories[each]

    def _pump(self) -> None:
        self._stop_timer()
        if any(isinstance(each.fault, Stall) for each in self._mine()):
            return
        now = self._loop.time()
        while self._queue and not self._closed:
            due, data = self._queue[0]
            if due > now:
                self._timer = self._loop.call_at(due, self._pump)
                break
            self._queue.popleft()
            self._leave(data)
        self._tell_sender()

    def _leave(self, data: bytes | None) -> None:
        if data is None:
            self._outlet.end()
            return
        self._held -= len(data)
        for each in self._mine():
            if isinstance(each.fault, CutAfter):
                self._cut(data, each, each.fault)
                return
        self._outlet.write(data)

    def _cut(self, data: bytes, each: Active, fault: CutAfter) -> None:
        memory = self._memory(each)
        self._outlet.write(data[: max(0, fault.count - memory.passed)])
        memory.passed += len(data)
        if memory.passed >= fault.count:
            self._outlet.hit(each, bytes=fault.count)
            self._outlet.cut(fault.reset)

    def _tell_sender(self) -> None:
        full = self._held > (HELD_BYTES // 2 if self._full else HELD_BYTES)
        if full != self._full:
            self._full = full
            self._outlet.hold(full)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _gap(dice: random.Random, probability: float) -> int:
    """How many bytes stay sound until the next that does not: geometrically distributed."""
    return int(math.log(1 - dice.random()) / math.log1p(-probability)) if probability < 1 else 0
