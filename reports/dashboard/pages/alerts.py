# SPDX-License-Identifier: MIT
"""All alerts, by what people have made of them; those that wait for an answer first."""

from __future__ import annotations

from typing import Final

from reports.dashboard.sources import Sources, View, alert_lines

STATES: Final = ("confirmed", "suspected", "acknowledged", "expected", "fixed")


def alerts(sources: Sources) -> View:
    """The page."""
    every = sorted(sources.store.alerts(None), key=lambda a: (a.changed_utc, a.id), reverse=True)
    lines = {state: [a for a in every if a.state == state] for state in STATES}
    groups = {state: alert_lines(sources, found) for state, found in lines.items() if state != "fixed"}
    fixed = alert_lines(sources, lines["fixed"], drawn=0)
    says = {
        "groups": groups | {"fixed": [line for line in fixed if not line.dropped]},
        "dropped": [line for line in fixed if line.dropped],
    }
    return View("alerts.html.j2", "Alerts", "alerts", says)
