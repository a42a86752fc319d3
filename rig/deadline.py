# SPDX-License-Identifier: MIT
"""Monotonic deadlines: made at the top of an operation and passed down. The only file that may sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds. ``timeout_s=0`` means now: check once, do not wait."""

    at_s: float
    timeout_s: float

    @classmethod
    def after(cls, timeout_s: float) -> Deadline:
        """A deadline ``timeout_s`` seconds from now; raises ValueError below zero or for NaN."""
        if not timeout_s >= 0:
            raise ValueError(f"timeout_s must be zero or more, got {timeout_s}")
        return cls(time.monotonic() + timeout_s, timeout_s)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at_s - time.monotonic())

    @property
    def expired(self) -> bool:
        """True once nothing is left."""
        return self.remaining_s == 0.0

    def sooner(self, timeout_s: float) -> Deadline:
        """This deadline or one ``timeout_s`` from now, whichever comes first."""
        other = Deadline.after(timeout_s)
        return other if other.at_s < self.at_s else self


def poll(condition: Callable[[], bool], deadline: Deadline, interval_s: float = 0.005) -> bool:
    """Blocks until ``condition()`` is true (returns True) or the deadline has passed (returns False).

    For states that offer no event to wait on: a process that ends, a file that appears. The condition is
    always checked at least once, also when the deadline is over already.
    """
    while not condition():
        if deadline.expired:
            return False
        time.sleep(min(interval_s, deadline.remaining_s))
    return True


def settle(duration_s: float) -> None:
    """Blocks for a settling time that is a named fact of a board in the inventory; for nothing else."""
    time.sleep(duration_s)


def gather(duration_s: float) -> None:
    """Blocks for part of a millisecond, in which what trickles in becomes one piece; else for nothing."""
    time.sleep(duration_s)
