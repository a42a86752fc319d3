# SPDX-License-Identifier: MIT
"""A distribution in a few figures. Owns how they are computed; knows nothing of limits or outcomes.

Quantiles are ``inverted_cdf`` (Hyndman and Fan 1996, definition 1) with the rank taken in whole numbers, so
each is a value that was really observed: ticks stay ticks. A NaN among the samples makes every figure NaN,
so that no limit can be met by a series that holds one. numpy is imported on first use only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = Sequence[int] | Sequence[float] | npt.NDArray[Any]

STATISTICS = ("value", "min", "mean", "p50", "p90", "p99", "p999", "max", "sd")
"""What a limit can judge; ``value`` is the single value of a measurement with ``n == 1``."""

_PER_MILLE = (500, 900, 990, 999)


@dataclass(frozen=True, slots=True)
class Summary:
    """A distribution in the unit of its samples; ``n == 0`` (never set) has NaN everywhere.

    ``sd`` is the sample standard deviation (divisor n - 1), 0 for a single value.
    """

    n: int
    min: float
    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    sd: float

    def statistic(self, name: str) -> float:
        """The figure of that name; raises ValueError if it is unknown or does not exist for this ``n``."""
        if name not in STATISTICS:
            raise ValueError(f"unknown statistic '{name}', there are {', '.join(STATISTICS)}")
        if name == "value":
            if self.n != 1:
                raise ValueError(f"statistic 'value' is of one value, this is a distribution of {self.n}")
            return self.mean
        return float(getattr(self, name))


UNSET = Summary(0, *[math.nan] * 8)
"""The summary of a measurement that was declared and never set."""


def summarise_value(value: float) -> Summary:
    """The summary of a single value; needs no numpy."""
    return _constant(1, float(value))


def summarise(samples: Samples) -> Summary:
    """The summary of a one-dimensional series; raises ValueError if it is no series of numbers."""
    series = as_series(samples)
    n = int(series.size)
    if n == 0:
        return UNSET
    import numpy as np

    if np.isnan(series).any():
        return _constant(n, math.nan)
    ordered = np.sort(series)
    if ordered[0] == ordered[-1]:
        return _constant(n, float(ordered[0]))
    with np.errstate(invalid="ignore", over="ignore"):
        mean, sd = float(ordered.mean()), float(ordered.std(ddof=1))
    p50, p90, p99, p999 = (float(ordered[_rank(n, q)]) for q in _PER_MILLE)
    return Summary(n, float(ordered[0]), mean, p50, p90, p99, p999, float(ordered[-1]), sd)


def as_series(samples: Samples) -> npt.NDArray[Any]:
    """The samples as an int64 array if they are all whole numbers, else as float64.

    Raises ValueError for anything that is not one-dimensional numbers of that size: text, flags, whole
    numbers beyond 64 bit.
    """
    import numpy as np

    array = np.asarray(samples)
    if array.ndim != 1:
        raise ValueError(f"samples must be one-dimensional, got {array.ndim} dimensions")
    if array.dtype.kind == "f":
        return array.astype("<f8")
    if array.dtype.kind not in "iu":
        raise ValueError(f"samples must be numbers of at most 64 bit, got {array.dtype}")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise ValueError(f"sample {int(array.max())} does not fit a signed 64-bit number")
    return array.astype("<i8")


def _rank(n: int, per_mille: int) -> int:
    """Index of the smallest observed value with at least that share of the samples at or below it."""
    return -(-n * per_mille // 1000) - 1


def _constant(n: int, value: float) -> Summary:
    spread = math.nan if math.isnan(value) else 0.0
    return Summary(n, value, value, value, value, value, value, value, spread)
