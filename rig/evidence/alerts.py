# SPDX-License-Identifier: MIT
"""What is kept of a change that somebody must look at, and of a run that was accepted. Plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rig.events import Scalar
from rig.evidence.series_key import SeriesKey

Kind = Literal["limit", "step", "drift", "exact"]
State = Literal["suspected", "confirmed", "acknowledged", "expected", "fixed"]


@dataclass(frozen=True, slots=True)
class Alert:
    """A change of one series: since which run and image, from what to what, and what people say to it."""

    id: str
    key: SeriesKey
    kind: Kind
    state: State
    since_run: str
    since_image: str | None
    before: float
    after: float
    unit: str
    opened_utc: datetime
    changed_utc: datetime
    author: str
    reason: str
    detail: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Baseline:
    """An accepted run, for one series or (``key`` is None) for all of a board; versions count up."""

    name: str
    version: int
    key: SeriesKey | None
    board: str
    run_id: str
    author: str
    reason: str
    set_utc: datetime
