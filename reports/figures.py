# SPDX-License-Identifier: MIT
"""The measurements of a run as reports tell them: which belong together, what they share, what is limited.

Owns grouping and order. Makes no outcome: those come from the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import text
from rig.events import Scalar
from rig.evidence.model import MeasurementResult, Run

Pair = tuple[MeasurementResult, MeasurementResult | None]
"""A measurement, and the one of the same case that holds its samples hit by a tick."""


@dataclass(frozen=True, slots=True)
class SameFigure:
    """One measurement of one suite as its boards gave it; ``of`` has the last attempt of each, by board."""

    suite: str
    name: str
    unit: str
    of: Mapping[str, Pair]

    @property
    def single(self) -> bool:
        """Whether it is one value on each board, and no distribution."""
        return all(m.n <= 1 and tick is None for m, tick in self.of.values())

    @property
    def limited(self) -> bool:
        """Whether a limit judges it on any board."""
        return any(has_limit(m) for m, _ in self.of.values())

    @property
    def loaded(self) -> bool:
        """Whether it was taken while the boards were loaded (context ``profile``)."""
        return all(m.context.get("profile") == "loaded" for m, _ in self.of.values())

    @property
    def results(self) -> tuple[MeasurementResult, ...]:
        """What each board gave, without what a tick hit."""
        return tuple(m for m, _ in self.of.values())


def same_figures(run: Run) -> tuple[SameFigure, ...]:
    """Each measurement once, with what every board gave; in the order in which they were taken."""
    found: dict[tuple[str, str, str], dict[str, Pair]] = {}
    for m, tick in with_tick(run.measurements):
        found.setdefault((m.suite, m.name, m.unit), {})[m.board] = (m, tick)
    order = [board.name for board in run.boards]
    suites = list(dict.fromkeys(suite for suite, _, _ in found))
    ordered = sorted(found.items(), key=lambda item: suites.index(item[0][0]))
    return tuple(SameFigure(*key, _by_board(of, order)) for key, of in ordered)


def _by_board(of: Mapping[str, Pair], order: Sequence[str]) -> dict[str, Pair]:
    return {board: of[board] for board in [*order, *(b for b in of if b not in order)] if board in of}


def has_limit(m: MeasurementResult) -> bool:
    """Whether a limit judges it."""
    return m.lower is not None or m.upper is not None


def judged(m: MeasurementResult) -> float:
    """The figure that the limit judges."""
    return m.mean if m.statistic == "value" else float(getattr(m, m.statistic))


def limit_of(m: MeasurementResult) -> str:
    """Returns ``lo <= p99 <= hi``: the limit with the statistic it judges; empty without a limit."""
    return text.limit(m.lower, m.upper, m.statistic)


def origin_of(m: MeasurementResult) -> str:
    """Whose limit it is; one that is provisional says so."""
    origin = m.limit_origin or "origin unknown"
    return f"provisional: {origin}" if m.provisional and not origin.startswith("provisional") else origin


def is_tick(m: MeasurementResult) -> bool:
    """Whether these are the samples that a tick interrupt hit, kept apart (context ``population``)."""
    return m.context.get("population") == "tick" or m.name.endswith(".tick_hit")


def with_tick(measurements: Sequence[MeasurementResult]) -> tuple[Pair, ...]:
    """Pairs each measurement with the one of the same case that holds its samples hit by a tick, if any."""
    apart = {
        (m.board, m.suite, m.case, m.attempt, m.name.rsplit(".", 1)[0]): m for m in measurements if is_tick(m)
    }
    pairs: list[Pair] = []
    for m in measurements:
        if not is_tick(m):
            pairs.append((m, apart.pop((m.board, m.suite, m.case, m.attempt, m.name), None)))
    return (*pairs, *((m, None) for m in apart.values()))


def with_loaded(pairs: Sequence[Pair]) -> tuple[tuple[Pair, Pair | None], ...]:
    """Each measurement with the same one taken while the board was loaded (context ``profile``), if any."""
    loaded = {_case_and_name(m): (m, tick) for m, tick in pairs if m.context.get("profile") == "loaded"}
    found: list[tuple[Pair, Pair | None]] = []
    for m, tick in pairs:
        if m.context.get("profile") != "loaded":
            found.append(((m, tick), loaded.pop(_case_and_name(m), None)))
    return (*found, *((pair, None) for pair in loaded.values()))


def _case_and_name(m: MeasurementResult) -> tuple[str, str, int, str]:
    """What a measurement has in common with its loaded twin, whose case is another."""
    return m.board, m.suite, m.attempt, m.name.removesuffix(".loaded")


def shared_context(measurements: Sequence[MeasurementResult]) -> dict[str, Scalar]:
    """The context that all of these have in common, so that it is told once."""
    if not measurements:
        return {}
    first, *rest = measurements
    return {k: v for k, v in first.context.items() if all(k in m.context and m.context[k] == v for m in rest)}
