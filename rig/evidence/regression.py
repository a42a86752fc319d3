# SPDX-License-Identifier: MIT
"""Comparing two runs: what changed, row by row, the important first.

Owns which rows there are, their order, and what is said of tick hits and of cases that ended otherwise. What
a change is worth is ``judging.py``'s.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Final

from rig.evidence.comparison import Change, Comparison, Incomparable, OutcomeChange, Row, TickHits, Word
from rig.evidence.conditions import Difference, differences
from rig.evidence.judging import Earlier, Judge
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.pairing import TICK_HIT, Key, Pair, Side, keys, meet

_IMPORTANT: Final = tuple(Word)
_ENVIRONMENT: Final = ("freertos-rig", "qemu")
"""What of the controller can move a figure."""


def compare(
    before: Run, after: Run, *, across: Collection[str] = (), earlier: Earlier | None = None
) -> Comparison:
    """What changed from ``before`` to ``after``.

    ``across`` names context keys that may differ. ``earlier`` finds the figures of other runs of an image;
    without it the noise is estimated from within the two runs.
    """
    a, b = Side.of(before), Side.of(after)
    changes: list[Change] = []
    incomparable: list[Incomparable] = []
    for row in _rows(a, b, across, earlier or (lambda _side, _key: [])):
        if isinstance(row, Change):
            changes.append(row)
        else:
            incomparable.append(row)
    return Comparison(
        before,
        after,
        tuple(sorted(changes, key=_importance)),
        tuple(incomparable),
        tuple(_tick_hits(a, b)),
        tuple(_outcomes(a, b)),
        cases_compared=len(a.cases.keys() & b.cases.keys()),
        across=tuple(across),
        environment=_environment(before, after),
    )


def _rows(a: Side, b: Side, across: Collection[str], earlier: Earlier) -> Iterator[Change | Incomparable]:
    pairs: list[Pair] = []
    for key in keys(a.measurements, b.measurements):
        row = meet(a, b, key, across)
        if isinstance(row, Pair):
            pairs.append(row)
        else:
            yield row
    yield from Judge(a, b, earlier).rows(pairs)


def _importance(change: Change) -> tuple[int, float]:
    """By verdict, then by how much of what it was a figure moved."""
    relative = change.moved.relative if change.moved else 0.0
    return _IMPORTANT.index(change.verdict), -math.inf if relative is None else -abs(relative)


def _environment(before: Run, after: Run) -> tuple[Difference, ...]:
    sides = ({key: run.environment.get(key, "") for key in _ENVIRONMENT} for run in (before, after))
    return tuple(differences(*sides))


def _tick_hits(before: Side, after: Side) -> Iterator[TickHits]:
    """Where the number of samples that a tick hit, or their median, is another."""
    for key in keys(before.measurements, after.measurements):
        a, b = before.measurements.get(key), after.measurements.get(key)
        if a is None or b is None or "tick_hits" not in a.context or "tick_hits" not in b.context:
            continue
        hits = int(a.context["tick_hits"] or 0), int(b.context["tick_hits"] or 0)
        p50 = _p50_of_hits(before, key), _p50_of_hits(after, key)
        if hits[0] != hits[1] or p50[0] != p50[1]:
            yield TickHits(Row(*key, b.unit), *hits, (a.n + hits[0], b.n + hits[1]), p50)


def _p50_of_hits(side: Side, key: Key) -> float | None:
    m = side.measurements.get((key[0], key[1], key[2], key[3] + TICK_HIT))
    return None if m is None or not math.isfinite(m.p50) else m.p50


def _outcomes(before: Side, after: Side) -> Iterator[OutcomeChange]:
    """Cases that ended otherwise, and those that only one run has."""
    for case in dict.fromkeys([*before.cases, *after.cases]):
        was, now = before.outcome(case), after.outcome(case)
        if was is not now:
            yield OutcomeChange(*case, was, now, _outcome_word(was, now), after.reason(case))


def _outcome_word(was: Outcome | None, now: Outcome | None) -> Word:
    """PASS to FAIL is a regression; what could not be judged is a change, and neither better nor worse."""
    if was is None or now is None:
        return Word.NEW if was is None else Word.GONE
    judged = {(Outcome.PASS, Outcome.FAIL): Word.REGRESSED, (Outcome.FAIL, Outcome.PASS): Word.IMPROVED}
    return judged.get((was, now), Word.CHANGED)
