# SPDX-License-Identifier: MIT
"""How far a figure has moved over a time, and how sure that is: Theil and Sen's slope. Pure.

The slope is the median over the slopes of all pairs of points, so that spikes do not bend it; the interval is
Sen's (1968), as scipy computes it. *Sure* is the end of the interval that is nearer to no change: what has
certainly moved, 0 where the interval holds 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONFIDENCE: Final = 0.95
FEWEST: Final = 8
"""Points that an interval needs to mean something."""
_MOST: Final = 2_000
"""Points that are used: of more, every second, third, … one, since pairs grow with the square."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The change over ``hours``, in the figure's unit: ``value``, within ``low`` to ``high``."""

    value: float
    low: float
    high: float
    hours: float

    @property
    def sure(self) -> float:
        """What has certainly moved, with its sign."""
        if self.low <= 0 <= self.high:
            return 0.0
        return self.low if self.low > 0 else self.high


def moved(hours: Sequence[float], values: Sequence[float]) -> Moved:
    """From points in order of time. Raises ValueError for fewer than ``FEWEST``, or no time between them."""
    from scipy import stats

    if len(hours) < FEWEST or hours[-1] <= hours[0]:
        raise ValueError(f"a slope needs {FEWEST} points over a time, got {len(hours)}")
    step = -(-len(hours) // _MOST)
    line = stats.theilslopes(values[::step], hours[::step], alpha=CONFIDENCE)
    span = hours[-1] - hours[0]
    return Moved(line.slope * span, line.low_slope * span, line.high_slope * span, span)
