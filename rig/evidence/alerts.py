# SPDX-License-Identifier: MIT
"""Alerts and baselines: their records, and which state may follow which. Pure; stores nothing.

::

    suspected ──re-run──▶ confirmed ──person──▶ acknowledged
        │                     │  ▲                   │
        │ not seen again      │  │ still there       │
        ▼                     ▼  │                   ▼
      fixed (dropped)       fixed ◀──────────────────┤      expected: moves the baseline; the end
                                                     └─────▶ expected (also from suspected, confirmed)

A person's step needs a name and a reason. A clock that was set back never makes an alert younger than it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, get_args

from rig.errors import UsageFault
from rig.events import Scalar
from rig.evidence.series_key import SeriesKey

Kind = Literal["limit", "step", "drift", "exact"]
State = Literal["suspected", "confirmed", "acknowledged", "expected", "fixed"]

STATES: Final[tuple[State, ...]] = get_args(State)
OPEN: Final[frozenset[State]] = frozenset({"suspected", "confirmed", "acknowledged"})
"""States in which something is still to be done or to be seen."""
RIG: Final = "rig"
"""The author of what no person did."""

_NEXT: Final[Mapping[State, frozenset[State]]] = {
    "suspected": frozenset({"confirmed", "expected", "fixed"}),
    "confirmed": frozenset({"acknowledged", "expected", "fixed"}),
    "acknowledged": frozenset({"acknowledged", "expected", "fixed"}),
    "expected": frozenset(),
    "fixed": frozenset({"confirmed"}),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A series that left its level in ``since_run``: from what to what, how sure, and who said what of it.

    ``detail`` has what the rig found (``docs/regression.md`` lists the keys). ``author`` and ``reason`` are
    those of the last step; ``rig`` is no person.
    """

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
    author: str = RIG
    reason: str = ""
    detail: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def dropped(self) -> bool:
        """Whether it was a suspicion that the re-run did not bear out."""
        return self.state == "fixed" and bool(self.detail.get("dropped"))

    @property
    def open(self) -> bool:
        """Whether something is still to be done or to be seen."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Baseline:
    """A run from which a series, or every series of a board (``key`` None), is looked at anew."""

    name: str
    version: int
    key: SeriesKey | None
    board: str
    run_id: str
    author: str
    reason: str
    set_utc: datetime


def alert_id(key: SeriesKey, kind: Kind, since_run: str) -> str:
    """The same for the same change, whoever finds it: short, and as good as unique."""
    text = "\0".join((key.board, key.suite, key.case, key.name, key.statistic, key.variant, kind, since_run))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def moved(
    alert: Alert,
    state: State,
    now: datetime,
    *,
    author: str = RIG,
    reason: str = "",
    detail: Mapping[str, Scalar] | None = None,
) -> Alert:
    """The alert in its next state; ``detail`` adds to what is known. Raises UsageFault."""
    following = frozenset() if alert.dropped else _NEXT[alert.state]
    if state not in following:
        can = ", ".join(sorted(following)) or "nothing: that is its end"
        raise UsageFault(f"alert {alert.id} is {alert.state}; it can become {can}, not {state}")
    return replace(
        alert,
        state=state,
        changed_utc=max(now, alert.changed_utc),
        author=author,
        reason=reason,
        detail={**alert.detail, **(detail or {})},
    )


def drop(alert: Alert, now: datetime, reason: str, detail: Mapping[str, Scalar] | None = None) -> Alert:
    """A suspicion that the re-run did not bear out. Raises UsageFault if it is none."""
    if alert.state != "suspected":
        raise UsageFault(f"alert {alert.id} is {alert.state}; only a suspicion can be dropped")
    return moved(alert, "fixed", now, reason=reason, detail={**(detail or {}), "dropped": True})


def acknowledge(alert: Alert, author: str, reason: str, now: datetime) -> Alert:
    """A person has seen it, and it stays open. Raises UsageFault."""
    author, reason = _person(author, reason)
    return moved(alert, "acknowledged", now, author=author, reason=reason)


def fix(alert: Alert, author: str, reason: str, now: datetime) -> Alert:
    """A person says that it is repaired; ``watch`` opens it again if it is not. Raises UsageFault."""
    if alert.state == "suspected":
        raise UsageFault(f"alert {alert.id} is only suspected: its re-run decides first")
    author, reason = _person(author, reason)
    return moved(alert, "fixed", now, author=author, reason=reason, detail={"claimed": True})


def expect(
    alert: Alert, author: str, reason: str, now: datetime, baselines: Iterable[Baseline] = ()
) -> tuple[Alert, Baseline]:
    """A person wanted the change: the alert ends, and its series has a new baseline. Raises UsageFault."""
    name, key = f"expected {alert.id}", alert.key
    baseline = set_baseline(name, key.board, alert.since_run, author, reason, now, baselines, key=key)
    return moved(alert, "expected", now, author=baseline.author, reason=baseline.reason), baseline


def set_baseline(
    name: str,
    board: str,
    run_id: str,
    author: str,
    reason: str,
    now: datetime,
    known: Iterable[Baseline] = (),
    *,
    key: SeriesKey | None = None,
) -> Baseline:
    """The next version of the baseline of that name. Raises UsageFault without a name, author and reason."""
    if not name.strip():
        raise UsageFault("a baseline needs a name")
    author, reason = _person(author, reason)
    version = 1 + max((b.version for b in known if b.name == name), default=0)
    return Baseline(name, version, key, board, run_id, author, reason, now)


def baseline_of(key: SeriesKey, baselines: Iterable[Baseline]) -> Baseline | None:
    """The baseline that holds for a series: the last one that was set for it or for all of its board."""
    meant = [b for b in baselines if b.key == key or (b.key is None and b.board == key.board)]
    return max(meant, key=lambda b: (b.set_utc, b.version), default=None)


def _person(author: str, reason: str) -> tuple[str, str]:
    missing = [what for what, text in (("an author", author), ("a reason", reason)) if not text.strip()]
    if missing:
        raise UsageFault(f"this needs {' and '.join(missing)}")
    return author.strip(), reason.strip()
