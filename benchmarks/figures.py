# SPDX-License-Identifier: MIT
"""A figure beside its reference: series of values, their ratio, and the goal; and how they are printed.

Judges nothing: a goal that was missed is said, and changes no exit code. A figure depends on the machine;
that is why each stands beside a reference that was measured in the same run, alternately with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

Kind = Literal["at most", "ratio at least", "ratio at most"]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of a figure: a median of at most ``bound``, or such a ratio to its first reference."""

    kind: Kind
    bound: float

    def text(self, unit: str) -> str:
        """As it is printed."""
        if self.kind == "at most":
            return f"{self.bound:g} {unit} or less"
        return f"{self.bound:g}× or {'more' if self.kind == 'ratio at least' else 'less'}"

    def met(self, figure: Series, reference: Series) -> bool:
        """Whether the medians keep it."""
        if self.kind == "at most":
            return figure.median <= self.bound
        ratio = figure.median / reference.median
        return ratio >= self.bound if self.kind == "ratio at least" else ratio <= self.bound


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one thing, measured several times."""

    label: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    def row(self) -> str:
        """n, median and spread (smallest to largest)."""
        low, high = min(self.values), max(self.values)
        return f"{len(self.values):4} {self.median:9.3f} {low:9.3f} … {high:<8.3f} {self.unit:5}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure, what it stands beside, and what is wanted of it; ``goal`` None: the figure is only shown."""

    figure: Series
    references: tuple[Series, ...]
    goal: Goal | None = None
    note: str = ""


def alternately(
    rounds: int, unit: str, measures: Mapping[str, Callable[[], float]], *, warm_up: int = 1
) -> tuple[Series, ...]:
    """Runs each measure once a round, in turn, so that what else the machine does meets all alike."""
    values: dict[str, list[float]] = {label: [] for label in measures}
    for _ in range(rounds + warm_up):
        for label, measure in measures.items():
            values[label].append(measure())
    return tuple(Series(label, unit, tuple(series[warm_up:])) for label, series in values.items())


def show(comparison: Comparison) -> None:
    """Prints one block of the table."""
    figure = comparison.figure
    print(f"{figure.label:<58}{figure.row()}  {_verdict(comparison)}".rstrip())
    for reference in comparison.references:
        ratio = f"  ×{figure.median / reference.median:.2f}" if reference.median else ""
        print(f"  {'beside ' + reference.label:<56}{reference.row()}{ratio}")
    if comparison.note:
        print(f"  {comparison.note}")


def _verdict(comparison: Comparison) -> str:
    if comparison.goal is None:
        return ""
    met = comparison.goal.met(comparison.figure, comparison.references[0])
    return f"goal {comparison.goal.text(comparison.figure.unit)}: {'met' if met else 'MISSED'}"


def heading() -> None:
    """Prints the heads of the columns; ×r is the figure divided by that reference."""
    print(f"{'figure, and what it stands beside':<58}{'n':>4} {'median':>9} {'least':>9} … {'most':<8} unit")


def show_by_database(
    module: str, said: str | None, figures: Callable[[tuple[str, ...]], Iterable[Comparison]]
) -> None:
    """The command of a module that measures on SQLite, on PostgreSQL, or without a word on both."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=said)
    parser.add_argument("kinds", nargs="*", metavar="KIND", choices=["sqlite", "postgresql", []])
    kinds = tuple(parser.parse_args().kinds) or ("sqlite", "postgresql")
    heading()
    for comparison in figures(kinds):
        show(comparison)
