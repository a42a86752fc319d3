# SPDX-License-Identifier: MIT
"""Two images of one board over several runs each (A/B): which figures differ between them. Pure.

A run counts once, however many samples it took: what a boot decides, all of its samples share. An exact
figure that each image gives the same in all of its runs is compared exactly. Any other one differs *for
certain* where the middle of its runs moved by the least effect that counts, its bootstrap interval (over
runs) leaves 0 out, and Mann-Whitney U over the runs is significant among all rows that could have been
(Benjamini and Hochberg 1995). Where only its own test is, it is CHANGED: suspected, and more runs decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from rig.evidence.comparison import Change, Incomparable, Moved, Noise, Word
from rig.evidence.comparison_json import change_as_json, incomparable_as_json
from rig.evidence.judging import is_large, largest, verdict_of
from rig.evidence.model import MeasurementResult, Run
from rig.evidence.pairing import Key, Pair, Side, keys, meet
from rig.evidence.significance import LEVEL, mann_whitney

FEWEST_RUNS: Final = 4
"""Runs of each image below which nothing that varies is judged."""
SUSPECTED: Final = 0.05
"""The p-value of one row by itself that makes it a suspicion."""
FALSE_SHARE: Final = 0.01
"""Of the rows that are called certain, so many at most are expected to be so by chance."""
_DRAWS: Final = 1999
_SEED: Final = 20261127


@dataclass(frozen=True, slots=True)
class TwoImages:
    """What an image differs by from the ``baseline``, in ``runs`` of either. ``changes`` has every row."""

    board: str
    baseline: str
    image: str
    runs: tuple[int, int]
    changes: tuple[Change, ...]
    incomparable: tuple[Incomparable, ...]

    @property
    def regressed(self) -> bool:
        """Whether a figure is worse for certain."""
        return any(change.verdict is Word.REGRESSED for change in self.changes)

    @property
    def moved(self) -> tuple[Change, ...]:
        """The rows that differ, for certain or perhaps, the worst first."""
        rank = {word: place for place, word in enumerate(Word)}
        changed = (change for change in self.changes if change.moved and change.verdict is not Word.UNCHANGED)
        return tuple(sorted(changed, key=lambda change: rank[change.verdict]))

    @property
    def compared(self) -> int:
        """How many figures stand beside each other."""
        return sum(change.moved is not None for change in self.changes)

    def document(self) -> dict[str, Any]:
        """Plain data; of the rows those that differ."""
        return {"board": self.board, "baseline": self.baseline, "image": self.image, "runs": list(self.runs),
                "compared": self.compared, "regressed": self.regressed,
                "changes": [change_as_json(change) for change in self.moved],
                "incomparable": [incomparable_as_json(row) for row in self.incomparable]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """A row with what every run of either image gave of it, figure by figure."""

    pair: Pair
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]]

    @property
    def figures(self) -> dict[str, Moved]:
        return {name: Moved(median(before), median(after)) for name, (before, after) in self.values.items()}

    @property
    def steady(self) -> bool:
        """Whether each image gave the same in all of its runs."""
        return all(len(set(side)) == 1 for both in self.values.values() for side in both)

    @property
    def fewest(self) -> int:
        return min(len(side) for both in self.values.values() for side in both)


@dataclass(frozen=True, slots=True)
class _Tested:
    seen: _Seen
    figures: Mapping[str, Moved]
    p: Mapping[str, float]
    rank_effect: float


def compare_images(
    board: str, named: tuple[str, str], before: Sequence[Run], after: Sequence[Run]
) -> TwoImages:
    """What the second of ``named`` differs by from the first, on that board, by the runs of either.

    Both have a run at least. Reads no file: the figures that the runs carry are enough.
    """
    sides = [Side.of(run) for run in before], [Side.of(run) for run in after]
    changes: list[Change] = []
    incomparable: list[Incomparable] = []
    seen: list[_Seen] = []
    for key in keys(_first_of(sides[0], board), _first_of(sides[1], board)):
        met = meet(_side_with(sides[0], key), _side_with(sides[1], key), key, ())
        if isinstance(met, Pair):
            seen.append(_seen(met, *sides))
        elif isinstance(met, Incomparable):
            incomparable.append(met)
        else:
            changes.append(met)
    changes += _judged(seen)
    return TwoImages(board, *named, (len(before), len(after)), tuple(changes), tuple(incomparable))


def _first_of(sides: Sequence[Side], board: str) -> dict[Key, MeasurementResult]:
    found: dict[Key, MeasurementResult] = {}
    for side in sides:
        for key, result in side.measurements.items():
            if key[0] == board:
                found.setdefault(key, result)
    return found


def _side_with(sides: Sequence[Side], key: Key) -> Side:
    return next((side for side in sides if key in side.measurements), sides[0])


def _seen(pair: Pair, before: Sequence[Side], after: Sequence[Side]) -> _Seen:
    names = {"value": "mean"} if pair.single else {"p50": "p50", "p99": "p99"}
    values = {
        name: (_values(before, pair.key, stored), _values(after, pair.key, stored))
        for name, stored in names.items()
    }
    return _Seen(pair, values)


def _values(sides: Sequence[Side], key: Key, stored: str) -> list[float]:
    """What the runs have that is a finite number; ``meet`` saw to it that there is one."""
    found = (side.measurements.get(key) for side in sides)
    values = (float(getattr(result, stored)) for result in found if result is not None and result.n)
    return [value for value in values if math.isfinite(value)]


def _judged(seen: Sequence[_Seen]) -> Iterator[Change]:
    tested: list[_Tested] = []
    family = 0
    for row in seen:
        if row.pair.exact and row.steady:
            yield _exactly(row)
        elif row.fewest < FEWEST_RUNS:
            yield _too_few(row)
        else:
            family += len(row.values)
            tested.append(_tested(row))
    certain = certain_below([p for row in tested for p in row.p.values()], family)
    yield from (_weighed(row, certain) for row in tested)


def _exactly(row: _Seen) -> Change:
    figures = {
        name: Moved(moved.before, moved.after, (moved.delta, moved.delta))
        for name, moved in row.figures.items()
    }
    differing = [name for name, moved in figures.items() if moved.delta]
    word, mixed = verdict_of(row.pair, [figures[name].delta for name in differing])
    figure = differing[0] if differing else next(iter(figures))
    return row.pair.change(word, figure, figures, mixed=mixed, noise=Noise(0.0, "exact"))


def _too_few(row: _Seen) -> Change:
    figures = row.figures
    large = [name for name, moved in figures.items() if is_large(row.pair, moved)]
    note = f"fewer than {FEWEST_RUNS} runs of each image: not judged" if large else ""
    word = Word.CHANGED if large else Word.UNCHANGED
    return row.pair.change(word, largest(figures), figures, note=note)


def _tested(row: _Seen) -> _Tested:
    """The tests of a row; what does not differ enough to count needs none (p = 1)."""
    import numpy as np

    figures: dict[str, Moved] = {}
    p: dict[str, float] = {}
    rank_effect = 0.0
    for name, moved in row.figures.items():
        p[name], figures[name] = 1.0, moved
        if is_large(row.pair, moved):
            before, after = map(np.asarray, row.values[name])
            p[name], rank = mann_whitney(before, after, "auto")
            figures[name] = Moved(moved.before, moved.after, _interval(*row.values[name]))
            rank_effect = max(rank_effect, rank, key=abs)
    return _Tested(row, figures, p, rank_effect)


def _weighed(row: _Tested, certain: float) -> Change:
    pair = row.seen.pair
    suspected = [
        name for name, moved in row.figures.items() if _leaves_0_out(moved) and row.p[name] < SUSPECTED
    ]
    sure = [name for name in suspected if row.p[name] <= certain]
    word, mixed = verdict_of(pair, [row.figures[name].delta for name in sure])
    note = ""
    if suspected and not sure:
        word, note = Word.CHANGED, "suspected: too few runs of each image to be certain among so many figures"
    figure = largest({name: row.figures[name] for name in sure or suspected or row.figures})
    spread = max(max(side) - min(side) for side in row.seen.values[figure])
    noise = Noise(spread, f"spread of {row.seen.fewest} runs")
    more = {"p_value": row.p[figure], "rank_effect": row.rank_effect, "note": note}
    return pair.change(word, figure, row.figures, mixed=mixed, noise=noise, **more)


def _leaves_0_out(moved: Moved) -> bool:
    return moved.interval is not None and not moved.interval[0] <= 0 <= moved.interval[1]


def certain_below(p_values: Sequence[float], family: int) -> float:
    """The largest p-value that is certain among ``family`` tests, those not given being 1; 0 where none is.

    Benjamini and Hochberg (1995): the k-th smallest counts while it is at most k / family of ``FALSE_SHARE``.
    """
    good = [p for rank, p in enumerate(sorted(p_values), 1) if p <= FALSE_SHARE * rank / family]
    return max(good, default=0.0)


def _interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """The percentile bootstrap interval of the difference of the medians, runs drawn with replacement."""
    import numpy as np

    generator = np.random.default_rng(_SEED)
    drawn = [
        np.median(generator.choice(np.asarray(side, np.float64), (_DRAWS, len(side))), axis=1)
        for side in (before, after)
    ]
    low, high = np.quantile(drawn[1] - drawn[0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
