# SPDX-License-Identifier: MIT
"""One series over many runs: its levels, its noise, its drift. Pure; docs/regression.md has the rules.

A series that does not vary by itself is compared exactly, point by point. Any other is cut into levels by
``segmentation.py``; beside that its newest points are held against a reference that does not move with it.
Owns what is said of a series as it is; what is news, and what is done about it, is ``watch.py``'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

from rig.evidence.segmentation import effect, merge_small, segments
from rig.evidence.series_key import Point
from rig.evidence.significance import ALPHA, FEWEST, p_values

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

BAND: Final = 2.0
"""Half the width of the noise band, in standard deviations as the median deviation tells them."""
REFERENCE: Final = 30
"""Points at the beginning of a series, or from its baseline on, that drift is measured from."""
LATEST: Final = 20
"""The newest points that are held against the reference."""

_SD_OF_MEDIAN_DEVIATION: Final = 1.4826
_SD_OF_MEAN_DEVIATION: Final = 1.2533
_PAIR_95: Final = 1.96 * math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Band:
    """Where the points of a level lie by themselves, about 95 of 100 of them."""

    lower: float
    upper: float

    def side(self, x: float) -> int:
        """1 above the band, -1 below it, 0 inside."""
        return (x > self.upper) - (x < self.lower)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A new level from ``points[index]`` on: medians before and after, Mann-Whitney's p (0: exact series).

    The place was chosen because the two differ, so ``significance`` ranks changes and is no error rate.
    """

    index: int
    run_id: str
    before: float
    after: float
    significance: float


@dataclass(frozen=True, slots=True)
class Drift:
    """The newest points have left the reference although no step was found; ``since`` is their first."""

    reference: float
    now: float
    since: int
    significance: float


