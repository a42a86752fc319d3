# SPDX-License-Identifier: MIT
"""What the dashboard asks of others, as Protocols: a store to read, an analysis, and actions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from rig.evidence.alerts import Alert, Baseline, State
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.store import BoardNow, Flake, IndexedRun
from rig.evidence.trend import Trend

Analysis = Callable[[Sequence[Point], str | None], Trend]
"""Looks for steps in the points of a series, oldest first, from the run of a baseline on."""


class Store(Protocol):
    """What is read of a store (``rig/evidence/store``), all of it from summary rows."""

    def runs(self, limit: int | None = None, board: str | None = None) -> list[IndexedRun]: ...
    def boards(self) -> list[BoardNow]: ...
    def keys(self, board: str | None = None) -> list[SeriesKey]: ...
    def newest(self, board: str) -> list[tuple[str, MeasurementResult]]: ...
    def series(self, key: SeriesKey, newest: int | None = None) -> list[Point]: ...
    def measurements(self, run_id: str) -> list[MeasurementResult]: ...
    def cases(self, run_id: str) -> list[CaseResult]: ...
    def flakes(self, since: datetime) -> list[Flake]: ...
    def alerts(self, states: Collection[State] | None = None) -> list[Alert]: ...
    def baselines(self) -> list[Baseline]: ...
    def count(self) -> int: ...


class Actions(Protocol):
    """What a person with the token may do. Each returns at once; raises RigError with what is wrong."""

    def move_alert(self, alert_id: str, state: str, author: str, reason: str) -> None:
        """To ``acknowledged``, ``expected`` or ``fixed``."""

    def start(self, board: str, suites: Sequence[str]) -> None:
        """Begins a run of the board in a process of its own."""

    def abort(self, board: str) -> None:
        """Stops in order the run that ``start`` began."""

    def answer(self, board: str, prompt: int, answer: str, author: str) -> None:
        """Tells a case that waits for a person what the person said."""
