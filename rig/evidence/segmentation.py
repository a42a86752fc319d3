# SPDX-License-Identifier: MIT
"""Where the level of a series changed: segmentation of ranks. Pure; knows nothing of runs and units.

Circular binary segmentation (Olshen et al. 2004) with ranks in place of values: a stretch is cut where the
ranks inside and outside of an arc differ most, and each part is ranked and looked at again. What a cut is
worth is Kruskal-Wallis' H; it must be worth more than ``3 ln n`` for each change that it makes. In ranks a
spike weighs as much as any other large value, so that no number of single ones makes a level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from rig.evidence.significance import smallest_effect

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

PENALTY: Final = 3.0
"""What a change must be worth, in units of ln n."""

_PLACES: Final = 120
"""Where the ends of an arc are looked for; ``_settled`` moves them to the very place."""


def segments(values: Series, penalty: float = PENALTY) -> list[int]:
    """The indexes at which a new level begins, ascending; empty for a series of one level.

    ``values`` are finite numbers in the order they were taken. Costs of the order of n² for each level.
    """
    n = int(values.size)
    price = penalty * math.log(n) if n > 1 else math.inf
    found: set[int] = set()
    waiting = [(0, n)]
    while waiting:
        low, high = waiting.pop()
        cut = _best_cut(values[low:high], price)
        bounds = [low, *(low + index for index in cut), high]
        found.update(bounds[1:-1])
        if cut:
            waiting += pairwise(bounds)
    return _settled(values, sorted(found))


def merge_small(values: Series, changes: Sequence[int], resolution: float) -> list[int]:
    """Those of the changes whose levels differ enough to count (``significance.smallest_effect``).

    A level is a median. The smallest difference goes first, and the levels beside it are taken anew.
    """
    import numpy as np

    kept = list(changes)
    while kept:
        levels = [float(np.median(part)) for part in np.split(values, kept)]
        effects = [effect(a, b, resolution) for a, b in pairwise(levels)]
        smallest = min(range(len(kept)), key=effects.__getitem__)
        if effects[smallest] >= 1:
            break
        del kept[smallest]
    return kept


def effect(before: float, after: float, resolution: float) -> float:
    """How large a difference is, in units of the smallest that counts; 0 for none."""
    return abs(after - before) / smallest_effect(before, after, resolution) if before != after else 0.0


def best_split(values: Series) -> int:
    """The index from which the second of two levels begins; ``values`` are two or more.

    Where ranks put it, then where the values are nearest to the medians of either side: there a spike just
    before a step is a spike.
    """
    import numpy as np

    ranks, _ = _ranks(values)
    place = np.arange(1, values.size)
    at = int((np.cumsum(ranks)[:-1] ** 2 / (place * (values.size - place))).argmax()) + 1
    for _ in range(2):
        before, after = (np.abs(values - np.median(side)) for side in (values[:at], values[at:]))
        away = np.cumsum(before - after)[:-1]
        at = int(away.argmin()) + 1
    return at


def _best_cut(values: Series, price: float) -> list[int]:
    """The one or two places where this stretch is to be cut, or none."""
    import numpy as np

    n = int(values.size)
    # H is largest for halves that do not overlap: 3 n / 4.
    if n < 2 or 3 * n / 4 <= price:
        return []
    ranks, spread = _ranks(values)
    sums = np.concatenate([[0.0], np.cumsum(ranks)])
    place = np.arange(1, n)
    single = sums[1:n] ** 2 * (n / (place * (n - place))) / spread
    at = int(single.argmax())
    best, cut = float(single[at]) - price, [at + 1]
    arc, begin, end = _best_arc(sums, spread)
    if arc - 2 * price > best:
        best, cut = arc - 2 * price, [begin, end]
    return cut if best > 0 else []


def _best_arc(sums: Series, spread: float) -> tuple[float, int, int]:
    """What the best stretch that touches neither end is worth, and its bounds (the finest of ``_PLACES``)."""
    import numpy as np

    n = sums.size - 1
    place = np.arange(1, n, -(-n // _PLACES))
    length = np.abs(place[None, :] - place[:, None])
    gain = (sums[place][None, :] - sums[place][:, None]) ** 2 / np.maximum(length * (n - length), 1)
    i, j = sorted(divmod(int(gain.argmax()), place.size))
    return float(gain[i, j]) * n / spread, int(place[i]), int(place[j])


def _settled(values: Series, changes: list[int]) -> list[int]:
    """Each change moved to where it is worth most between its neighbours, found with fewer of them."""
    bounds = [0, *changes, int(values.size)]
    for place in range(1, len(bounds) - 1):
        low, high = bounds[place - 1], bounds[place + 1]
        bounds[place] = low + best_split(values[low:high])
    return bounds[1:-1]


def _ranks(values: Series) -> tuple[Series, float]:
    """Ranks less their mean, ties sharing theirs, and the variance of ranks without ties (divisor n - 1).

    With the variance of the ties themselves one spike in a series that never varied would be worth all of H.
    """
    from scipy import stats

    n = int(values.size)
    return stats.rankdata(values) - (n + 1) / 2, n * (n + 1) / 12
