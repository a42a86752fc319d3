# SPDX-License-Identifier: MIT
"""What one series gives reason to suspect, and what its re-run says of that. Pure; one series at a time.

Two looks find a step: the segmentation of ``trend.py``, and, sooner, two runs in a row outside the noise band
on one side. Either only asks for a re-run. What confirms a change is the re-run alone: runs that were not
there when it was suspected, so that looking every night does not add up to false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rig.events import Scalar
from rig.evidence.alerts import Alert, Kind, alert_id, drop, moved
from rig.evidence.comparison import Word
from rig.evidence.direction import Better, better
from rig.evidence.measurement import Outcome, show
from rig.evidence.segmentation import best_split, effect
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.significance import FEWEST, p_values
from rig.evidence.trend import REFERENCE, Levels, band, drift_of, first_of, levels_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

RERUNS: Final = 5
"""Fresh runs that decide on a suspicion of a series with noise."""
RERUNS_EXACT: Final = 2
"""Fresh runs that decide on a series that does not vary."""
CONFIRMED_P: Final = 0.004
"""How likely fresh runs of an unchanged series look changed (Mann-Whitney, two sides): about what 5 runs are
given that lie beyond all of 8 others."""
WINDOW: Final = 120
"""The newest points that are searched for a step; drift is measured from farther back."""
EDGE: Final = 5
"""A step so near to the beginning is the one that began the level, found at another place."""
RECENT: Final = 60
"""A step that is older is history: the trend shows it, and nobody is called."""
QUICK: Final = (3, 2)
"""Of so many newest runs, so many outside the noise band, the last among them, ask for a re-run."""
COOL: Final = 5
"""Runs after a dropped suspicion before the segmentation may ask for the next re-run."""
AHEAD: Final = timedelta(days=1)
"""How far a run may lie in the future; one that lies farther was started by a clock that was wrong."""

_SETTLED: Final = frozenset({"confirmed", "acknowledged", "expected", "fixed"})


@dataclass(frozen=True, slots=True)
class _Found:
    """A change that is suspected: ``index`` of its first point, and the levels on either side."""

    kind: Kind
    index: int
    before: float
    after: float


def usable(points: Sequence[Point], now: datetime) -> list[Point]:
    """The points that can be judged: finite, and not started after ``now``."""
    return [p for p in points if math.isfinite(p.value) and p.started_utc <= now + AHEAD]


def look_at(
    key: SeriesKey, points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None, now: datetime
) -> list[Alert]:
    """The alerts of this series that are new or have moved; ``points`` are sorted by time.

    ``alerts`` are those of this series in any state, ``baseline`` the run from which it counts.
    """
    judged = usable(points, now)
    if not judged:
        return []
    changed = _over_the_limit(key, judged, alerts, now)
    waiting = next((a for a in alerts if a.state == "suspected" and a.kind != "limit"), None)
    if waiting is not None:
        return changed + _decided(waiting, judged, alerts, baseline, now)
    found = _suspect(judged, alerts, baseline)
    if found is not None:
        changed.append(_opened(key, judged, found, now))
    return changed + _still_there(judged, alerts, now)


# --- what to suspect


def _suspect(points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None) -> _Found | None:
    """What is wrong with the newest points of the level that counts, by the look that sees it first."""
    start = _start(points, alerts, baseline)
    offset = max(start, len(points) - WINDOW)
    found = levels_of(points[offset:], varies=any(a.dropped and a.kind == "exact" for a in alerts))
    if found.exact:
        return _shifted(_exact_change(found), offset)
    suspected = _shifted(_quick(found), offset)
    if suspected is not None or len(points) < _quiet_until(alerts):
        return suspected
    if found.cuts:
        steps = _start(points, [a for a in alerts if a.kind != "drift"], baseline)
        return _named(_shifted(_step(found), offset), _values(points[steps:]), steps)
    return _shifted(_drift(points[start:], found.resolution), start)


def _shifted(found: _Found | None, by: int) -> _Found | None:
    return None if found is None else replace(found, index=found.index + by)


def _exact_change(found: Levels) -> _Found | None:
    """The newest change of value, unless it is history."""
    values, begin = found.values, found.begin
    if not begin or values.size - begin > RECENT:
        return None
    return _Found("exact", begin, float(values[begin - 1]), float(values[begin]))


def _quick(found: Levels) -> _Found | None:
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
            return _Found("step", first, middle, float(newest[far].mean()))
    return None


def _step(found: Levels) -> _Found | None:
    """The newest step of the segmentation, unless it is the beginning of the level, or history."""
    import numpy as np

    values, begin = found.values, found.begin
    if begin < EDGE or values.size - begin > RECENT:
        return None
    before = values[found.cuts[-2] if len(found.cuts) > 1 else 0 : begin]
    return _Found("step", begin, float(np.median(before)), float(np.median(values[begin:])))


def _named(step: _Found | None, values: Series, offset: int) -> _Found | None:
    """A step that is part of a slope is drift; ``values`` begin with the last step, at ``offset``."""
    if step is None or not _is_gradual(values[-2 * WINDOW :], step.index - offset - values.size):
        return step
    return replace(step, kind="drift")


def _drift(points: Sequence[Point], resolution: float) -> _Found | None:
    drift = drift_of(_values(points), resolution)
    return None if drift is None else _Found("drift", drift.since, drift.reference, drift.now)


def _is_gradual(values: Series, index: int) -> bool:
    """Whether a line (Theil-Sen) is nearer to the values than the two levels of a step at ``index``."""
    import numpy as np
    from scipy import stats

    steps = np.concatenate([part - np.median(part) for part in (values[:index], values[index:])])
    line = stats.theilslopes(values)
    beside_line = values - (line.intercept + line.slope * np.arange(values.size))
    return bool(np.abs(beside_line).mean() < np.abs(steps).mean())


# --- what a re-run says


def _decided(
    alert: Alert, points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None, now: datetime
) -> list[Alert]:
    """The suspicion, confirmed or dropped, with what that means for older alerts; nothing while it waits."""
    index = next((i for i, p in enumerate(points) if p.run_id == alert.since_run), None)
    if index is None:
        return [drop(alert, now, f"run {alert.since_run} is no longer there, or is dated after now")]
    fresh = points[index + int(alert.detail.get("seen") or 1) :]
    if alert.kind == "exact":
        return _decided_exactly(alert, fresh, alerts, now)
    if len(fresh) < RERUNS:
        return []
    start = _start(points[:index], alerts, baseline)
    old = points[start:index]
    reference = old[:REFERENCE] if alert.kind == "drift" else old[-WINDOW:]
    return _confirmed_or_not(alert, points, reference, index, fresh, alerts, now)


def _decided_exactly(
    alert: Alert, fresh: Sequence[Point], alerts: Sequence[Alert], now: datetime
) -> list[Alert]:
    if len(fresh) < RERUNS_EXACT:
        return []
    values = {point.value for point in fresh}
    said: dict[str, Scalar] = {"fresh": len(fresh)}
    if alert.before not in values:
        return _confirmed(moved(alert, "confirmed", now, reason=_seen_in(fresh), detail=said), alerts, now)
    if values == {alert.before}:
        return [drop(alert, now, f"not seen again in {len(fresh)} runs", said)]
    shown = ", ".join(show(value) for value in sorted(values))
    return [drop(alert, now, f"not deterministic: {len(fresh)} runs gave {shown}", said)]


def _confirmed_or_not(
    alert: Alert,
    points: Sequence[Point],
    reference: Sequence[Point],
    index: int,
    fresh: Sequence[Point],
    alerts: Sequence[Alert],
    now: datetime,
) -> list[Alert]:
    import numpy as np

    before, after = _values(reference), _values(fresh)
    p = p_values(before, after, ("p50",))[0]["p50"] if before.size else 1.0
    level = float(np.median(before)) if before.size else alert.before
    now_at = float(np.median(after))
    said: dict[str, Scalar] = {"fresh": len(fresh), "p": p, "fresh_median": now_at}
    resolution = levels_of([*reference, *fresh]).resolution
    same_way = (now_at - level) * (alert.after - alert.before) > 0
    if not same_way or p >= CONFIRMED_P or effect(level, now_at, resolution) < 1:
        why = f"not seen again in {len(fresh)} runs"
        return [drop(alert, now, why, {**said, "judged": len(points)})]
    sure = moved(alert, "confirmed", now, reason=_seen_in(fresh), detail=said)
    return _confirmed(_placed(sure, points, len(reference), index), alerts, now)


def _placed(alert: Alert, points: Sequence[Point], before: int, index: int) -> Alert:
    """The alert with its first run where the series says it is now, with the fresh runs in it."""
    import numpy as np

    if alert.kind == "drift":
        return alert
    begin = index - before
    values = _values(points[begin:])
    split = best_split(values)
    first = points[begin + split]
    where = {**alert.detail, **_from(points[begin + split - 1])}
    return replace(
        alert,
        since_run=first.run_id,
        since_image=first.image_sha256,
        before=float(np.median(values[:split])),
        after=float(np.median(values[split:])),
        detail=where,
    )


def _confirmed(sure: Alert, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """A confirmed change; one that leads back to where an older alert came from ends both."""
    for old in alerts:
        if not _leads_back(sure, old):
            continue
        why = f"back to {show(sure.after)} since run {sure.since_run}"
        ended = moved(sure, "fixed", now, reason=why, detail={"repairs": old.id})
        repaired: dict[str, Scalar] = {"back_run": sure.since_run}
        if old.state == "fixed":  # a person said so, and now it is seen
            return [replace(old, detail={**old.detail, **repaired}), ended]
        return [moved(old, "fixed", now, reason=why, detail=repaired), ended]
    return [sure]


def _leads_back(change: Alert, old: Alert) -> bool:
    if old.id == change.id or old.kind == "limit" or old.dropped or old.detail.get("back_run"):
        return False
    if old.state not in ("confirmed", "acknowledged", "fixed") or old.detail.get("repairs"):
        return False
    opposite = (change.after - change.before) * (old.after - old.before) < 0
    return opposite and abs(change.after - old.before) < abs(change.after - old.after)


# --- alerts that are there


def _over_the_limit(
    key: SeriesKey, points: Sequence[Point], alerts: Sequence[Alert], now: datetime
) -> list[Alert]:
    """A missed limit is an alert at once; a person ends it, or three runs in a row within the limit."""
    last = points[-1]
    there = [a for a in alerts if a.kind == "limit" and a.open]
    if last.outcome is not Outcome.FAIL:
        passed = len(points) > 2 and all(p.outcome is Outcome.PASS for p in points[-3:])
        why = f"within the limit again for 3 runs, since {points[-3:][0].run_id}"
        return [moved(a, "fixed", now, reason=why) for a in there] if passed else []
    if there:
        return []
    first = len(points) - 1
    while first and points[first - 1].outcome is Outcome.FAIL:
        first -= 1
    before = points[first - 1].value if first else math.nan
    found = _opened(key, points, _Found("limit", first, before, last.value), now)
    if any(a.id == found.id for a in alerts):  # a person has ended it, and it goes on
        return []
    return [moved(found, "confirmed", now, reason="outside its limit")]


def _still_there(points: Sequence[Point], alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """Alerts that a person called fixed, and that newer images still show."""
    import numpy as np

    again = []
    for alert in alerts:
        if alert.state != "fixed" or not alert.detail.get("claimed") or alert.detail.get("back_run"):
            continue
        later = [p for p in points if p.started_utc > alert.changed_utc][:RERUNS]
        if len(later) < RERUNS:
            continue
        level = float(np.median(_values(later)))
        if abs(level - alert.after) <= abs(level - alert.before):
            why = f"still at {show(level)} in {RERUNS} runs after {alert.author} called it fixed"
            again.append(moved(alert, "confirmed", now, reason=why, detail={"claimed": False}))
    return again


def _opened(key: SeriesKey, points: Sequence[Point], found: _Found, now: datetime) -> Alert:
    first = points[found.index]
    said: dict[str, Scalar] = {
        "verdict": verdict(key, first.unit, found.after - found.before),
        "seen": len(points) - found.index,
        "reruns": RERUNS_EXACT if found.kind == "exact" else RERUNS,
        **(_from(points[found.index - 1]) if found.index else {}),
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


def _from(point: Point) -> Mapping[str, Scalar]:
    """The last run before a change, as an alert keeps it."""
    return {"from_run": point.run_id, "from_image": point.image_sha256}


def _start(points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None) -> int:
    """Where the level begins that counts: at the baseline, or at the last change that is known."""
    begin = first_of(points, baseline)
    known = {a.since_run for a in alerts if a.state in _SETTLED and not a.dropped and a.kind != "limit"}
    return max([begin, *(i for i, point in enumerate(points) if point.run_id in known)])


def _quiet_until(alerts: Sequence[Alert]) -> int:
    """The number of points at which the segmentation may be listened to after a dropped suspicion."""
    dropped = [int(a.detail.get("judged") or 0) for a in alerts if a.dropped]
    return max(dropped, default=-COOL) + COOL


def _values(points: Sequence[Point]) -> Series:
    import numpy as np

    return np.array([point.value for point in points], dtype=np.float64)


def _seen_in(fresh: Sequence[Point]) -> str:
    return f"seen again in {len(fresh)} fresh runs, the last {fresh[-1].run_id}"
