# SPDX-License-Identifier: MIT
"""Whether two noisy series differ: tests, intervals, and how far a figure moves by itself. Pure; seeded.

The middle is judged by Mann-Whitney U (scipy, asymptotic with the correction for ties), the tail by Fisher's
exact test (one side, doubled) on how many samples of each lie beyond the 99th percentile of both together.
p-values of all tests of a comparison are corrected together by Holm's method (1979). Every random draw
depends on the samples and ``SEED`` alone, so that the same two runs give the same text, in whichever order
they stand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Series = npt.NDArray[Any]

ALPHA: Final = 0.001
"""How likely two runs that differ by chance alone may give even one significant row."""
MINIMUM_EFFECT: Final = 0.01
"""The smallest change that counts, as a share of the figure; at least the counter's resolution."""
MINIMUM_RANK_EFFECT: Final = 0.147
"""Cliff's delta below which a shift is called negligible (Romano et al. 2006)."""
LEVEL: Final = 0.95
"""Of the bootstrap intervals and of the noise floor from within a run."""
FEWEST: Final = 8
"""Samples that a series needs for a test to mean something."""
SEED: Final = 20260412
FIGURES: Final = {"p50": 500, "p99": 990}
"""The figures that are judged, with their rank in parts of a thousand."""

_TAIL: Final = 0.01
_DRAWS: Final = 1999
_BLOCKS: Final = 20
_REPLICATES: Final = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tests say of one row, before the p-values of all rows are corrected together.

    ``p`` and ``interval`` (of after - before) by figure; ``rank_effect`` is Cliff's delta: the share of pairs
    where after is larger less the share where it is smaller.
    """

    p: Mapping[str, float]
    rank_effect: float
    interval: Mapping[str, tuple[float, float]]


def smallest_effect(before: float, after: float, resolution: float) -> float:
    """The least difference of a figure that counts."""
    return max(MINIMUM_EFFECT * (abs(before) + abs(after)) / 2, resolution)


def weigh(before: Series, after: Series, large: Collection[str]) -> Evidence:
    """Tests two series of at least ``FEWEST`` samples each, and gives the intervals of their differences.

    Only the figures in ``large`` are tested: what does not differ enough to count needs no test (p = 1).
    """
    p, rank_effect = p_values(before, after, large)
    return Evidence(p, rank_effect, intervals(before, after))


def p_values(before: Series, after: Series, large: Collection[str]) -> tuple[dict[str, float], float]:
    """The p-value of each figure, 1 where it is not tested, and the rank effect."""
    middle, rank_effect = mann_whitney(before, after) if "p50" in large else (1.0, 0.0)
    return {"p50": middle, "p99": _tail(before, after) if "p99" in large else 1.0}, rank_effect


def intervals(before: Series, after: Series) -> dict[str, tuple[float, float]]:
    """The percentile bootstrap interval of each figure's difference, after less before."""
    import numpy as np

    drawn_before, drawn_after = _drawn(before), _drawn(after)
    found = {}
    for name in FIGURES:
        moved = drawn_after[name] - drawn_before[name]
        low, high = np.quantile(moved, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found[name] = (float(low), float(high))
    return found


def holm(p_values: Sequence[float], family: int) -> list[float]:
    """The p-values corrected for ``family`` tests, of which those not given count as 1.

    Step-down: the k-th smallest is multiplied by family - k + 1, never below the one before it.
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, p_values[index] * (family - rank)))
        corrected[index] = largest
    return corrected


def floor_within(series: Series) -> dict[str, float]:
    """How far each figure of two repetitions of this series differs, in 95 of 100 pairs.

    Repetitions are drawn from ``_BLOCKS`` consecutive blocks of the series, so that drift and bursts count.
    """
    import numpy as np

    values, place = np.unique(series, return_inverse=True)
    block = np.arange(series.size) * _BLOCKS // series.size
    counts = np.bincount(block * values.size + place, minlength=_BLOCKS * values.size).astype(np.float64)
    weights = _generator(series).multinomial(_BLOCKS, [1 / _BLOCKS] * _BLOCKS, size=_REPLICATES)
    # Whole numbers throughout, as float64 because that is what matrices are multiplied fast in.
    below = np.cumsum(weights.astype(np.float64) @ counts.reshape(_BLOCKS, -1), axis=1)
    found = {}
    for name, rank in FIGURES.items():
        wanted = np.ceil(below[:, -1:] * rank / 1000)
        drawn = values[(below < wanted).sum(axis=1)]
        half = _REPLICATES // 2
        found[name] = float(np.quantile(np.abs(drawn[:half] - drawn[half:]), LEVEL))
    return found


def mann_whitney(
    before: Series, after: Series, method: Literal["auto", "asymptotic"] = "asymptotic"
) -> tuple[float, float]:
    """The two-sided p-value of the rank sum, and Cliff's delta; ``method`` is scipy's ("auto" for few)."""
    from scipy import stats

    test = stats.mannwhitneyu(after, before, alternative="two-sided", method=method)
    return float(test.pvalue), float(2 * test.statistic / (len(before) * len(after)) - 1)


def _tail(before: Series, after: Series) -> float:
    import numpy as np
    from scipy import stats

    pooled = np.sort(np.concatenate([before, after]))
    threshold = pooled[-(-pooled.size * FIGURES["p99"] // 1000) - 1]
    # Many samples may have that very value: they count where the share that counts is then nearer to 1 %.
    beyond, from_it = (pooled > threshold).mean(), (pooled >= threshold).mean()
    strictly = beyond > 0 and abs(beyond - _TAIL) <= abs(from_it - _TAIL)
    above = np.array([(s > threshold if strictly else s >= threshold).sum() for s in (before, after)])
    below = np.array([before.size, after.size]) - above
    order = [0, 1] if above[0] * below[1] >= above[1] * below[0] else [1, 0]
    table = np.array([above[order], below[order]])
    return min(1.0, 2 * float(stats.fisher_exact(table, alternative="greater").pvalue))


def _drawn(series: Series) -> dict[str, Series]:
    """The figures of ``_DRAWS`` bootstrap resamples of a series.

    The k-th of n samples drawn with replacement is the sample of rank ceil(n * Beta(k, n - k + 1)): the
    distribution of the bootstrap itself, drawn without a single resample (David and Nagaraja 2003, 2.1).
    """
    import numpy as np

    n, generator, ordered = series.size, _generator(series), np.sort(series).astype(np.float64)
    found = {}
    for name, rank in FIGURES.items():
        k = -(-n * rank // 1000)
        place = np.ceil(n * generator.beta(k, n - k + 1, _DRAWS)).astype(np.int64) - 1
        found[name] = ordered[np.clip(place, 0, n - 1)]
    return found


def _generator(series: Series) -> np.random.Generator:
    """Random numbers that depend on the samples alone, not on where the series stands."""
    import zlib

    import numpy as np

    return np.random.default_rng([SEED, zlib.crc32(series.tobytes())])
