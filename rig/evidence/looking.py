# SPDX-License-Identifier: MIT
"""Everything that one series gives rise to after a night: news of its alerts, in any state. Pure.

Owns the order in which things are looked at, missed limits, and what was called fixed and is not. What to
suspect is ``suspicion.py``'s, what a re-run says ``confirming.py``'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from rig.evidence.alerts import Alert, moved
from rig.evidence.confirming import decided
from rig.evidence.measurement import Outcome, show
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.suspicion import RERUNS, Found, opened, suspect

AHEAD: Final = timedelta(days=1)
"""How far a run may lie in the future; one that lies farther was started by a clock that was wrong."""

WITHIN: Final = 3
"""Runs in a row within a limit that end the alert of a missed one."""


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
        return changed + decided(waiting, judged, alerts, baseline, now)
    found = suspect(judged, alerts, baseline)
    if found is not None:
        changed.append(opened(key, judged, found, now))
    return changed + _still_there(judged, alerts, now)


def _over_the_limit(
    key: SeriesKey, points: Sequence[Point], alerts: Sequence[Alert], now: datetime
) -> list[Alert]:
    """A missed limit is an alert at once; a person ends it, or three runs in a row within the limit."""
    last = points[-1]
    there = [a for a in alerts if a.kind == "limit" and a.open]
    if last.outcome is not Outcome.FAIL:
        lately = points[-WITHIN:]
        passed = len(lately) == WITHIN and all(p.outcome is Outcome.PASS for p in lately)
        why = f"within the limit again for {WITHIN} runs, since {lately[0].run_id}"
        return [moved(a, "fixed", now, reason=why) for a in there] if passed else []
    if there:
        return []
    first = len(points) - 1
    while first and points[first - 1].outcome is Outcome.FAIL:
        first -= 1
    before = points[first - 1].value if first else math.nan
    found = opened(key, points, Found("limit", first, before, last.value), now)
    if any(a.id == found.id for a in alerts):  # a person has ended it, and it goes on
        return []
    return [moved(found, "confirmed", now, reason="outside its limit")]


def _still_there(points: Sequence[Point], alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """Alerts that a person called fixed, and that newer images still show."""
    again = []
    for alert in alerts:
        if alert.state != "fixed" or not alert.detail.get("claimed") or alert.detail.get("back_run"):
            continue
        later = [p for p in points if p.started_utc > alert.changed_utc][:RERUNS]
        if len(later) < RERUNS:
            continue
        level = median(p.value for p in later)
        if abs(level - alert.after) <= abs(level - alert.before):
            why = f"still at {show(level)} in {RERUNS} runs after {alert.author} called it fixed"
            again.append(moved(alert, "confirmed", now, reason=why, detail={"claimed": False}))
    return again
