# SPDX-License-Identifier: MIT
"""Samples to a drawable distribution: exact value counts where values are few, else bins."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.evidence.statistics import Samples

MOST_VALUES = 96
"""Up to this many distinct values are shown one by one; beyond it they are binned."""
_BINS = 72


@dataclass(frozen=True, slots=True)
class Distribution:
    """Bars from ``left[i]`` to ``right[i]`` with ``count[i]`` samples; ``exact`` when each is one value.

    ``low`` and ``high`` are the smallest and the largest sample, ``quartiles`` the observed values a quarter
    and three quarters up (as ``evidence/statistics.py`` ranks them); ``not_finite`` counts what cannot be
    drawn.
    """

    low: float
    high: float
    left: tuple[float, ...]
    right: tuple[float, ...]
    count: tuple[int, ...]
    exact: bool
    not_finite: int
    quartiles: tuple[float, float]

    @property
    def distinct(self) -> int:
        """How many bars there are."""
        return len(self.count)


def distribution(samples: Samples) -> Distribution | None:
    """Counts the samples; None when there is no finite one. NaN and infinities are counted apart."""
    plain = list(getattr(samples, "tolist", lambda: samples)())  # numbers of Python count ten times as fast
    counted = Counter(plain)
    finite = {float(v): n for v, n in sorted(counted.items(), key=_finite_first) if math.isfinite(v)}
    total = sum(finite.values())
    if not finite:
        return None
    lost, values = len(plain) - total, list(finite)
    quartiles = _ranked(finite, total / 4), _ranked(finite, 3 * total / 4)
    if len(values) <= MOST_VALUES:
        at = tuple(values)
        return Distribution(at[0], at[-1], at, at, tuple(finite.values()), True, lost, quartiles)
    edges = _edges(values[0], values[-1], all(v.is_integer() for v in values))
    bins: Counter[int] = Counter()
    for value, count in finite.items():
        bins[min(len(edges) - 2, max(0, bisect_left(edges, value) - 1))] += count
    index = sorted(bins)
    return Distribution(
        values[0],
        values[-1],
        tuple(edges[i] for i in index),
        tuple(edges[i + 1] for i in index),
        tuple(bins[i] for i in index),
        False,
        lost,
        quartiles,
    )


def _finite_first(item: tuple[float, int]) -> tuple[bool, float]:
    """An order in which NaN, which is greater and less than nothing, does no harm."""
    finite = math.isfinite(item[0])
    return not finite, item[0] if finite else 0.0


def _ranked(counts: Mapping[float, int], rank: float) -> float:
    """The observed value at a rank, counted from 1."""
    seen = 0
    for value, count in counts.items():
        seen += count
        if seen >= rank:
            return value
    return value


def _edges(low: float, high: float, whole: bool) -> list[float]:
    """Equal bins from low to high; of whole values a whole count to each bin, so that none is favoured."""
    if whole:
        width = math.ceil((high - low + 1) / _BINS)
        steps = math.ceil((high - low + 1) / width)
        return [low - 0.5 + width * i for i in range(steps + 1)]
    return [low + (high - low) * i / _BINS for i in range(_BINS)] + [high]
