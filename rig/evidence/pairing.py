# SPDX-License-Identifier: MIT
"""What of one run stands beside what of another: measurements, cases and boards by name. Makes no verdicts.

Of several attempts at a case the last one that has the measurement counts, as in a trend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.evidence.measurement import Outcome, decide
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run

TICK_HIT: Final = ".tick_hit"
"""How the measurement of the samples that a tick interrupt hit is called: ``<name>.tick_hit``."""

Key = tuple[str, str, str, str]
"""Board, suite, case, and the measurement's name."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the two, by name."""

    run: Run
    boards: Mapping[str, BoardResult]
    measurements: Mapping[Key, MeasurementResult]
    cases: Mapping[tuple[str, str, str], tuple[CaseResult, ...]]

    @classmethod
    def of(cls, run: Run) -> Side:
        """The run, its last attempts on top."""
        ordered = sorted(run.measurements, key=lambda m: m.attempt)
        return cls(
            run,
            {board.name: board for board in run.boards},
            {(m.board, m.suite, m.case, m.name): m for m in ordered},
            _attempts(run.cases),
        )

    def outcome(self, case: tuple[str, str, str]) -> Outcome | None:
        """How the case ended, all attempts considered; None if the run has no such case."""
        attempts = self.cases.get(case)
        return decide([attempt.outcome for attempt in attempts]) if attempts else None

    def reason(self, case: tuple[str, str, str]) -> str:
        """Why its last attempt ended so; empty for a plain PASS."""
        attempts = self.cases.get(case)
        return attempts[-1].reason if attempts else ""

    def ticks_file(self, m: MeasurementResult) -> Path | None:
        """Where all samples of a measurement are kept in order, those that a tick hit marked; or None."""
        for case in self.cases.get((m.board, m.suite, m.case), ()):
            if case.attempt == m.attempt:
                return case.artifacts.get(f"{m.name}.ticks.csv")
        return None


def keys(before: Mapping[Key, object], after: Mapping[Key, object]) -> Iterator[Key]:
    """The names that either has, in the order of the first, without the populations hit by a tick."""
    for key in dict.fromkeys([*before, *after]):
        if not key[3].endswith(TICK_HIT):
            yield key


def _attempts(cases: Iterable[CaseResult]) -> dict[tuple[str, str, str], tuple[CaseResult, ...]]:
    found: dict[tuple[str, str, str], list[CaseResult]] = {}
    for case in cases:
        found.setdefault((case.board, case.suite, case.case), []).append(case)
    return {key: tuple(sorted(rows, key=lambda c: c.attempt)) for key, rows in found.items()}
