# SPDX-License-Identifier: MIT
"""Where the marks of an axis stand: round numbers, and days, months or years. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_marks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers between the two, about as many as wanted; both alike gives that one."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(s * scale for s in _STEPS if s * scale >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def day_marks(first: datetime, last: datetime, most: int = 12) -> list[tuple[datetime, str]]:
    """Moments with their words: days where they fit, else beginnings of months, else of years."""
    span = last - first
    if span <= timedelta(days=1):
        return [(first, first.strftime("%d %b %H:%M"))]
    if span <= timedelta(days=most):
        return [(day, day.strftime("%d %b")) for day in _days(first, last)]
    months = list(_months(first, last))
    if not months:
        return [(first, first.strftime("%d %b")), (last, last.strftime("%d %b"))]
    step = next((n for n in (1, 2, 3, 6, 12) if len(months) <= n * most), 12)
    shown = [month for month in months if (month.month - 1) % step == 0]
    return [(month, month.strftime("%Y" if month.month == 1 else "%b")) for month in shown]


def _days(first: datetime, last: datetime) -> Iterator[datetime]:
    day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= last:
        if day >= first:
            yield day
        day += timedelta(days=1)


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    at = first.astimezone(UTC)
    year, month = at.year, at.month
    while (moment := datetime(year, month, 1, tzinfo=UTC)) <= last:
        if moment >= first:
            yield moment
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
