# SPDX-License-Identifier: MIT
"""What is new since it was last told: for a webhook and for people. Pure.

Owns the rule that nothing is told twice: an alert is news while its state is another than the one told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.dashboard.names import ALERTS, series_page
from reports.text import change, number, one_line, plural, printable
from rig.evidence.alerts import RIG, Alert

_ORDER: Final = ("confirmed", "suspected", "acknowledged", "expected", "fixed")
_QUIET: Final = frozenset({"expected", "fixed"})
"""States that are no news of an alert that nobody was told of."""
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class News:
    """The alerts to be told of, the worst first, and what is told when they are."""

    alerts: tuple[Alert, ...]
    told: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.alerts)


def news(alerts: Iterable[Alert], told: Mapping[str, str]) -> News:
    """What is news beside ``told``, the state by alert that was told last."""
    every = list(alerts)
    fresh = [a for a in every if told.get(a.id) != a.state and (a.id in told or a.state not in _QUIET)]
    ordered = sorted(fresh, key=lambda a: (_rank(a.state), a.key.board, a.key.name, a.id))
    return News(tuple(ordered), {a.id: a.state for a in every})


def payload(found: News, site: str = "") -> dict[str, Any]:
    """The body of the webhook: ``text`` for a chat, ``alerts`` for programs. ``site``: the dashboard's."""
    return {"text": "\n".join(_lines(found, site)), "alerts": [_alert(a, site) for a in found.alerts]}


def sentence(alert: Alert) -> str:
    """An alert in a line: ``confirmed: mps2 queue.send.switch 318 → 319 instructions (+0.31 %)``."""
    share = f" ({change((alert.after - alert.before) / abs(alert.before))})" if alert.before else ""
    moved = f"{number(alert.before)} → {number(alert.after)} {alert.unit}{share}"
    said = f": {alert.author}: {alert.reason}" if alert.author not in ("", RIG) else ""
    return one_line(f"{alert.state}: {alert.key.board} {alert.key.name} {moved}{said}", 4 * _LONGEST)


def _lines(found: News, site: str) -> list[str]:
    head = f"Bench: {plural(len(found.alerts), 'alert')} changed"
    return [head, *map(sentence, found.alerts), *([_address(site, ALERTS)] if site else [])]


def _alert(alert: Alert, site: str) -> dict[str, Any]:
    key = alert.key
    said = {
        "id": alert.id,
        "state": alert.state,
        "kind": alert.kind,
        "board": key.board,
        "suite": key.suite,
        "case": key.case,
        "measurement": key.name,
        "statistic": key.statistic,
        "before": alert.before,
        "after": alert.after,
        "unit": alert.unit,
        "since_run": alert.since_run,
        "since_image": alert.since_image,
        "author": alert.author,
        "reason": alert.reason,
        **({"page": _address(site, series_page(key))} if site else {}),
    }
    return {name: printable(value) if isinstance(value, str) else value for name, value in said.items()}


def _address(site: str, page: str) -> str:
    return f"{site.rstrip('/')}/{page}"


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)
