# SPDX-License-Identifier: MIT
"""The station: what each board does this moment, what it waits for, and how to begin or to stop it."""

from __future__ import annotations

from reports.dashboard.sources import Sources, View


def station(sources: Sources) -> View:
    """The page."""
    busy = sources.going_on()
    working = {activity.board for activity in busy}
    idle = [board for board in sources.store.boards() if board.name not in working]
    says = {"busy": busy, "idle": idle, "suites": sources.suites, "watching": sources.watch is not None}
    return View("station.html.j2", "Station", "station", says)
