# SPDX-License-Identifier: MIT
"""What of one run stands beside what of another, and whether it may be compared. Judges no change.

Of several attempts at a case the last one that has the measurement counts, as in a trend.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rig.events import Scalar
from rig.evidence import conditions
from rig.evidence.comparison import Change, Incomparable, Moved, Row, Word
from rig.evidence.direction import better
from rig.evidence.measurement import Outcome, decide
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run

TICK_HIT: Final = ".tick_hit"
"""How the measurement of the samples that a tick interrupt hit is called: ``<name>.tick_hit``."""

Key = tuple[str, str, str, str]
"""Board, suite, case, and the measurement's name."""
CaseName = tuple[str, str, str]
"""Board, suite and case."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the two, by name."""

    run: Run
    boards: Mapping[str, BoardResult]
    measurements: Mapping[Key, MeasurementResult]
    cases: Mapping[CaseName, tuple[CaseResult, ...]]

    @classmethod
    def of(cls, run: Run) -> Side:
        """The run, of each measurement its last attempt."""
        ordered = sorted(run.measurements, key=lambda m: m.attempt)
        return cls(
            run,
            {board.name: board for board in run.boards},
            {(m.board, m.suite, m.case, m.name): m for m in ordered},
            _attempts(run.cases),
        )

    def context(self, m: MeasurementResult) -> dict[str, Scalar]:
        """How a measurement of the run was taken."""
        return conditions.context_of(m.context, self.boards.get(m.board))

    def outcome(self, case: CaseName) -> Outcome | None:
        """How the case ended, all attempts considered; None if the run has no such case."""
        attempts = self.cases.get(case)
        return decide([attempt.outcome for attempt in attempts]) if attempts else None

    def reason(self, case: CaseName) -> str:
        """Why its last attempt ended so; empty for a plain PASS."""
        attempts = self.cases.get(case)
        return attempts[-1].reason if attempts else ""

    def ticks_file(self, m: MeasurementResult) -> Path | None:
        """Where all samples of a measurement are kept in order, those that a tick hit marked; or None."""
        for case in self.cases.get((m.board, m.suite, m.case), ()):
            if case.attempt == m.attempt:
                return case.artifacts.get(f"{m.name}.ticks.csv")
        return None


@dataclass(frozen=True, slots=True)
class Pair:
    """A row that both runs have, and that may be compared. ``resolution``: the counter's tick, or 0."""

    key: Key
    before: MeasurementResult
    after: MeasurementResult
    apart: conditions.Apart
    exact: bool
    resolution: float

    @property
    def single(self) -> bool:
        """Whether it is one value on either side."""
        return self.before.n == self.after.n == 1

    @property
    def row(self) -> Row:
        """The row's name."""
        return Row(*self.key, self.after.unit)

    def change(self, verdict: Word, figure: str, figures: Mapping[str, Moved], **more: Any) -> Change:
        """The row with a verdict on it; ``figure`` is the one of ``figures`` to show first."""
        return Change(
            self.row,
            verdict,
            figure,
            figures[figure],
            figures,
            better(self.key[3], self.after.unit),
            exact=self.exact,
            n=(self.before.n, self.after.n),
            across=self.apart.allowed,
            beside=self.apart.beside,
            **more,
        )


def keys(before: Mapping[Key, object], after: Mapping[Key, object]) -> Iterator[Key]:
    """The names that either has, in the order of the first, without the populations hit by a tick."""
    for key in dict.fromkeys([*before, *after]):
        if not key[3].endswith(TICK_HIT):
            yield key


def meet(before: Side, after: Side, key: Key, across: Collection[str]) -> Change | Incomparable | Pair:
    """The row of that name: a Pair to compare, or why it is not (one run has it, contexts differ)."""
    a, b = before.measurements.get(key), after.measurements.get(key)
    if a is None or b is None:
        return _alone(key, a, b)
    row = Row(*key, b.unit)
    if a.unit != b.unit:
        return Incomparable(row, (conditions.Difference("unit", a.unit, b.unit),))
    contexts = before.context(a), after.context(b)
    apart = conditions.apart(*contexts, across)
    if apart.forbidding:
        return Incomparable(row, apart.forbidding)
    if note := _no_figure(a, b):
        return Incomparable(row, (), note)
    exact = all(conditions.is_exact(a.unit, context) for context in contexts)
    return Pair(key, a, b, apart, exact, max(_resolution(a.unit, context) for context in contexts))


def _alone(key: Key, a: MeasurementResult | None, b: MeasurementResult | None) -> Change:
    unit = a.unit if a else b.unit if b else ""
    n = (a.n if a else 0, b.n if b else 0)
    return Change(Row(*key, unit), Word.NEW if a is None else Word.GONE, n=n)


def _no_figure(a: MeasurementResult, b: MeasurementResult) -> str:
    """Why one of them has no figure to compare; empty if both have."""
    for which, m in (("first", a), ("second", b)):
        if m.n == 0:
            return f"never set in the {which} run"
        if not math.isfinite(m.p50) or not math.isfinite(m.mean):
            return f"holds what is no finite number in the {which} run"
    return "one value against a distribution" if (a.n == 1) != (b.n == 1) else ""


def _resolution(unit: str, context: Mapping[str, Scalar]) -> float:
    """The counter's tick in the unit of the figures, 0 where it is not known."""
    scale = {"ns": 1e9, "us": 1e6, "µs": 1e6, "ms": 1e3, "s": 1.0}.get(unit)
    hz = str(context.get("counter_hz", ""))
    return scale / int(hz) if scale and hz.isdecimal() and int(hz) else 0.0


def _attempts(cases: Iterable[CaseResult]) -> dict[CaseName, tuple[CaseResult, ...]]:
    found: dict[CaseName, list[CaseResult]] = {}
    for case in cases:
        found.setdefault((case.board, case.suite, case.case), []).append(case)
    return {key: tuple(sorted(rows, key=lambda c: c.attempt)) for key, rows in found.items()}
