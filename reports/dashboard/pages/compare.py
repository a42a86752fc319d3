# SPDX-License-Identifier: MIT
"""What changed between two runs: the comparison of their bundles, or of what the store has of them.

The comparison is ``rig/evidence/regression.py``'s, its words ``reports/comparison_view.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.comparison_page import comparison_says
from reports.dashboard.names import compare_page, pair_of, slug
from reports.dashboard.pages.board import figure
from reports.dashboard.sources import Sources, View
from rig.errors import RigError
from rig.evidence.model import MeasurementResult
from rig.evidence.store import IndexedRun

_OFFERED: Final = 60
_MOST: Final = 5000


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement of two runs, by its summary alone: no test says whether that is more than chance."""

    board: str
    suite: str
    name: str
    unit: str
    before: float
    after: float

    @property
    def relative(self) -> float | None:
        """The difference as a part of what was."""
        return (self.after - self.before) / abs(self.before) if self.before else None


def overview(sources: Sources) -> View:
    """Where two runs are chosen, with those at hand that people mean most often."""
    rows = sources.store.runs(_OFFERED)
    says = {"runs": rows, "pairs": list(suggested(sources))}
    return View("compare.html.j2", "Compare", "compare", says)


def suggested(sources: Sources) -> Iterator[tuple[str, str, IndexedRun, IndexedRun]]:
    """Of each board: why, and the two runs: the last two, and its baseline with the last."""
    known = {row.run_id: row for row in sources.store.runs(_MOST)}
    for board in sources.store.boards():
        last = sources.store.runs(2, board.name)
        if len(last) == 2:
            yield board.name, "the last two nights", last[1], last[0]
        for baseline in sources.store.baselines():
            of_it = known.get(baseline.run_id)
            if baseline.board == board.name and baseline.key is None and of_it is not None and last:
                yield board.name, f"baseline {baseline.name}, and the last night", of_it, last[0]


def compare(sources: Sources, page: str) -> View | None:
    """The page of two runs."""
    pair = pair_of(page)
    rows = {slug(row.run_id): row for row in sources.store.runs(_MOST)}
    if pair is None or pair[0] not in rows or pair[1] not in rows:
        return None
    before, after = rows[pair[0]], rows[pair[1]]
    title = f"{before.run_id} → {after.run_id}"
    comparison = None
    if sources.compare is not None:
        try:
            comparison = sources.compare(before.path, after.path)
        except (RigError, OSError):
            comparison = None  # bundles that are elsewhere; the store's rows are shown
    if comparison is not None:
        return View("comparison.dash.html.j2", title, "compare", comparison_says(comparison))
    says = {"before": before, "after": after, "rows": rows_of(sources, before, after)}
    return View("compare-rows.html.j2", title, "compare", says)


def names(sources: Sources) -> list[str]:
    """The pages of the suggested pairs."""
    return [compare_page(a.run_id, b.run_id) for _, _, a, b in suggested(sources)]


def rows_of(sources: Sources, before: IndexedRun, after: IndexedRun) -> list[Row]:
    """What both runs measured and what is not alike, the largest change first."""
    old = _last(sources.store.measurements(before.run_id))
    new = _last(sources.store.measurements(after.run_id))
    found = [_row(old[key], new[key]) for key in old.keys() & new.keys() if old[key].unit == new[key].unit]
    return sorted(found, key=lambda row: (-abs(row.relative or 0), row.board, row.name))


def _last(results: Sequence[MeasurementResult]) -> dict[tuple[str, str, str, str], MeasurementResult]:
    return {(m.board, m.suite, m.case, m.name): m for m in sorted(results, key=lambda m: m.attempt)}


def _row(old: MeasurementResult, new: MeasurementResult) -> Row:
    statistic = "mean" if new.n == 1 else "p50"
    return Row(new.board, new.suite, new.name, new.unit, figure(old, statistic), figure(new, statistic))
