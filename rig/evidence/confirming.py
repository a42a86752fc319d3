# SPDX-License-Identifier: MIT
"""What fresh runs say of a suspicion: confirmed, dropped, or not clear yet. Pure; one series at a time.

A change is confirmed by runs that were not there when it was suspected, and by nothing else: however often a
series is looked at, the chance of a false alarm is that of this one test for each suspicion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from rig.events import Scalar
from rig.evidence.alerts import Alert, drop, moved
from rig.evidence.measurement import show
from rig.evidence.segmentation import best_split, effect
from rig.evidence.series_key import Point
from rig.evidence.significance import p_values
from rig.evidence.suspicion import RERUNS, RERUNS_EXACT, WINDOW, before_it, start_of, values_of
from rig.evidence.trend import REFERENCE, levels_of

CONFIRMED_P: Final = 0.004
"""How likely fresh runs of an unchanged series look changed (Mann-Whitney, two sides): about what 5 runs are
given that lie beyond all of 8 others."""
UNCLEAR_P: Final = 0.05
"""Up to this the fresh runs are not clear, and as many again are asked for, once."""


def decided(
    alert: Alert, points: Sequence[Point], alerts: Sequence[Alert], baseline: str | None, now: datetime
) -> list[Alert]:
    """The suspicion, confirmed or dropped, with what that means for older alerts; nothing while it waits."""
    index = next((i for i, p in enumerate(points) if p.run_id == alert.since_run), None)
    if index is None:
        return [drop(alert, now, f"run {alert.since_run} is no longer there, or is dated after now")]
    fresh = points[index + int(alert.detail.get("seen") or 1) :]
    if alert.kind == "exact":
        return _decided_exactly(alert, fresh, alerts, now)
    start = start_of(points[:index], alerts, baseline)
    old = points[start:index]
    reference = old[:REFERENCE] if alert.kind == "drift" else old[-WINDOW:]
    for count in (RERUNS, 2 * RERUNS):
        if len(fresh) < count:
            return []
        moved_to = _by_test(alert, reference, fresh[:count], now, points, last=count > RERUNS)
        if moved_to is not None:
            break
    if moved_to is None or moved_to.dropped:
        return [] if moved_to is None else [moved_to]
    return _confirmed(_placed(moved_to, points, len(reference), index), alerts, now)


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


def _by_test(
    alert: Alert,
    reference: Sequence[Point],
    fresh: Sequence[Point],
    now: datetime,
    points: Sequence[Point],
    *,
    last: bool,
) -> Alert | None:
    """The suspicion as these fresh runs leave it; None where they are not clear and others may follow."""
    import numpy as np

    before, after = values_of(reference), values_of(fresh)
    p = p_values(before, after, ("p50",))[0]["p50"] if before.size else 1.0
    level = float(np.median(before)) if before.size else alert.before
    now_at = float(np.median(after))
    said: dict[str, Scalar] = {"fresh": len(fresh), "p": p, "fresh_median": now_at}
    far = effect(level, now_at, levels_of([*reference, *fresh]).resolution) >= 1
    same_way = far and (now_at - level) * (alert.after - alert.before) > 0
    if same_way and p < CONFIRMED_P:
        return moved(alert, "confirmed", now, reason=_seen_in(fresh), detail=said)
    if same_way and p < UNCLEAR_P and not last:
        return None
    why = f"not seen again in {len(fresh)} runs"
    return drop(alert, now, why, {**said, "judged": len(points)})


def _placed(alert: Alert, points: Sequence[Point], before: int, index: int) -> Alert:
    """The alert with its first run where the series says it is now, with the fresh runs in it."""
    import numpy as np

    if alert.kind == "drift":
        return alert
    begin = index - before
    values = values_of(points[begin:])
    split = best_split(values)
    first = points[begin + split]
    where = {**alert.detail, **before_it(points[begin + split - 1])}
    return replace(
        alert,
        since_run=first.run_id,
        since_image=first.image_sha256,
        before=float(np.median(values[:split])),
        after=float(np.median(values[split:])),
        detail=where,
    )


def _confirmed(sure: Alert, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """A confirmed change; one that leads back to where older alerts came from ends them, and itself."""
    old = [alert for alert in alerts if _leads_back(sure, alert)]
    if not old:
        return [sure]
    why = f"back to {show(sure.after)} since run {sure.since_run}"
    ended = moved(sure, "fixed", now, reason=why, detail={"repairs": " ".join(a.id for a in old)})
    return [*(_repaired(alert, ended, now) for alert in old), ended]


def _repaired(old: Alert, by: Alert, now: datetime) -> Alert:
    known: dict[str, Scalar] = {"back_run": by.since_run}
    if old.state == "fixed":  # a person said so, and now it is seen
        return replace(old, detail={**old.detail, **known})
    return moved(old, "fixed", now, reason=by.reason, detail=known)


def _leads_back(change: Alert, old: Alert) -> bool:
    """Whether the level is now nearer to where the older alert came from than half of its step."""
    if old.id == change.id or old.kind == "limit" or old.dropped:
        return False
    if old.state not in ("confirmed", "acknowledged", "fixed") or {"repairs", "back_run"} & old.detail.keys():
        return False
    return 2 * abs(change.after - old.before) < abs(old.after - old.before)


def _seen_in(fresh: Sequence[Point]) -> str:
    return f"seen again in {len(fresh)} fresh runs, the last {fresh[-1].run_id}"