@dataclass(frozen=True, slots=True)
class Trend:
    """What a series is: ``level`` and ``noise`` of its newest level, which begins at ``points[begin]``.

    ``floor``: how far two runs of the same image lie apart in 95 of 100 pairs; None where too few images
    ran twice. ``resolution``: the least step between two values that were ever seen.
    """

    changes: tuple[ChangePoint, ...]
    begin: int
    level: float
    noise: Band
    floor: float | None
    drift: Drift | None
    exact: bool
    resolution: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The finite values of a series, their indexes in it, and where among them a level begins."""

    values: Series
    places: Sequence[int]
    cuts: Sequence[int]
    exact: bool
    resolution: float

    @property
    def begin(self) -> int:
        """Where among the values the newest level begins."""
        return self.cuts[-1] if self.cuts else 0


def analyse(points: Sequence[Point], baseline: str | None = None) -> Trend:
    """The trend of points sorted by time, from the run ``baseline`` on; indexes are of ``points``.

    Points that are no finite number are passed over. A series of none has NaN for a level.
    """
    import numpy as np

    start = first_of(points, baseline)
    found = levels_of(points[start:])
    values, cuts, places = found.values, found.cuts, [start + place for place in found.places]
    changes = tuple(_change(points, places, found, nth) for nth in range(len(cuts)))
    last = values[found.begin :]
    level = float(np.median(last)) if last.size else math.nan
    noise = band(last if last.size >= 2 * FEWEST else _beside(values, cuts))
    drift = None if found.exact or cuts else drift_of(values, found.resolution)
    return Trend(
        changes,
        places[found.begin] if places else start,
        level,
        Band(level, level) if found.exact else noise,
        floor_of([points[place] for place in places]),
        None if drift is None else replace(drift, since=places[drift.since]),
        found.exact,
        found.resolution,
    )


def levels_of(points: Sequence[Point], *, varies: bool = False) -> Levels:
    """The finite points of a series, cut where a new level begins; ``varies``: known not to be exact."""
    import numpy as np

    places = [place for place, point in enumerate(points) if math.isfinite(point.value)]
    kept = [points[place] for place in places]
    values = np.array([point.value for point in kept], dtype=np.float64)
    exact = not varies and is_exact(kept)
    resolution = _resolution(values)
    cuts = _value_changes(values) if exact else merge_small(values, segments(values), resolution)
    return Levels(values, places, cuts, exact, resolution)


def first_of(points: Sequence[Point], run_id: str | None) -> int:
    """The index of a run's point; of the first later one where the run has none; 0 for no run.

    Ids of runs sort by the time they were started.
    """
    if run_id is None:
        return 0
    for index, point in enumerate(points):
        if point.run_id == run_id:
            return index
    return next((i for i, point in enumerate(points) if point.run_id > run_id), len(points))


def is_exact(points: Sequence[Point]) -> bool:
    """Whether every difference of this series is a change; its newest value may be the first of a new level.

    Points that say they are exact must not have contradicted that: one value for each image. Others must
    have stayed for ``FEWEST`` points at each of their levels.
    """
    levels = [list(level) for _, level in groupby(points, key=lambda point: point.value)]
    if not levels:
        return False
    settled = levels[:-1]
    if all(point.exact for point in points):
        seen: dict[str | None, float] = {}
        return all(
            p.image_sha256 is None or seen.setdefault(p.image_sha256, p.value) == p.value
            for level in settled
            for p in level
        )
    return all(len(level) >= FEWEST for level in settled or levels)


def band(values: Series) -> Band:
    """The noise band of one level."""
    import numpy as np

    if not values.size:
        return Band(math.nan, math.nan)
    level = float(np.median(values))
    reach = BAND * spread(values - level)
    return Band(level - reach, level + reach)


def spread(deviations: Series) -> float:
    """The standard deviation by the median of the deviations; by their mean where most of them are 0."""
    import numpy as np

    absolute = np.abs(deviations)
    middle = float(np.median(absolute))
    return _SD_OF_MEDIAN_DEVIATION * middle if middle else _SD_OF_MEAN_DEVIATION * float(absolute.mean())


def floor_of(points: Sequence[Point]) -> float | None:
    """How far two runs of one image lie apart in 95 of 100 pairs, of all images that ran twice or more."""
    import numpy as np

    by_image: dict[str, list[float]] = {}
    for point in points:
        if point.image_sha256 is not None:
            by_image.setdefault(point.image_sha256, []).append(point.value)
    groups = [np.array(values) for values in by_image.values() if len(values) > 1]
    if sum(group.size for group in groups) < FEWEST:
        return None
    # A group of k has k - 1 deviations that are free, so each is that much too small.
    deviations = [(g - np.median(g)) * math.sqrt(g.size / (g.size - 1)) for g in groups]
    return _PAIR_95 * spread(np.concatenate(deviations))


def drift_of(values: Series, resolution: float) -> Drift | None:
    """Whether the newest values have left the first ones; both are medians, and do not overlap."""
    import numpy as np

    if values.size < REFERENCE + LATEST:
        return None
    reference, latest = values[:REFERENCE], values[-LATEST:]
    before, after = float(np.median(reference)), float(np.median(latest))
    if effect(before, after, resolution) < 1:
        return None
    p = p_values(reference, latest, ("p50",))[0]["p50"]
    return Drift(before, after, int(values.size) - LATEST, p) if p < ALPHA else None


def _change(points: Sequence[Point], places: Sequence[int], found: Levels, nth: int) -> ChangePoint:
    import numpy as np

    bounds = [0, *found.cuts, found.values.size]
    before, after = (found.values[bounds[i] : bounds[i + 1]] for i in (nth, nth + 1))
    p = 0.0 if found.exact else p_values(before, after, ("p50",))[0]["p50"]
    index = places[found.cuts[nth]]
    return ChangePoint(index, points[index].run_id, float(np.median(before)), float(np.median(after)), p)


def _value_changes(values: Series) -> list[int]:
    import numpy as np

    return [int(i) + 1 for i in np.flatnonzero(np.diff(values))]


def _beside(values: Series, cuts: Sequence[int]) -> Series:
    """All points, moved to where they would lie if the newest level had always been."""
    import numpy as np

    moved = values.copy()
    for begin, end in pairwise([0, *cuts]):
        moved[begin:end] += np.median(values[cuts[-1] :]) - np.median(values[begin:end])
    return moved


def _resolution(values: Series) -> float:
    import numpy as np

    steps = np.diff(np.unique(values))
    return float(steps.min()) if steps.size else 0.0
