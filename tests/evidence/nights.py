# SPDX-License-Identifier: MIT
"""Nights made up for the tests of regression: a series that grows run by run, and a store in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rig.evidence.alerts import Alert, Baseline
from rig.evidence.measurement import Outcome
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.watch import Night, watch

KEY = SeriesKey("mps2", "kernel", "benchmark[queue.send]", "queue.send", "p50", "")
FIRST = datetime(2025, 1, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def point(
    night: int,
    value: float,
    *,
    nth: int = 0,
    image: str | None = "",
    exact: bool = False,
    outcome: Outcome | None = None,
    started: datetime | None = None,
    unit: str = "ns",
) -> Point:
    """One run of a night; each night has an image of its own unless one is given."""
    at = started or FIRST + night * DAY + nth * timedelta(minutes=10)
    known = f"image{night:04}" if image == "" else image
    run_id = f"{at:%Y%m%dT%H%M%SZ}-{night % 65536:04x}"
    return Point(run_id, at, known, value, 100, outcome, None, None, unit, exact)


def series(values: Iterable[float], *, exact: bool = False, image: str | None = "") -> list[Point]:
    """A point a night."""
    return [point(night, value, exact=exact, image=image) for night, value in enumerate(values)]


def noisy(seed: object, n: int, level: float = 1000.0, cv: float = 0.01) -> list[float]:
    """Lognormal noise; the same for the same seed."""
    dice = random.Random(str(seed))
    return [level * dice.lognormvariate(0, cv) for _ in range(n)]


@dataclass
class Bench:
    """A store in memory, and a level that the test moves; nights come one by one, re-runs as asked."""

    level: Callable[[int], float]
    key: SeriesKey = KEY
    exact: bool = False
    image: Callable[[int], str | None] = lambda night: f"image{night:04}"
    reruns: bool = True
    points: dict[SeriesKey, list[Point]] = field(default_factory=dict)
    kept: dict[str, Alert] = field(default_factory=dict)
    base: list[Baseline] = field(default_factory=list)
    night: int = 0

    def keys(self) -> list[SeriesKey]:
        return list(self.points)

    def series(self, key: SeriesKey) -> list[Point]:
        return sorted(self.points[key], key=lambda p: p.started_utc)

    def alerts(self) -> list[Alert]:
        return list(self.kept.values())

    def save_alert(self, alert: Alert) -> None:
        self.kept[alert.id] = alert

    def baselines(self) -> list[Baseline]:
        return self.base

    @property
    def now(self) -> datetime:
        return FIRST + self.night * DAY + HOUR

    def run(self, nth: int = 0) -> None:
        value = self.level(self.night)
        made = point(self.night, value, nth=nth, image=self.image(self.night), exact=self.exact)
        self.points.setdefault(self.key, []).append(made)

    def one_night(self) -> list[Alert]:
        """A run, the watch, the re-runs that it asks for, and the watch again."""
        self.run()
        found = watch(self, self.now)
        news = list(found.news)
        if self.reruns and found.reruns:
            for nth in range(found.reruns[0].times):
                self.run(nth + 1)
            news += watch(self, self.now).news
        self.night += 1
        return news

    def nights(self, count: int) -> list[Alert]:
        return [alert for _ in range(count) for alert in self.one_night()]

    def look(self) -> Night:
        return watch(self, self.now)
