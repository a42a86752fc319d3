# SPDX-License-Identifier: MIT
"""The walk over a store after a night: what is new, what is to be run again, what is wanted for a bisect.

Reads series and moves alerts; judges nothing itself (``suspicion.py``) and runs nothing. What it wants is a
list that a campaign can carry out and that any other program can read as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from rig.evidence.alerts import Alert, Baseline, baseline_of
from rig.evidence.looking import AHEAD, look_at
from rig.evidence.series_key import Point, SeriesKey


class Watched(Protocol):
    """What of a store the watch needs."""

    def keys(self) -> list[SeriesKey]:
        """Every series."""

    def series(self, key: SeriesKey) -> list[Point]:
        """The points of one, sorted by time."""

    def alerts(self) -> list[Alert]:
        """All alerts."""

    def save_alert(self, alert: Alert) -> None:
        """Keeps an alert in place of the one of its id."""

    def baselines(self) -> list[Baseline]:
        """Every version of every baseline."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A case to be run so many times with one image, to decide on suspicions."""

    board: str
    suite: str
    case: str
    image_sha256: str | None
    times: int
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bisect:
    """A confirmed change that came with another image: it lies after ``good`` and at or before ``bad``.

    A figure nearer to ``after`` than to ``before`` is bad.
    """

    alert: str
    key: SeriesKey
    good_run: str
    good_image: str | None
    bad_run: str
    bad_image: str | None
    before: float
    after: float
    unit: str


@dataclass(frozen=True, slots=True)
class Night:
    """What a walk came to. ``news`` are the alerts that moved; ``ahead``, runs dated after now, left out."""

    news: tuple[Alert, ...]
    reruns: tuple[Rerun, ...]
    bisects: tuple[Bisect, ...]
    series: int
    ahead: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For other programs; times as ISO 8601."""
        return {
            "news": [alert_as_json(alert) for alert in self.news],
            "reruns": [asdict(rerun) for rerun in self.reruns],
            "bisects": [asdict(bisect) for bisect in self.bisects],
            "series": self.series,
            "ahead": list(self.ahead),
        }


def nightly(store: Watched, now: datetime) -> list[Alert]:
    """Walks all series and moves alerts; returns those that are new or have moved."""
    return list(watch(store, now).news)


def watch(store: Watched, now: datetime) -> Night:
    """Walks all series, keeps the alerts that moved, and says what is wanted next."""
    known: dict[SeriesKey, list[Alert]] = {}
    for alert in store.alerts():
        known.setdefault(alert.key, []).append(alert)
    baselines = store.baselines()
    news: list[Alert] = []
    ahead: set[str] = set()
    keys = store.keys()
    for key in keys:
        points = store.series(key)
        ahead.update(p.run_id for p in points if p.started_utc > now + AHEAD)
        baseline = baseline_of(key, baselines)
        alerts = known.get(key, [])
        news += look_at(key, points, alerts, baseline.run_id if baseline else None, now)
    news = _one_of_a_limit(news, known)
    for alert in news:
        store.save_alert(alert)
    alerts = merged([a for of_key in known.values() for a in of_key], news)
    return Night(tuple(news), reruns_of(alerts), bisects_of(alerts), len(keys), tuple(sorted(ahead)))


def merged(alerts: Sequence[Alert], news: Sequence[Alert]) -> list[Alert]:
    """All alerts, each as it is now."""
    return list({alert.id: alert for alert in (*alerts, *news)}.values())


def reruns_of(alerts: Sequence[Alert]) -> tuple[Rerun, ...]:
    """What decides on the suspicions: each case once, as often as the most demanding of them asks."""
    asked: dict[tuple[str, str, str, str | None], list[Alert]] = {}
    for alert in alerts:
        if alert.state == "suspected":
            where = (alert.key.board, alert.key.suite, alert.key.case, alert.since_image)
            asked.setdefault(where, []).append(alert)
    return tuple(
        Rerun(*where, max(int(a.detail.get("reruns") or 1) for a in those), tuple(a.id for a in those))
        for where, those in asked.items()
    )


def bisects_of(alerts: Sequence[Alert]) -> tuple[Bisect, ...]:
    """The confirmed steps whose images are known, and not the same: the worse first."""
    found = []
    for alert in alerts:
        good = alert.detail.get("from_image")
        if alert.state not in ("confirmed", "acknowledged") or alert.kind not in ("step", "exact"):
            continue
        if good is None or alert.since_image is None or good == alert.since_image:
            continue
        ends = (str(alert.detail["from_run"]), str(good), alert.since_run, alert.since_image)
        found.append((alert, Bisect(alert.id, alert.key, *ends, alert.before, alert.after, alert.unit)))
    return tuple(bisect for _, bisect in sorted(found, key=lambda pair: _urgency(pair[0])))


def unanswered(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """The confirmed regressions that nobody has acknowledged, expected or fixed."""
    return tuple(a for a in alerts if a.state == "confirmed" and a.detail.get("verdict") == "regressed")


def alert_as_json(alert: Alert) -> dict[str, Any]:
    """An alert for other programs; a level that there never was is null."""
    levels = {
        n: x if math.isfinite(x) else None for n, x in (("before", alert.before), ("after", alert.after))
    }
    times = {"opened_utc": alert.opened_utc.isoformat(), "changed_utc": alert.changed_utc.isoformat()}
    return {**asdict(alert), **levels, **times, "detail": dict(alert.detail), "dropped": alert.dropped}


def _urgency(alert: Alert) -> tuple[bool, float]:
    share = abs(alert.after - alert.before) / abs(alert.before) if alert.before else 1.0
    return alert.detail.get("verdict") != "regressed", -share


def _one_of_a_limit(news: Sequence[Alert], known: Mapping[SeriesKey, Sequence[Alert]]) -> list[Alert]:
    """A missed limit once for each measurement, whichever of its figures are followed."""
    kept: list[Alert] = []
    there = {_measurement(a) for of_key in known.values() for a in of_key if a.kind == "limit" and a.open}
    ids = {a.id for of_key in known.values() for a in of_key}
    for alert in news:
        if alert.kind == "limit" and alert.id not in ids:
            if _measurement(alert) in there:
                continue
            there.add(_measurement(alert))
        kept.append(alert)
    return kept


def _measurement(alert: Alert) -> tuple[str, str, str, str, str]:
    key = alert.key
    return key.board, key.suite, key.case, key.name, key.variant
