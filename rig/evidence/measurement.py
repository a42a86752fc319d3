# SPDX-License-Identifier: MIT
"""Measurement, SpecLimit and Outcome: the only place where verdicts are made. Pure.

The rules are the tables of ``docs/outcomes.md``; a test walks those tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rig.errors import BoardFault
from rig.evidence.statistics import STATISTICS, Summary


class Outcome(StrEnum):
    """The outcome of a case, a board or a run; what each means is the table of ``docs/outcomes.md``."""

    PASS = "PASS"
    FAIL = "FAIL"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"
    ABORTED = "ABORTED"


EXIT_USAGE = 2
"""Exit code for a UsageFault: a person's input is wrong and nothing was touched."""

EXIT_REGRESSION = 4
"""Exit code when a comparison found a regression."""

_WORST_FIRST = (Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL, Outcome.PASS, Outcome.SKIPPED)
_EXIT = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.ERROR: 3, Outcome.SKIPPED: 3, Outcome.ABORTED: 130}
NOT_GOOD = frozenset({Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL})
"""What may make an outcome worse; PASS and SKIPPED never make one better."""


def aggregate(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The one outcome of many: the first of ABORTED, ERROR, FAIL, PASS, SKIPPED; None if there are none."""
    seen = set(outcomes)
    return next((outcome for outcome in _WORST_FIRST if outcome in seen), None)


def exit_code(outcome: Outcome | None) -> int:
    """The exit code of a run; None and SKIPPED mean that nothing ran, which is not a pass: 3."""
    return 3 if outcome is None else _EXIT[outcome]


def outcome_of(error: BaseException) -> Outcome:
    """Who is to blame for an error that ended a case: the board FAIL, a person ABORTED, all else ERROR."""
    if isinstance(error, BoardFault | AssertionError):
        return Outcome.FAIL
    return Outcome.ABORTED if isinstance(error, KeyboardInterrupt) else Outcome.ERROR


def case_outcome(stated: Outcome, measured: Iterable[Outcome | None], unset: int) -> Outcome:
    """The outcome of an attempt: how its body ended, made worse by its measurements, never better.

    ``unset`` counts the declared measurements without a value: ERROR if the body passed; where it did not
    pass, their absence is only a consequence.
    """
    worse = [outcome for outcome in measured if outcome in NOT_GOOD]
    missing = [Outcome.ERROR] if unset and stated is Outcome.PASS else []
    return aggregate([stated, *worse, *missing]) or stated


def decide(attempts: Sequence[Outcome]) -> Outcome:
    """The outcome of a case of several attempts, in order: that of the last one which was not SKIPPED."""
    ran = [outcome for outcome in attempts if outcome is not Outcome.SKIPPED]
    return ran[-1] if ran else Outcome.SKIPPED


def is_unstable(attempts: Sequence[Outcome]) -> bool:
    """True if the last of the attempts passed and an earlier one ended in FAIL, ERROR or ABORTED."""
    return bool(attempts) and attempts[-1] is Outcome.PASS and not NOT_GOOD.isdisjoint(attempts)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement as declared, apart from its value: name, unit, and the statistic that a limit judges.

    Raises ValueError for an empty name or unit (``1`` is the unit of a plain number) or an unknown statistic.
    """

    name: str
    unit: str
    statistic: str = "value"

    def __post_init__(self) -> None:
        if not self.name or not self.unit or any(c.isspace() for c in self.name):
            raise ValueError(f"a measurement needs a name without blanks and a unit, got {self.name!r}")
        if self.statistic not in STATISTICS:
            raise ValueError(f"{self.name}: unknown statistic '{self.statistic}', there are {STATISTICS}")


@dataclass(frozen=True, slots=True)
class SpecLimit:
    """A lower and upper bound (None: open) with the origin that gives it its right, both bounds included.

    ``at`` is where it is written (``suites/kernel/limits.toml:12``). ``guard_band`` is the fraction of the
    range, or of the bound where only one is given, next to a bound where a pass is *marginal*. ``statistic``
    and ``unit``: None takes those of the measurement. Raises ValueError if it contradicts itself.
    """

    lower: float | None
    upper: float | None
    origin: str
    at: str
    provisional: bool = False
    guard_band: float = 0.0
    statistic: str | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        faults = [*_bound_faults(self.lower, self.upper), *_other_faults(self)]
        if faults:
            raise ValueError("; ".join(faults))

    def __str__(self) -> str:
        return show_bounds(self.lower, self.upper, self.statistic or "value")

    def admits(self, x: float) -> bool:
        """``lower <= x <= upper``; False for NaN."""
        above = self.lower is None or self.lower <= x
        below = self.upper is None or x <= self.upper
        return above and below and not math.isnan(x)

    def is_marginal(self, x: float) -> bool:
        """True if ``x`` passes, but nearer to a bound than the guard band is wide."""
        band = self.guard_band * self._scale()
        near_low = self.lower is not None and x < self.lower + band
        near_high = self.upper is not None and x > self.upper - band
        return self.admits(x) and (near_low or near_high)

    def _scale(self) -> float:
        if self.lower is not None and self.upper is not None:
            return self.upper - self.lower
        return abs(self.lower if self.lower is not None else self.upper or 0.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says of a measurement: outcome (None without limit), flag, what was judged, why ERROR."""

    outcome: Outcome | None
    marginal: bool
    statistic: str
    note: str = ""


def judge(declared: Measurement, summary: Summary, limit: SpecLimit | None) -> Verdict:
    """The verdict on a measurement. What cannot be judged (unset, other unit, no such statistic) is ERROR."""
    statistic = (limit.statistic if limit else None) or declared.statistic
    if summary.n == 0:
        return Verdict(Outcome.ERROR, False, statistic, "declared but never set")
    if limit is None:
        return Verdict(None, False, statistic)
    if limit.unit not in (None, declared.unit):
        note = f"measured in {declared.unit}, but the limit {limit.at} is in {limit.unit}"
        return Verdict(Outcome.ERROR, False, statistic, note)
    try:
        x = summary.statistic(statistic)
    except ValueError as error:
        return Verdict(Outcome.ERROR, False, statistic, str(error))
    outcome = Outcome.PASS if limit.admits(x) else Outcome.FAIL
    return Verdict(outcome, limit.is_marginal(x), statistic)


def show(x: float) -> str:
    """A number as people write it: whole numbers without a point, others with up to 12 digits."""
    return str(int(x)) if math.isfinite(x) and x == int(x) and abs(x) < 1e15 else f"{x:.12g}"


def show_bounds(lower: float | None, upper: float | None, statistic: str = "value") -> str:
    """Bounds as ``lower <= p99 <= upper``, an open side left out; x stands for a single value."""
    low = "" if lower is None else f"{show(lower)} <= "
    high = "" if upper is None else f" <= {show(upper)}"
    return f"{low}{'x' if statistic == 'value' else statistic}{high}"


def _bound_faults(lower: float | None, upper: float | None) -> list[str]:
    bounds = {"lower": lower, "upper": upper}
    faults = [
        f"{name} must be a finite number, got {bound}"
        for name, bound in bounds.items()
        if bound is not None and not math.isfinite(bound)
    ]
    if lower is None and upper is None:
        return ["a limit needs lower, upper or both"]
    if not faults and lower is not None and upper is not None and lower > upper:
        faults.append(f"lower {show(lower)} is above upper {show(upper)}: nothing can pass")
    return faults


def _other_faults(limit: SpecLimit) -> list[str]:
    faults = [] if limit.origin.strip() else ["a limit needs an origin: no source, no limit"]
    if limit.origin.startswith("provisional:") and not limit.provisional:
        faults.append("its origin is provisional, so it must be marked provisional")
    if not 0 <= limit.guard_band < 0.5:
        faults.append(f"guard_band must be at least 0 and below 0.5, got {limit.guard_band}")
    if limit.statistic is not None and limit.statistic not in STATISTICS:
        faults.append(f"unknown statistic '{limit.statistic}', there are {', '.join(STATISTICS)}")
    return faults
