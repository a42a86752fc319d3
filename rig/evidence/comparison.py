# SPDX-License-Identifier: MIT
"""What a comparison of two runs says: plain records that the terminal, the page and JSON share.

``before`` is always of the first run, the baseline, and ``after`` of the second. Verdicts are made in
``regression.py``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rig.evidence.conditions import Difference
from rig.evidence.direction import Better
from rig.evidence.measurement import EXIT_REGRESSION, Outcome
from rig.evidence.model import Run

EXIT_NOTHING = 3
"""Exit code when no figure of one run could be compared with one of the other."""


NOT_ALIKE: Final = "samples moved, and not alike: the phase of the tick, or a rare path"
"""The note of an exact row that differs and of which no test says that it got worse or better."""


class Word(StrEnum):
    """The verdict on a row; docs/comparing.md says when each is given."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    CHANGED = "changed"
    GONE = "gone"
    NEW = "new"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure of both runs. ``interval`` is of ``delta``; None where there is no way to give one."""

    before: float
    after: float
    interval: tuple[float, float] | None = None

    @property
    def delta(self) -> float:
        """after - before, without the rounding error of figures with a point (12 digits of them are kept)."""
        difference, scale = self.after - self.before, max(abs(self.before), abs(self.after))
        if not scale or not math.isfinite(difference):
            return difference
        return round(difference, 11 - math.floor(math.log10(scale)))

    @property
    def relative(self) -> float | None:
        """The delta as a share of what it was; None from nothing."""
        return self.delta / abs(self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class Noise:
    """How far a figure moves between runs of the same image, and how that is known."""

    floor: float
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """Which measurement of which case on which board."""

    board: str
    suite: str
    case: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was compared, or that only one run has (``moved`` is None).

    ``figure`` names what ``moved`` is of: p50, p99, mode, max, mean, or value. ``mixed``: one figure got
    better and another worse, which is a regression in either direction.
    ``shift`` is what every single sample differs by, if that is one number; ``differing``, how many of how
    many samples differ from the one of their place. ``beside`` are differences of
    context that do not decide what the number means, ``across`` those that a person allowed.
    """

    row: Row
    verdict: Word
    figure: str = ""
    moved: Moved | None = None
    figures: Mapping[str, Moved] = field(default_factory=dict)
    better: Better = Better.UNKNOWN
    mixed: bool = False
    exact: bool = False
    n: tuple[int, int] = (0, 0)
    shift: float | None = None
    differing: tuple[int, int] | None = None
    noise: Noise | None = None
    p_value: float | None = None
    rank_effect: float | None = None
    across: tuple[Difference, ...] = ()
    beside: tuple[Difference, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incomparable:
    """A row that both runs have, and why its figures may not stand beside each other."""

    row: Row
    differences: tuple[Difference, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class TickHits:
    """The samples that a tick interrupt hit, kept apart: how many of how many, and their median (or None)."""

    row: Row
    before: int
    after: int
    of: tuple[int, int]
    p50: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """A case that ended otherwise, or that only one run has (its outcome there is None)."""

    board: str
    suite: str
    case: str
    before: Outcome | None
    after: Outcome | None
    verdict: Word
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that two runs differ by. ``changes`` are the important ones first, unchanged rows among them."""

    before: Run
    after: Run
    changes: tuple[Change, ...]
    incomparable: tuple[Incomparable, ...]
    tick_hits: tuple[TickHits, ...]
    outcomes: tuple[OutcomeChange, ...]
    cases_compared: int
    across: tuple[str, ...] = ()
    environment: tuple[Difference, ...] = ()

    @property
    def counts(self) -> Counter[Word]:
        """How many rows have which verdict."""
        return Counter(change.verdict for change in self.changes)

    @property
    def compared(self) -> int:
        """How many rows both runs have, and could be compared."""
        return sum(change.verdict not in (Word.NEW, Word.GONE) for change in self.changes)

    @property
    def regressed(self) -> bool:
        """Whether a figure got worse, or a case that passed fails."""
        verdicts = [*(c.verdict for c in self.changes), *(o.verdict for o in self.outcomes)]
        return Word.REGRESSED in verdicts

    @property
    def exit_code(self) -> int:
        """4 for a regression, 3 where nothing could be compared, else 0."""
        if self.regressed:
            return EXIT_REGRESSION
        measured = bool(self.changes or self.incomparable)
        compared = self.compared if measured else self.cases_compared
        return 0 if compared else EXIT_NOTHING
