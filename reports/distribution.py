# SPDX-License-Identifier: MIT
"""Samples to a drawable distribution: exact value counts where values are few, else bins. Uses pandas."""

from __future__ import annotations

import math
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

    ``low`` and ``high`` are the smallest and the largest sample; ``not_finite`` counts what cannot be drawn.
    """

    low: float
    high: float
    left: tuple[float, ...]
    right: tuple[float, ...]
    count: tuple[int, ...]
    exact: bool
    not_finite: int

    @property
    def distinct(self) -> int:
        """How many bars there are."""
        return len(self.count)


def distribution(samples: Samples) -> Distribution | None:
    """Counts the samples; None when there is no finite one. NaN and infinities are counted apart."""
    import pandas as pd

    series = pd.Series(samples, dtype="float64")
    finite = series[(series > -math.inf) & (series < math.inf)]
    lost = len(series) - len(finite)
    if finite.empty:
        return None
    values = finite.value_counts().sort_index()
    if len(values) <= MOST_VALUES:
        at = tuple(float(v) for v in values.index)
        return Distribution(at[0], at[-1], at, at, tuple(int(c) for c in values), True, lost)
    low, high = float(finite.min()), float(finite.max())
    edges = _edges(low, high, bool((finite % 1 == 0).all()))
    binned = pd.cut(finite, edges, include_lowest=True, labels=False).value_counts().sort_index()
    index = [int(i) for i in binned.index]
    return Distribution(
        low,
        high,
        tuple(edges[i] for i in index),
        tuple(edges[i + 1] for i in index),
        tuple(int(c) for c in binned),
        False,
        lost,
    )


def _edges(low: float, high: float, whole: bool) -> list[float]:
    """Equal bins from low to high; of whole values a whole count to each bin, so that none is favoured."""
    if whole:
        width = math.ceil((high - low + 1) / _BINS)
        steps = math.ceil((high - low + 1) / width)
        return [low - 0.5 + width * i for i in range(steps + 1)]
    return [low + (high - low) * i / _BINS for i in range(_BINS)] + [high]
