# SPDX-License-Identifier: MIT
"""All alerts, by what people have made of them; those that wait for an answer first."""

from __future__ import annotations

from typing import Final

from reports.dashboard.sources import Sources, View, alert_lines

STATES: Final = ("confirmed", "suspected", "acknowledged", "expected", "fixed")


def alerts(sources: Sources) -> View:
    """The page."""
    every = sorted(sources.store.alerts(None), key=lambda a: (a.changed_utc, a.id), reverse=True)
    groups = {state: alert_lines(sources, [a for a in every if a.state == state]) for state in STATES}
    return View("alerts.html.j2", "Alerts", "alerts", {"groups": groups})
