# SPDX-License-Identifier: MIT
"""What one series gives reason to suspect. Pure; one series at a time, and nothing is confirmed here.

Two looks find a step: the segmentation of ``trend.py``, and, sooner, runs outside the noise band on one side.
Either only asks for a re-run (``confirming.py``). What a re-run did not bear out is asked again when there is
twice as much to show for it, so that a chance pattern of long ago is not run again night after night.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rig.events import Scalar
from rig.evidence.alerts import Alert, Kind, alert_id
from rig.evidence.comparison import Word
from rig.evidence.direction import Better, better
from rig.evidence.segmentation import effect
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.significance import FEWEST
from rig.evidence.trend import LATEST, Levels, band, drift_of, first_of, levels_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

RERUNS: Final = 5
"""Fresh runs that decide on a suspicion of a series with noise."""
RERUNS_EXACT: Final = 2
"""Fresh runs that decide on a series that does not vary."""
WINDOW: Final = 120
"""The newest points that are searched for a step; drift is measured from farther back."""
EDGE: Final = 2 * FEWEST
"""Points of a level before the segmentation is listened to. What begins a level is often the beginning of the
last change, found at another place; and a level as short as that is too easily low or high by chance."""
SAME: Final = 5
"""Points between two places at which the same change may be found."""
RECENT: Final = 60
"""A step that is older is history: the trend shows it, and nobody is called."""
QUICK: Final = (3, 2)
"""Of so many newest runs, so many outside the noise band, the last among them, ask for a re-run."""

_SETTLED: Final = frozenset({"confirmed", "acknowledged", "expected", "fixed"})


@dataclass(frozen=True, slots=True)
class Found:
    """A change that is suspected: ``index`` of its first point, and the levels on either side."""

    kind: Kind
    index: int
    before: float
    after: float


def suspect(points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None) -> Found | None:
    """What is wrong with the newest points of the level that counts, by the look that sees it first."""
    start = start_of(points, alerts, baseline)
    offset = max(start, len(points) - WINDOW)
    found = levels_of(points[offset:], varies=_varied(points[start:], alerts))
    if found.exact:
        return _shifted(_exact_change(found), offset)
    suspected = _shifted(_quick(found), offset)
    if suspected is not None:
        return suspected
    if found.cuts:
        steps = start_of(points, [a for a in alerts if a.kind != "drift"], baseline)
        slow = _named(_shifted(_step(found), offset), values_of(points[steps:]), steps)
    else:
        slow = _shifted(_drift(points[start:], found.resolution), start)
    return None if slow is None or _answered(slow, points, alerts) else slow


def start_of(points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None) -> int:
    """Where the level begins that counts: at the baseline, or at the last change that is known."""
    begin = first_of(points, baseline)
    known = {a.since_run for a in alerts if a.state in _SETTLED and not a.dropped and a.kind != "limit"}
    return max([begin, *(i for i, point in enumerate(points) if point.run_id in known)])


def opened(key: SeriesKey, points: Sequence[Point], found: Found, now: datetime) -> Alert:
    """The suspicion as an alert."""
    first = points[found.index]
    said: dict[str, Scalar] = {
        "verdict": verdict(key, first.unit, found.after - found.before),
        "seen": len(points) - found.index,
        "reruns": RERUNS_EXACT if found.kind == "exact" else RERUNS,
        **(before_it(points[found.index - 1]) if found.index else {}),
    }
    return Alert(
        alert_id(key, found.kind, first.run_id),
        key,
        found.kind,
        "suspected",
        first.run_id,
        first.image_sha256,
        found.before,
        found.after,
        first.unit,
        now,
        now,
        detail=said,
    )


def verdict(key: SeriesKey, unit: str, delta: float) -> Word:
    """Whether a change of a series is for the worse."""
    way = better(key.name, unit)
    if way is Better.UNKNOWN or not delta or math.isnan(delta):
        return Word.CHANGED
    return Word.IMPROVED if (delta < 0) == (way is Better.LOWER) else Word.REGRESSED


def before_it(point: Point) -> Mapping[str, Scalar]:
    """The last run before a change, as an alert keeps it."""
    return {"from_run": point.run_id, "from_image": point.image_sha256}


def values_of(points: Sequence[Point]) -> Series:
    """The figures of points, as an array."""
    import numpy as np

    return np.array([point.value for point in points], dtype=np.float64)


def _varied(points: Sequence[Point], alerts: Sequence[Alert]) -> bool:
    """Whether a re-run has shown at this level that the series is not exact."""
    dropped = {a.since_run for a in alerts if a.dropped and a.kind == "exact"}
    return bool(dropped) and any(point.run_id in dropped for point in points)


def _shifted(found: Found | None, by: int) -> Found | None:
    return None if found is None else replace(found, index=found.index + by)


def _exact_change(found: Levels) -> Found | None:
    """The newest change of value, unless it is history."""
    values, begin = found.values, found.begin
    if not begin or values.size - begin > RECENT:
        return None
    return Found("exact", begin, float(values[begin - 1]), float(values[begin]))


def _quick(found: Levels) -> Found | None:
    """Runs that lie outside of what the rest of their level does, on one side: ``QUICK`` of the newest."""
    newest_count, wanted = QUICK
    settled, newest = found.values[found.begin : -newest_count], found.values[-newest_count:]
    if found.values.size - found.begin - newest_count < FEWEST:
        return None
    noise = band(settled)
    middle = (noise.lower + noise.upper) / 2
    for side in (1, -1):
        out = [i for i, x in enumerate(newest) if noise.side(float(x)) == side]
        far = [i for i in out if effect(middle, float(newest[i]), found.resolution) >= 1]
        if len(far) >= wanted and far[-1] == newest_count - 1:
            first = found.values.size - newest_count + far[0]
            return Found("step", first, middle, float(newest[far].mean()))
    return None


def _step(found: Levels) -> Found | None:
    """The newest step of the segmentation, unless it is the beginning of the level, or history."""
    import numpy as np

    values, begin = found.values, found.begin
    if begin < EDGE or values.size - begin > RECENT:
        return None
    before = values[found.cuts[-2] if len(found.cuts) > 1 else 0 : begin]
    return Found("step", begin, float(np.median(before)), float(np.median(values[begin:])))


def _named(step: Found | None, values: Series, offset: int) -> Found | None:
    """A step that is part of a slope is drift; ``values`` begin with the last step, at ``offset``."""
    if step is None or not _is_gradual(values[-2 * WINDOW :], step.index - offset - values.size):
        return step
    return replace(step, kind="drift")


def _drift(points: Sequence[Point], resolution: float) -> Found | None:
    drift = drift_of(values_of(points), resolution)
    return None if drift is None else Found("drift", drift.since, drift.reference, drift.now)


def _is_gradual(values: Series, index: int) -> bool:
    """Whether a line (Theil-Sen) is nearer to the values than the two levels of a step at ``index``."""
    import numpy as np
    from scipy import stats

    steps = np.concatenate([part - np.median(part) for part in (values[:index], values[index:])])
    line = stats.theilslopes(values)
    beside_line = values - (line.intercept + line.slope * np.arange(values.size))
    return bool(np.abs(beside_line).mean() < np.abs(steps).mean())


def _answered(found: Found, points: Sequence[Point], alerts: Sequence[Alert]) -> bool:
    """Whether a re-run has answered it, and there is less than twice as much to show for it now."""
    for alert in alerts:
        if not alert.dropped:
            continue
        then = int(alert.detail.get("judged") or 0)
        if found.kind == alert.kind == "drift" and len(points) < then + LATEST:
            return True
        index = next((i for i, point in enumerate(points) if point.run_id == alert.since_run), None)
        if index is None or abs(index - found.index) > SAME:
            continue
        if len(points) - index < 2 * (then - index):
            return True
    return False
