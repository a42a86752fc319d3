# SPDX-License-Identifier: MIT
"""Back-off and jitter as numbers: what the waits between a device's attempts to connect say.

Pure; makes no verdicts. A *round* is a row of waits that begins after a connection in good order: its nth
wait was the nth that the device chose. Waits are in seconds, from the end of one connection to the begin of
the next, so that a time-out before the end is no part of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_EARLY: Final = 2


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits of one or more rounds."""

    rounds: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not self.rounds or min(map(len, self.rounds)) < 2 * _EARLY:
            raise ValueError(f"a round needs {2 * _EARLY} waits or more, got {list(map(len, self.rounds))}")

    @property
    def waits(self) -> tuple[float, ...]:
        """All of them in order."""
        return tuple(wait for waits in self.rounds for wait in waits)

    @property
    def longest(self) -> float:
        """The longest wait: a device that waits next to nothing has no back-off, however it grows."""
        return max(self.waits)

    @property
    def growth(self) -> float:
        """The last two waits of each round to the first two: 8 where five double, 1 where they stay alike.

        Of sums over all rounds, so that drawn waits tell it as well as fixed ones.
        """
        first = sum(sum(waits[:_EARLY]) for waits in self.rounds)
        last = sum(sum(waits[-_EARLY:]) for waits in self._aligned)
        return last / first if first > 0 else 0.0

    @property
    def jitter(self) -> float:
        """How much the nth waits of the rounds differ, of their mean: 0 where they are alike.

        Waits drawn evenly from 0 to a bound give about 0.7 in two rounds and 1 in three. Needs two rounds.
        """
        if len(self.rounds) < 2:
            raise ValueError("jitter needs two rounds or more")
        columns = list(zip(*self._aligned, strict=True))
        mean = sum(sum(column) / len(column) for column in columns)
        return sum(max(column) - min(column) for column in columns) / mean if mean > 0 else 0.0

    @property
    def _aligned(self) -> list[tuple[float, ...]]:
        """The rounds cut to the shortest."""
        shortest = min(map(len, self.rounds))
        return [waits[:shortest] for waits in self.rounds]
