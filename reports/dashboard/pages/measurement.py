# SPDX-License-Identifier: MIT
"""A series over time: its chart, steps, alerts, and the same figure of other boards. And the list of all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.dashboard.names import series_page
from reports.dashboard.pages.board import series_lines
from reports.dashboard.sources import OPEN, Sources, View, alert_lines
from reports.dashboard.trend_chart import drawable, frame_of, noise_of, trend_chart
from rig.evidence.alerts import baseline_of
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.trend import ChangePoint, Trend

_BESIDE: Final = 8
_POINTS: Final = 1_000
"""The newest runs that are drawn, analysed and listed; older ones are in the store."""
_POINTS_BESIDE: Final = 400
WIDTH, HEIGHT = 1056.0, 300.0
WAITING: Final = (*OPEN, "acknowledged")
"""The states of an alert that stand above the chart."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of a series and the point with which it began."""

    change: ChangePoint
    point: Point

    @property
    def relative(self) -> float | None:
        """The step as a part of what was."""
        return (
            (self.change.after - self.change.before) / abs(self.change.before) if self.change.before else None
        )


@dataclass(frozen=True, slots=True)
class PointLine:
    """A point in the table, with its place on the chart in pixels; ``new_image`` where the image changed."""

    point: Point
    x: float
    y: float
    new_image: bool
    step: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """The same figure of another board, or taken in another way."""

    key: SeriesKey
    points: Sequence[Point]
    svg: str


def measurement(sources: Sources, page: str) -> View | None:
    """The page of that name."""
    keys = sources.store.keys()
    key = next((key for key in keys if series_page(key) == page), None)
    if key is None:
        return None
    points = sources.store.series(key, _POINTS + 1)
    older, points = len(points) > _POINTS, points[-_POINTS:]
    baseline = _baseline(sources, key)
    trend = sources.trend(points, baseline)
    alerts = [alert for alert in sources.store.alerts(None) if alert.key == key]
    changes = [c for c in trend.changes if 0 <= c.index < len(points)] if trend is not None else []
    says = {
        "key": key,
        "points": points,
        "older": older,
        "last": points[-1] if points else None,
        "trend": trend,
        "noise": noise_of(trend),
        "baseline": baseline,
        "chart": trend_chart(points, trend, f"{key.name} of {key.board}", width=WIDTH, height=HEIGHT),
        "steps": [StepLine(change, points[change.index]) for change in reversed(changes)],
        "table": list(reversed(list(_table(points, trend, {c.index for c in changes})))),
        "alerts": alert_lines(sources, [a for a in alerts if a.state in WAITING], drawn=0),
        "settled": [a for a in alerts if a.state not in WAITING],
        "beside": list(_beside(sources, key, keys)),
    }
    return View("measurement.html.j2", f"{key.name} · {key.board}", "measurements", says)


def measurements(sources: Sources) -> View:
    """The list of all series."""
    return View(
        "measurements.html.j2", "Measurements", "measurements", {"suites": series_lines(sources, None)}
    )


def names(sources: Sources) -> list[str]:
    """The pages of all series."""
    return list(map(series_page, sources.store.keys(None)))


def _baseline(sources: Sources, key: SeriesKey) -> str | None:
    """The run of the last baseline that was set for the series or for all of its board."""
    found = baseline_of(key, sources.store.baselines())
    return found.run_id if found is not None else None


def _table(points: Sequence[Point], trend: Trend | None, steps: set[int]) -> Iterator[PointLine]:
    shown = drawable(points)
    frame = frame_of(shown, trend, WIDTH, HEIGHT) if shown else None
    before: str | None = None
    for place, point in enumerate(points):
        x, y = frame.place(point) if frame is not None and math.isfinite(point.value) else (-1.0, -1.0)
        new = place > 0 and point.image_sha256 != before
        yield PointLine(point, round(x, 1), round(y, 1), new, place in steps)
        before = point.image_sha256


def _beside(sources: Sources, key: SeriesKey, keys: Sequence[SeriesKey]) -> Iterator[Beside]:
    alike = [
        k for k in keys if (k.suite, k.name, k.statistic) == (key.suite, key.name, key.statistic) and k != key
    ]
    for other in alike[:_BESIDE]:
        points = sources.store.series(other, _POINTS_BESIDE)
        if points:
            label = f"{other.name} of {other.board}"
            yield Beside(
                other, points, trend_chart(points, sources.trend(points), label, width=516, height=190)
            )
