# SPDX-License-Identifier: MIT
"""Plans of power cuts: every operation of an update's flash, and what a cut there left (``matrix.json``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.dashboard.cut_chart import colour_of, cut_chart
from reports.dashboard.json_files import read_documents
from reports.dashboard.names import slug
from reports.dashboard.sources import Sources, View

_FILE: Final = "matrix.json"
_LARGEST: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: what it is called, its document, and how many cuts had each outcome."""

    name: str
    document: Mapping[str, Any]
    outcomes: Mapping[str, int]

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The cuts, in their order."""
        return [row for row in self.document["matrix"] if isinstance(row, dict)]

    @property
    def summary(self) -> Mapping[str, Any]:
        """The plan's own counts."""
        found = self.document.get("summary")
        return found if isinstance(found, dict) else {}

    @property
    def failures(self) -> Sequence[str]:
        """What is bad, a line each."""
        return [str(said) for said in self.summary.get("failures", ())]


def plans(sources: Sources) -> list[Plan]:
    """The plans that can be read, by name."""
    if sources.power_cuts is None:
        return []
    found = []
    for name, document in read_documents(sources.power_cuts, f"**/{_FILE}", _LARGEST):
        if isinstance(document.get("matrix"), list):
            rows = [row for row in document["matrix"] if isinstance(row, dict)]
            counted = Counter(str(row.get("outcome")) for row in rows)
            found.append(Plan(name.removesuffix(f"/{_FILE}"), document, counted))
    return found


def overview(sources: Sources) -> View:
    """The list of plans."""
    says = {"plans": plans(sources), "colour": colour_of}
    return View("power-cuts.html.j2", "Power cuts", "power-cuts", says)


def power_cuts(sources: Sources, wanted: str) -> View | None:
    """The page of the plan of that slug."""
    plan = next((plan for plan in plans(sources) if slug(plan.name) == wanted), None)
    if plan is None:
        return None
    update = [row for row in plan.rows if row.get("depth") == 1]
    few = [row for row in update if _operation(row).get("phase") != "download"]
    deeper = [row for row in plan.rows if row.get("depth", 1) > 1]
    charts = {
        "Every operation of the update": cut_chart(update, "Cuts of the update"),
        "Those that are no download": cut_chart(few, "Cuts apart from the download") if few != update else "",
        "In the recoveries": cut_chart(deeper, "Cuts in the recoveries"),
    }
    says = {
        "plan": plan,
        "charts": {k: v for k, v in charts.items() if v},
        "colour": colour_of,
        "table": _table(plan),
    }
    return View("power-cuts-plan.html.j2", f"Power cuts: {plan.name}", "power-cuts", says)


def names(sources: Sources) -> list[str]:
    """The slugs of all plans."""
    return [slug(plan.name) for plan in plans(sources)]


def _operation(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("op")
    return found if isinstance(found, dict) else {}


def _table(plan: Plan) -> list[tuple[str, str, str, str, Counter[str]]]:
    """Depth, phase, kind, fault, and how many cuts had each outcome."""
    found: dict[tuple[str, str, str, str], Counter[str]] = {}
    for row in plan.rows:
        op = _operation(row)
        key = (str(row.get("depth")), str(op.get("phase")), str(op.get("kind")), str(row.get("fault")))
        found.setdefault(key, Counter())[str(row.get("outcome"))] += 1
    return [(*key, counted) for key, counted in found.items()]
