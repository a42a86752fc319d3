# SPDX-License-Identifier: MIT
"""Comparing two runs: which figures changed, which way, and whether that is more than noise.

The verdicts on changes are made here and nowhere else; docs/comparing.md has the rules. Exact rows are
compared exactly (``exact.py``); of the others only what passes the tests of ``significance.py``, the smallest
effect and the noise floor counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rig.errors import EvidenceFault
from rig.events import Scalar
from rig.evidence import conditions, significance
from rig.evidence.comparison import (
    Change,
    Comparison,
    Incomparable,
    Moved,
    Noise,
    OutcomeChange,
    Row,
    TickHits,
    Word,
)
from rig.evidence.direction import Better, better
from rig.evidence.exact import ExactDifference, compare_exact, tick_marks
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run
from rig.evidence.pairing import TICK_HIT, Key, Side, keys
from rig.evidence.reader import samples

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

SINGLE_EFFECT: Final = 0.10
"""The share by which a single noisy value must differ to be shown where no earlier run tells its noise."""
FEWEST_EARLIER: Final = 2
"""Earlier runs of an image that are needed to tell how far a noisy figure moves between runs."""

_DECIDING: Final = (("p50", "mode", "p99"), ("max",), ("mean",))
"""The figures of an exact series that give the verdict: the first group in which one moved."""
_IMPORTANT: Final = tuple(Word)

Earlier = Callable[[Side, Key], list[Mapping[str, float]]]
"""Figures (p50, p99, max, mean) of a measurement in earlier runs of the image that a side's board ran."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A row that both runs have, and that may be compared."""

    key: Key
    before: MeasurementResult
    after: MeasurementResult
    apart: conditions.Apart
    exact: bool
    resolution: float

    @property
    def single(self) -> bool:
        return self.before.n == self.after.n == 1

    def row(self) -> Row:
        return Row(*self.key, self.after.unit)

    def change(self, verdict: Word, figure: str, figures: Mapping[str, Moved], **more: Any) -> Change:
        return Change(
            self.row(),
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


def compare(
    before: Run, after: Run, *, across: Collection[str] = (), earlier: Earlier | None = None
) -> Comparison:
    """What changed from ``before`` to ``after``.

    ``across`` names context keys that may differ. ``earlier`` finds the figures of other runs of an image;
    without it the noise is estimated from within the two runs.
    """
    judge = _Judge(Side.of(before), Side.of(after), frozenset(across), earlier or (lambda _side, _key: []))
    changes, incomparable = judge.rows()
    outcomes = tuple(_outcomes(judge.before, judge.after))
    return Comparison(
        before,
        after,
        tuple(sorted(changes, key=_importance)),
        tuple(incomparable),
        tuple(_tick_hits(judge.before, judge.after)),
        outcomes,
        cases_compared=len(judge.before.cases.keys() & judge.after.cases.keys()),
        across=tuple(across),
    )


class _Judge:
    """The two runs while their rows are gone through."""

    def __init__(self, before: Side, after: Side, across: frozenset[str], earlier: Earlier) -> None:
        self.before, self.after, self._across, self._earlier = before, after, across, earlier

    def rows(self) -> tuple[list[Change], list[Incomparable]]:
        """All rows of both runs."""
        changes: list[Change] = []
        refused: list[Incomparable] = []
        noisy: list[_Pair] = []
        for key in keys(self.before.measurements, self.after.measurements):
            met = self._meet(key)
            if isinstance(met, Change):
                changes.append(met)
            elif isinstance(met, Incomparable):
                refused.append(met)
            elif met.exact or met.single:
                self._keep(met, self._exact if met.exact else self._single, changes, refused)
            else:
                noisy.append(met)
        for result in self._noisy(noisy):
            (changes if isinstance(result, Change) else refused).append(result)  # type: ignore[arg-type]
        return changes, refused

    def _meet(self, key: Key) -> Change | Incomparable | _Pair:
        a, b = self.before.measurements.get(key), self.after.measurements.get(key)
        if a is None or b is None:
            there = a or b
            assert there is not None
            return Change(Row(*key, there.unit), Word.NEW if a is None else Word.GONE, n=(_n(a), _n(b)))
        row = Row(*key, b.unit)
        if a.unit != b.unit:
            return Incomparable(row, (conditions.Difference("unit", a.unit, b.unit),))
        contexts = self._context(self.before, a), self._context(self.after, b)
        apart = conditions.apart(*contexts, self._across)
        if apart.forbidding:
            return Incomparable(row, apart.forbidding)
        if note := _no_figure(a, b):
            return Incomparable(row, (), note)
        exact = all(conditions.is_exact(a.unit, context) for context in contexts)
        return _Pair(key, a, b, apart, exact, _resolution(a.unit, contexts[1]))

    @staticmethod
    def _context(side: Side, m: MeasurementResult) -> dict[str, Scalar]:
        return conditions.context_of(m.context, side.boards.get(m.board))

    def _keep(
        self,
        pair: _Pair,
        judged: Callable[[_Pair], Change],
        changes: list[Change],
        refused: list[Incomparable],
    ) -> None:
        try:
            changes.append(judged(pair))
        except EvidenceFault as fault:
            refused.append(Incomparable(pair.row(), (), str(fault)))

    # --- exact rows

    def _exact(self, pair: _Pair) -> Change:
        a, b = pair.before, pair.after
        if a.samples_sha256 is not None and (a.samples_sha256, a.n) == (b.samples_sha256, b.n):
            return pair.change(Word.UNCHANGED, "p50", {"p50": _exactly(a.p50, b.p50)}, shift=0.0)
        if pair.single:
            figures = {"value": _exactly(a.mean, b.mean)}
            return self._exactly_judged(pair, "value", ("value",), figures, figures["value"].delta)
        found = self._difference(pair)
        figures = {name: _exactly(*both) for name, both in found.figures.items()}
        if found.same:
            return pair.change(Word.UNCHANGED, "p50", figures, shift=found.shift)
        moved = next((g for names in _DECIDING if (g := [n for n in names if figures[n].delta])), ["mean"])
        return self._exactly_judged(pair, moved[0], moved, figures, found.shift)

    def _difference(self, pair: _Pair) -> ExactDifference:
        a, b = samples(self.before.run, pair.before), samples(self.after.run, pair.after)
        if a.min() == a.max() and b.min() == b.max():
            return compare_exact(a, b)
        marks = tick_marks(self.before.ticks_file(pair.before)), tick_marks(self.after.ticks_file(pair.after))
        return compare_exact(a, b, marks)

    def _exactly_judged(
        self,
        pair: _Pair,
        figure: str,
        moved: Iterable[str],
        figures: Mapping[str, Moved],
        shift: float | None,
    ) -> Change:
        if not figures[figure].delta:
            return pair.change(Word.UNCHANGED, figure, figures, shift=0.0)
        verdict, mixed = _verdict(pair, [figures[name].delta for name in moved])
        noise, note = self._noise_of_exact(pair, figure), ""
        if noise.floor >= abs(figures[figure].delta):
            verdict, mixed = Word.UNCHANGED, False
            note = "not deterministic: earlier runs of the same image differ as much"
        elif self._same_image(pair.key[0]):
            note = "the same image gave another figure: it is not deterministic"
        return pair.change(verdict, figure, figures, mixed=mixed, shift=shift, noise=noise, note=note)

    def _noise_of_exact(self, pair: _Pair, figure: str) -> Noise:
        known = figure if figure in ("p50", "p99", "max", "mean") else "p50"
        spread, count = 0.0, 0
        for side, own in ((self.before, pair.before), (self.after, pair.after)):
            others = [figures[known] for figures in self._earlier(side, pair.key)]
            spread = max([spread, *(abs(other - getattr(own, known)) for other in others)])
            count += len(others)
        return Noise(spread, _earlier_runs(count) if count else "exact")

    def _same_image(self, board: str) -> bool:
        one, other = self.before.boards.get(board), self.after.boards.get(board)
        return bool(one and other and one.image_sha256 and one.image_sha256 == other.image_sha256)

    # --- noisy rows

    def _single(self, pair: _Pair) -> Change:
        moved = Moved(pair.before.mean, pair.after.mean)
        noise = self._noise_between(pair, "mean")
        least = SINGLE_EFFECT if noise is None else significance.MINIMUM_EFFECT
        large = abs(moved.delta) >= least * (abs(moved.before) + abs(moved.after)) / 2 and moved.delta
        verdict, note = Word.UNCHANGED, ""
        if noise is not None and large and abs(moved.delta) > noise.floor:
            verdict, _ = _verdict(pair, [moved.delta])
        elif noise is None and large:
            verdict, note = Word.CHANGED, "one value each, and no earlier runs tell its noise: not judged"
        return pair.change(verdict, "value", {"value": moved}, noise=noise, note=note)

    def _noisy(self, pairs: list[_Pair]) -> Iterator[Change | Incomparable]:
        """All noisy rows, tested together; only those that differ enough to count need a test."""
        tested: list[tuple[_Pair, Mapping[str, Moved], significance.Evidence, tuple[Series, Series]]] = []
        for pair in pairs:
            figures = {name: _moved(pair, name) for name in significance.FIGURES}
            large = any(_is_large(pair, moved) for moved in figures.values())
            if not large or pair.before.samples_sha256 == pair.after.samples_sha256:
                yield pair.change(Word.UNCHANGED, "p50", figures)
            elif min(pair.before.n, pair.after.n) < significance.FEWEST:
                note = f"fewer than {significance.FEWEST} samples: not judged"
                yield pair.change(Word.CHANGED, _largest(figures), figures, note=note)
            else:
                try:
                    both = samples(self.before.run, pair.before), samples(self.after.run, pair.after)
                except EvidenceFault as fault:
                    yield Incomparable(pair.row(), (), str(fault))
                else:
                    tested.append((pair, figures, significance.weigh(*both), both))
        raw = [p for _, _, evidence, _ in tested for p in (evidence.p["p50"], evidence.p["p99"])]
        corrected = significance.holm(raw, 2 * len(pairs))
        for index, (pair, plain, evidence, both) in enumerate(tested):
            p = {"p50": corrected[2 * index], "p99": corrected[2 * index + 1]}
            yield self._weighed(pair, plain, replace(evidence, p=p), both)

    def _weighed(
        self,
        pair: _Pair,
        plain: Mapping[str, Moved],
        evidence: significance.Evidence,
        both: tuple[Series, Series],
    ) -> Change:
        figures = {name: replace(moved, interval=evidence.interval[name]) for name, moved in plain.items()}
        noise = {name: self._noise_between(pair, name) for name in figures}
        if None in noise.values():
            within = [significance.floor_within(side) for side in both]
            noise = {name: Noise(max(w[name] for w in within), "within the runs") for name in figures}
        real = [
            name
            for name, moved in figures.items()
            if _is_large(pair, moved)
            and _is_significant(name, moved, evidence)
            and abs(moved.delta) > _floor(noise[name])
        ]
        figure = _largest({name: figures[name] for name in real or figures})
        verdict, mixed = _verdict(pair, [figures[name].delta for name in real])
        return pair.change(
            verdict,
            figure,
            figures,
            mixed=mixed,
            noise=noise[figure],
            p_value=evidence.p[figure],
            rank_effect=evidence.rank_effect,
        )

    def _noise_between(self, pair: _Pair, figure: str) -> Noise | None:
        """The widest spread of earlier runs of either image, or None where there are too few."""
        found = [
            [figures[figure] for figures in self._earlier(side, pair.key)]
            for side in (self.before, self.after)
        ]
        found = [values for values in found if len(values) >= FEWEST_EARLIER]
        if not found:
            return None
        count = max(map(len, found))
        return Noise(max(max(values) - min(values) for values in found), _earlier_runs(count))


def _verdict(pair: _Pair, deltas: Iterable[float]) -> tuple[Word, bool]:
    """The word for figures that moved so, and whether one got better and another worse."""
    signs = {math.copysign(1, delta) for delta in deltas if delta}
    if not signs:
        return Word.UNCHANGED, False
    way = better(pair.key[3], pair.after.unit)
    if way is Better.UNKNOWN:
        return Word.CHANGED, len(signs) > 1
    bad = 1.0 if way is Better.LOWER else -1.0
    return (Word.REGRESSED if bad in signs else Word.IMPROVED), len(signs) > 1


def _is_large(pair: _Pair, moved: Moved) -> bool:
    least = significance.smallest_effect(moved.before, moved.after, pair.resolution)
    return moved.delta != 0 and abs(moved.delta) >= least


def _is_significant(name: str, moved: Moved, evidence: significance.Evidence) -> bool:
    low, high = evidence.interval[name]
    beyond_zero = low > 0 or high < 0
    shifted = name != "p50" or evidence.rank_effect * moved.delta > 0
    strong = name != "p50" or abs(evidence.rank_effect) >= significance.MINIMUM_RANK_EFFECT
    return evidence.p[name] < significance.ALPHA and beyond_zero and shifted and strong


def _largest(figures: Mapping[str, Moved]) -> str:
    """The figure that moved most, as a share of both; the median of equals."""
    return max(figures, key=lambda name: _share(figures[name]))


def _share(moved: Moved) -> float:
    return abs(moved.delta) / (abs(moved.before) + abs(moved.after)) if moved.delta else 0.0


def _exactly(before: float, after: float) -> Moved:
    return Moved(before, after, (after - before, after - before))


def _moved(pair: _Pair, name: str) -> Moved:
    return Moved(getattr(pair.before, name), getattr(pair.after, name))


def _floor(noise: Noise | None) -> float:
    return noise.floor if noise else math.inf


def _earlier_runs(count: int) -> str:
    return f"{count} earlier run{'s' * (count != 1)} of the same image"


def _n(m: MeasurementResult | None) -> int:
    return m.n if m else 0


def _no_figure(a: MeasurementResult, b: MeasurementResult) -> str:
    """Why one of them has no figure to compare; empty if both have."""
    for which, m in (("first", a), ("second", b)):
        if m.n == 0:
            return f"never set in the {which} run"
        if not math.isfinite(m.p50) or not math.isfinite(m.mean):
            return f"not finite in the {which} run"
    return "one value against a distribution" if (a.n == 1) != (b.n == 1) else ""


def _resolution(unit: str, context: Mapping[str, Scalar]) -> float:
    """The counter's tick in the unit of the figures, 0 where it is not known."""
    scale = {"ns": 1e9, "us": 1e6, "µs": 1e6, "ms": 1e3, "s": 1.0}.get(unit)
    hz = str(context.get("counter_hz", ""))
    return scale / int(hz) if scale and hz.isdigit() and int(hz) else 0.0


def _importance(change: Change) -> tuple[int, float]:
    relative = change.moved.relative if change.moved else None
    return _IMPORTANT.index(change.verdict), -abs(relative) if relative is not None else -math.inf


def _tick_hits(before: Side, after: Side) -> Iterator[TickHits]:
    """Where the number of samples that a tick hit, or their median, is another."""
    for key in keys(before.measurements, after.measurements):
        a, b = before.measurements.get(key), after.measurements.get(key)
        if a is None or b is None or not {"tick_hits"} <= a.context.keys() & b.context.keys():
            continue
        hits = int(a.context["tick_hits"] or 0), int(b.context["tick_hits"] or 0)
        tick_key = (key[0], key[1], key[2], key[3] + TICK_HIT)
        p50 = _p50(before, tick_key), _p50(after, tick_key)
        if hits[0] != hits[1] or p50[0] != p50[1]:
            yield TickHits(Row(*key, b.unit), *hits, (a.n + hits[0], b.n + hits[1]), p50)


def _p50(side: Side, key: Key) -> float | None:
    m = side.measurements.get(key)
    return None if m is None or not math.isfinite(m.p50) else m.p50


def _outcomes(before: Side, after: Side) -> Iterator[OutcomeChange]:
    """Cases that ended otherwise, and those that only one run has."""
    for case in dict.fromkeys([*before.cases, *after.cases]):
        was, now = before.outcome(case), after.outcome(case)
        if was is not now:
            yield OutcomeChange(*case, was, now, _outcome_word(was, now), after.reason(case))


def _outcome_word(was: Outcome | None, now: Outcome | None) -> Word:
    if was is None or now is None:
        return Word.NEW if was is None else Word.GONE
    judged = {(Outcome.PASS, Outcome.FAIL): Word.REGRESSED, (Outcome.FAIL, Outcome.PASS): Word.IMPROVED}
    return judged.get((was, now), Word.CHANGED)
