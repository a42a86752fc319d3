# SPDX-License-Identifier: MIT
"""Which cases run, what they promised and measured, and how they ended: the recorder's memory. No files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig.evidence.measurement import (
    NOT_GOOD,
    Measurement,
    Outcome,
    case_outcome,
    decide,
    is_unstable,
    show,
    show_bounds,
)
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.records import CaseKey


@dataclass(slots=True)
class OpenCase:
    """An attempt that runs: when it began, what it declared and what it measured so far, by name."""

    key: CaseKey
    started_ns: int
    requirements: tuple[str, ...] = ()
    declared: dict[str, Measurement] = field(default_factory=dict)
    measured: dict[str, MeasurementResult] = field(default_factory=dict)

    @property
    def unset(self) -> list[Measurement]:
        """Declared and not measured."""
        return [declared for name, declared in self.declared.items() if name not in self.measured]

    def must_be_new(self, name: str) -> None:
        """Raises ValueError if that is measured already: a measurement is taken once."""
        if name in self.measured:
            raise ValueError(f"{describe(self.key)}: {name} is measured already")


class CaseBook:
    """The attempts of a run: open and ended. Not thread-safe; the recorder's lock covers it."""

    def __init__(self) -> None:
        self._open: dict[CaseKey, OpenCase] = {}
        self._ended: dict[tuple[str, str, str], list[Outcome]] = {}

    @property
    def running(self) -> tuple[CaseKey, ...]:
        """The attempts that did not end yet."""
        return tuple(self._open)

    @property
    def decided(self) -> list[Outcome]:
        """One outcome per case that has ended, all its attempts considered."""
        return [decide(attempts) for attempts in self._ended.values()]

    def must_not_run(self, key: CaseKey) -> None:
        """Raises ValueError if that attempt runs already."""
        if key in self._open:
            raise ValueError(f"{describe(key)} is running already")

    def start(self, key: CaseKey, now_ns: int, requirements: tuple[str, ...] = ()) -> None:
        """An attempt begins."""
        self._open[key] = OpenCase(key, now_ns, requirements)

    def case(self, key: CaseKey) -> OpenCase:
        """The open attempt; raises ValueError, listing those that run, if it is not one."""
        if key not in self._open:
            others = ", ".join(map(describe, self._open)) or "none"
            raise ValueError(f"{describe(key)} is not running; running: {others}")
        return self._open[key]

    def result(
        self, key: CaseKey, stated: Outcome, reason: str, artifacts: Mapping[str, Path], now_ns: int
    ) -> CaseResult:
        """How the attempt ends if it ends now, as ``stated`` or worse; nothing is changed yet."""
        case = self.case(key)
        outcomes = [result.outcome for result in case.measured.values()]
        outcome = case_outcome(stated, outcomes, len(case.unset))
        reasons = [reason, *map(_why, case.measured.values())]
        unstable = is_unstable([*self._ended.get(key[:3], []), outcome])
        duration_s = (now_ns - case.started_ns) / 1e9
        text = "; ".join(filter(None, reasons))
        return CaseResult(
            *key, outcome, text, unstable, case.started_ns, duration_s, dict(artifacts), case.requirements
        )

    def end(self, key: CaseKey, outcome: Outcome) -> None:
        """The attempt has ended."""
        del self._open[key]
        self._ended.setdefault(key[:3], []).append(outcome)


def describe(key: CaseKey) -> str:
    """An attempt as people read it."""
    board, suite, case, attempt = key
    return f"{suite}/{case} on board {board}, attempt {attempt}"


def _why(result: MeasurementResult) -> str:
    """Why a measurement makes its case worse; empty if it does not."""
    if result.outcome not in NOT_GOOD:
        return ""
    if result.note:
        return f"{result.name}: {result.note}"
    figure = result.mean if result.statistic == "value" else getattr(result, result.statistic)
    limit = f"limit {show_bounds(result.lower, result.upper, result.statistic)} ({result.limit_at})"
    return f"{result.name}: {result.statistic} is {show(figure)} {result.unit}, {limit}"
