# SPDX-License-Identifier: MIT
"""The verdict on one row that both runs have, exact or noisy. docs/comparing.md has the rules.

Exact rows are compared exactly (``exact.py``). Where their samples moved, but not alike, and in all noisy
rows only what passes the tests of ``significance.py``, the smallest effect and the noise floor is better or
worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rig.errors import EvidenceFault
from rig.evidence import significance
from rig.evidence.comparison import NOT_ALIKE, Change, Incomparable, Moved, Noise, Word
from rig.evidence.direction import Better, better
from rig.evidence.exact import DECIDING, ExactDifference, compare_exact, tick_marks
from rig.evidence.pairing import Key, Pair, Side
from rig.evidence.reader import samples

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

SINGLE_EFFECT: Final = 0.10
"""The share by which a single noisy value must differ to be shown where no earlier run tells its noise."""
FEWEST_EARLIER: Final = 2
"""Earlier runs of an image that are needed to tell how far a noisy figure moves between runs."""

_STORED: Final = ("p50", "p99", "max", "mean")

Earlier = Callable[[Side, Key], list[Mapping[str, float]]]
"""Figures (p50, p99, max, mean) of a measurement in earlier runs of the image that a side's board ran."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """A row whose samples did not move alike, with what the tests say of it.

    ``common``: it is exact, and more than half of its sorted samples moved by the same count.
    """

    pair: Pair
    figures: Mapping[str, Moved]
    both: tuple[Series, Series]
    evidence: significance.Evidence
    differing: tuple[int, int] | None = None
    common: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """Gives the verdicts; knows both runs, for their samples, and what earlier runs measured."""

    before: Side
    after: Side
    earlier: Earlier

    def rows(self, pairs: Sequence[Pair]) -> Iterator[Change | Incomparable]:
        """The verdict on every row. The p-values of those that need a test are corrected together."""
        tested: list[_Tested] = []
        untested = 0
        for pair in pairs:
            looked_at = self._look(pair)
            if isinstance(looked_at, _Tested):
                tested.append(looked_at)
            else:
                untested += not pair.exact and not pair.single
                yield looked_at
        names = tuple(significance.FIGURES)
        raw = [item.evidence.p[name] for item in tested for name in names]
        corrected = iter(significance.holm(raw, len(names) * (len(tested) + untested)))
        for item in tested:
            evidence = replace(item.evidence, p={name: next(corrected) for name in names})
            yield self._weighed(replace(item, evidence=evidence))

    def _look(self, pair: Pair) -> Change | Incomparable | _Tested:
        try:
            if pair.exact:
                return self._exact(pair)
            return self._single(pair) if pair.single else self._noisy(pair)
        except EvidenceFault as fault:
            return Incomparable(pair.row, (), str(fault))

    # --- exact rows

    def _exact(self, pair: Pair) -> Change | _Tested:
        a, b = pair.before, pair.after
        if pair.single:
            return self._exactly(pair, ("value",), {"value": _exact_move(a.mean, b.mean)}, b.mean - a.mean)
        if a.samples_sha256 is not None and a.samples_sha256 == b.samples_sha256:
            same = {name: _exact_move(getattr(a, name), getattr(b, name)) for name in ("p50", "p99")}
            return pair.change(Word.UNCHANGED, "p50", same, shift=0.0)
        both = self._samples(pair)
        found = self._difference(pair, both)
        figures = {name: _exact_move(*values) for name, values in found.figures.items()}
        if found.same:
            return pair.change(Word.UNCHANGED, "p50", figures, shift=found.shift)
        if found.shift is not None:
            return self._exactly(pair, ("p50",), figures, found.shift, found.differing)
        large = [name for name in significance.FIGURES if is_large(pair, figures[name])]
        evidence = significance.weigh(*both, large)
        common = bool(found.common) and figures["p50"].delta != 0
        return _Tested(pair, figures, both, evidence, found.differing, common)

    def _difference(self, pair: Pair, both: tuple[Series, Series]) -> ExactDifference:
        if all(side.min() == side.max() for side in both):
            return compare_exact(*both)
        marks = tick_marks(self.before.ticks_file(pair.before)), tick_marks(self.after.ticks_file(pair.after))
        return compare_exact(*both, marks)

    def _exactly(
        self,
        pair: Pair,
        moved: Sequence[str],
        figures: Mapping[str, Moved],
        shift: float | None,
        differing: tuple[int, int] | None = None,
    ) -> Change:
        """The row by the figures of it that moved, the first of them to be shown."""
        figure, note = moved[0], ""
        verdict, mixed = verdict_of(pair, [figures[name].delta for name in moved])
        if verdict is Word.UNCHANGED:
            return pair.change(verdict, figure, figures, shift=0.0)
        noise = self._noise_of_exact(pair, figure)
        if noise.floor >= abs(figures[figure].delta):
            verdict, mixed = Word.UNCHANGED, False
            note = "not deterministic: earlier runs of the same image differ as much"
        elif self._same_image(pair.key[0]):
            note = "the same image gave another figure: it is not deterministic"
        more = {"shift": shift, "differing": differing, "note": note}
        return pair.change(verdict, figure, figures, mixed=mixed, noise=noise, **more)

    def _noise_of_exact(self, pair: Pair, figure: str) -> Noise:
        """What must be 0: how far other runs of the same images are from these two."""
        known = figure if figure in _STORED else "p50" if figure == "mode" else "mean"
        spread, count = 0.0, 0
        sides = ((self.before, pair.before), (self.after, pair.after))
        for side, own in sides[:1] if self._same_image(pair.key[0]) else sides:
            others = [figures[known] for figures in self.earlier(side, pair.key)]
            spread = max([spread, *(abs(other - getattr(own, known)) for other in others)])
            count += len(others)
        return Noise(spread, _earlier_runs(count) if count else "exact")

    def _same_image(self, board: str) -> bool:
        one, other = self.before.boards.get(board), self.after.boards.get(board)
        return bool(one and other and one.image_sha256 and one.image_sha256 == other.image_sha256)

    # --- noisy rows

    def _single(self, pair: Pair) -> Change:
        moved = Moved(pair.before.mean, pair.after.mean)
        noise = self._noise_between(pair, "mean")
        least = SINGLE_EFFECT if noise is None else significance.MINIMUM_EFFECT
        large = moved.delta != 0 and _share(moved) >= least
        verdict, note = Word.UNCHANGED, ""
        if large and noise is None:
            verdict, note = Word.CHANGED, "one value each, and no earlier runs tell its noise: not judged"
        elif noise is not None and large and abs(moved.delta) > noise.floor:
            verdict, _ = verdict_of(pair, [moved.delta])
        return pair.change(verdict, "value", {"value": moved}, noise=noise, note=note)

    def _noisy(self, pair: Pair) -> Change | _Tested:
        """A distribution; only one that differs enough to count needs a test."""
        names = significance.FIGURES
        figures = {name: Moved(getattr(pair.before, name), getattr(pair.after, name)) for name in names}
        large = [name for name, moved in figures.items() if is_large(pair, moved)]
        if not large or pair.before.samples_sha256 == pair.after.samples_sha256:
            return pair.change(Word.UNCHANGED, "p50", figures)
        if min(pair.before.n, pair.after.n) < significance.FEWEST:
            note = f"fewer than {significance.FEWEST} samples: not judged"
            return pair.change(Word.CHANGED, largest(figures), figures, note=note)
        both = self._samples(pair)
        return _Tested(pair, figures, both, significance.weigh(*both, large))

    def _weighed(self, item: _Tested) -> Change:
        evidence, pair = item.evidence, item.pair
        plain = {name: item.figures[name] for name in significance.FIGURES}
        figures = {name: replace(moved, interval=evidence.interval[name]) for name, moved in plain.items()}
        certain = [name for name, moved in figures.items() if _is_significant(pair, name, moved, evidence)]
        noise = self._noise_of_tested(item) if certain or pair.exact else {}
        likely = dict.fromkeys([*(["p50"] if item.common else []), *certain])
        real = [name for name in likely if abs(figures[name].delta) > noise[name].floor]
        verdict, mixed = verdict_of(pair, [figures[name].delta for name in real])
        figure, note = largest({name: figures[name] for name in real or certain or figures}), ""
        figures = {**item.figures, **figures}
        if pair.exact and not real:
            verdict, note = Word.CHANGED, NOT_ALIKE
            moved = [name for names in DECIDING for name in names if figures[name].delta]
            figure = moved[0] if moved else "p50"
        more = {"p_value": evidence.p.get(figure), "rank_effect": evidence.rank_effect, "note": note}
        known = noise.get(figure, noise.get("p50"))
        return pair.change(
            verdict, figure, figures, mixed=mixed, noise=known, differing=item.differing, **more
        )

    def _noise_of_tested(self, item: _Tested) -> dict[str, Noise]:
        if item.pair.exact:
            return {name: self._noise_of_exact(item.pair, name) for name in significance.FIGURES}
        between = {name: self._noise_between(item.pair, name) for name in significance.FIGURES}
        if all(between.values()):
            return {name: noise for name, noise in between.items() if noise is not None}
        within = [significance.floor_within(side) for side in item.both]
        return {name: Noise(max(w[name] for w in within), "within the runs") for name in significance.FIGURES}

    def _noise_between(self, pair: Pair, figure: str) -> Noise | None:
        """The widest spread of earlier runs of either image, or None where there are too few."""
        sides = (self.before, self.after)
        found = [[figures[figure] for figures in self.earlier(side, pair.key)] for side in sides]
        enough = [values for values in found if len(values) >= FEWEST_EARLIER]
        if not enough:
            return None
        floor = max(max(values) - min(values) for values in enough)
        return Noise(floor, _earlier_runs(max(map(len, enough))))

    def _samples(self, pair: Pair) -> tuple[Series, Series]:
        return samples(self.before.run, pair.before), samples(self.after.run, pair.after)


def verdict_of(pair: Pair, deltas: Iterable[float]) -> tuple[Word, bool]:
    """The word for figures that moved so, and whether one got better and another worse."""
    signs = {math.copysign(1, delta) for delta in deltas if delta}
    if not signs:
        return Word.UNCHANGED, False
    way = better(pair.key[3], pair.after.unit)
    if way is Better.UNKNOWN:
        return Word.CHANGED, len(signs) > 1
    bad = 1.0 if way is Better.LOWER else -1.0
    return (Word.REGRESSED if bad in signs else Word.IMPROVED), len(signs) > 1


def is_large(pair: Pair, moved: Moved) -> bool:
    least = significance.smallest_effect(moved.before, moved.after, pair.resolution)
    return moved.delta != 0 and abs(moved.delta) >= least


def _is_significant(pair: Pair, name: str, moved: Moved, evidence: significance.Evidence) -> bool:
    low, high = evidence.interval[name]
    if not is_large(pair, moved) or evidence.p[name] >= significance.ALPHA or low <= 0 <= high:
        return False
    rank = evidence.rank_effect
    return name != "p50" or (rank * moved.delta > 0 and abs(rank) >= significance.MINIMUM_RANK_EFFECT)


def largest(figures: Mapping[str, Moved]) -> str:
    """The figure that moved most, as a share of what it was; the median of equals."""
    return max(figures, key=lambda name: _share(figures[name]))


def _share(moved: Moved) -> float:
    """The delta as a share of the mean of before and after, the same in either direction."""
    return 2 * abs(moved.delta) / (abs(moved.before) + abs(moved.after)) if moved.delta else 0.0


def _exact_move(before: float, after: float) -> Moved:
    delta = Moved(before, after).delta
    return Moved(before, after, (delta, delta))


def _earlier_runs(count: int) -> str:
    return f"{count} earlier run{'s' * (count != 1)} of the same image"
