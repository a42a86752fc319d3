# SPDX-License-Identifier: MIT
"""What the tests of the dashboard share: sources made up, a client, actions that are only noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reports.dashboard.guard import Rules
from reports.dashboard.server import Dashboard
from reports.dashboard.sources import Sources
from rig.errors import UsageFault
from rig.evidence.trend import analyse
from tests.reports import bench_documents, bench_year

if TYPE_CHECKING:
    from starlette.testclient import TestClient

TOKEN = "a-token-that-is-long-enough"
BASE = "http://127.0.0.1:8750"


def sources_of(folder: Path, bench: bench_year.Bench | None = None, say: str = "") -> Sources:
    """A bench of some nights, with qualifications, a plan of power cuts and a plan of nights."""
    store = bench or bench_year.Bench(70, say)
    bench_documents.write_qualifications(folder / "qualifications", store, say)
    bench_documents.write_power_cuts(folder / "power-cuts", say, 60)
    bench_documents.write_night(folder / "nights", store, say)
    return Sources(
        store,
        analyse,
        qualifications=folder / "qualifications",
        power_cuts=folder / "power-cuts",
        nights=folder / "nights",
        suites=("boot", "kernel"),
        now=lambda: bench_year.NOW,
    )


@dataclass
class Noted:
    """Actions that are noted and do nothing."""

    done: list[tuple[object, ...]] = field(default_factory=list)

    def move_alert(self, alert_id: str, state: str, author: str, reason: str) -> None:
        """Refuses an alert that is not there."""
        if not alert_id.startswith("al-"):
            raise UsageFault(f"there is no alert {alert_id!r}")
        self.done.append(("alert", alert_id, state, author, reason))

    def start(self, board: str, suites: Sequence[str]) -> None:
        """Notes."""
        self.done.append(("start", board, *suites))

    def abort(self, board: str) -> None:
        """Notes."""
        self.done.append(("abort", board))

    def answer(self, board: str, prompt: int, answer: str, author: str) -> None:
        """Notes."""
        self.done.append(("answer", board, prompt, answer, author))


def client_of(sources: Sources, rules: Rules, actions: Noted | None = None) -> TestClient:
    """A client that does not follow redirects, at an address of this machine."""
    from starlette.testclient import TestClient

    return TestClient(Dashboard(sources, rules, actions), base_url=BASE, follow_redirects=False)
