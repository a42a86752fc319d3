# SPDX-License-Identifier: MIT
"""How many requests a thing may make: a bucket of tokens for each. Pure but for what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Throttle:
    """How many requests a second a thing may make, and how many at once before that counts."""

    per_second: float = 200.0
    burst: int = 200


USUAL: Final = Throttle()


class Buckets:
    """The buckets of all things. For one thread at a time."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, thing: str, now: float) -> bool:
        """Whether the thing may ask now; counts it when it may."""
        left, since = self._left.get(thing, (float(self._throttle.burst), now))
        left = min(self._throttle.burst, left + max(0.0, now - since) * self._throttle.per_second)
        self._left[thing] = (left - 1 if left >= 1 else left, now)
        return left >= 1
