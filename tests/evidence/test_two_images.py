# SPDX-License-Identifier: MIT
"""Two images over several runs each, whose difference is known: what is certain, suspected, and noise."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.evidence.comparison import Change, Word
from rig.evidence.model import Run
from rig.evidence.two_images import FEWEST_RUNS, TwoImages, certain_below, compare_images

if TYPE_CHECKING:
    from tests.evidence.paired_runs import Taken, loaded
else:
    from paired_runs import Taken, loaded

Give = Callable[[random.Random], dict[str, float]]
"""The median of each row in one run; its 99th percentile lies a tenth above it."""


def of_files(folder: Path, image: str, *rows: dict[str, Taken]) -> list[Run]:
    """Runs on the exact clock, each with its rows, as files tell them."""
    return [loaded(folder, row, image=image) for row in rows]


def steady(value: int) -> dict[str, Taken]:
    return {"m": Taken(samples=[value] * 20)}


def named(before: Sequence[Run], after: Sequence[Run]) -> TwoImages:
    return compare_images("mps2", ("release", "tonight"), before, after)


def row_of(found: TwoImages, name: str = "m") -> Change:
    (row,) = [change for change in found.changes if change.row.name == name]
    return row


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., TwoImages]:
    """Compares runs of a board on its own clock, whose figures are given."""
    like = loaded(tmp_path, {"m": Taken("ns", samples=[100, 110])}, clock="hardware")
    (row,) = like.measurements

    def runs(seed: str, give: Give, count: int) -> list[Run]:
        chance = random.Random(seed)
        figures = [give(chance) for _ in range(count)]
        return [
            replace(
                like,
                measurements=tuple(
                    replace(row, name=name, p50=value, p99=value * 1.1) for name, value in said.items()
                ),
            )
            for said in figures
        ]

    def compared(before: Give, after: Give, count: int = 6, seed: str = "") -> TwoImages:
        return named(runs(f"a{seed}", before, count), runs(f"b{seed}", after, count))

    return compared


def noisy(level: float, names: Sequence[str] = ("m",)) -> Give:
    """Rows whose runs differ by 1 % among themselves."""
    return lambda chance: {name: level * chance.lognormvariate(0, 0.01) for name in names}


def test_one_instruction_more_in_every_run(tmp_path: Path) -> None:
    found = named(of_files(tmp_path, "aa", steady(98)), of_files(tmp_path, "bb", steady(99)))
    row = row_of(found)
    assert (row.verdict, row.exact, found.regressed, found.compared) == (Word.REGRESSED, True, True, 1)
    assert row.moved is not None
    assert (row.moved.delta, row.moved.interval) == (1, (1, 1))


def test_the_same_is_the_same(tmp_path: Path) -> None:
    found = named(of_files(tmp_path, "aa", steady(98)), of_files(tmp_path, "bb", steady(98), steady(98)))
    assert (row_of(found).verdict, found.regressed, found.moved) == (Word.UNCHANGED, False, ())


def test_an_exact_figure_that_does_not_stay_is_judged_by_its_runs(tmp_path: Path) -> None:
    shaky = of_files(tmp_path, "bb", *(steady(98 + number % 3) for number in range(6)))
    row = row_of(named(of_files(tmp_path, "aa", *[steady(98)] * 6), shaky))
    assert row.verdict is not Word.REGRESSED  # one in a hundred, and not in every run
    assert row.noise is not None
    assert row.noise.floor == 2


def test_three_percent_in_noise_of_one(measured: Callable[..., TwoImages]) -> None:
    found = measured(noisy(10_000), noisy(10_300))
    row = row_of(found)
    assert (row.verdict, found.regressed) == (Word.REGRESSED, True)
    assert row.moved is not None
    assert row.moved.interval is not None
    assert row.moved.interval[0] > 0
    assert row.p_value is not None
    assert row.p_value < 0.05
    assert row.noise is not None
    assert row.noise.source == "spread of 6 runs"


def test_among_very_many_figures_as_much_is_a_suspicion(measured: Callable[..., TwoImages]) -> None:
    """Six runs of each cannot single one figure out of sixty; the same change in all of them they can."""
    others = [f"m{number}" for number in range(60)]

    def with_one(level: float) -> Give:
        return lambda chance: {**noisy(10_000, others)(chance), "m": level + chance.random()}

    found = measured(with_one(10_000), with_one(10_300))
    row = row_of(found)
    assert (row.verdict, found.regressed) == (Word.CHANGED, False)
    assert row.note.startswith("suspected")
    assert measured(noisy(10_000, others), noisy(10_300, others)).regressed


def test_what_is_smaller_than_counts_is_nothing(measured: Callable[..., TwoImages]) -> None:
    found = measured(lambda _: {"m": 10_000}, lambda _: {"m": 10_090})
    assert (row_of(found).verdict, found.moved) == (Word.UNCHANGED, ())


def test_too_few_runs_judge_nothing_that_varies(measured: Callable[..., TwoImages]) -> None:
    row = row_of(measured(noisy(10_000), noisy(11_000), FEWEST_RUNS - 1))
    assert (row.verdict, row.note) == (Word.CHANGED, "fewer than 4 runs of each image: not judged")


def test_a_run_without_a_number_hides_no_regression(measured: Callable[..., TwoImages]) -> None:
    def broken(level: float) -> Give:
        values = iter([level, level + 1, math.nan, level + 2, level + 3, level + 4, level + 5, level + 6])
        return lambda _: {"m": next(values)}

    assert measured(broken(10_000), broken(10_500), 8).regressed


def test_figures_taken_in_another_way_are_named_and_not_compared(tmp_path: Path) -> None:
    other = {"m": Taken(samples=[98] * 20, context={"kernel": "V11.1.0"})}
    found = named(of_files(tmp_path, "aa", steady(98)), of_files(tmp_path, "bb", other))
    (row,) = found.incomparable
    assert [str(difference) for difference in row.differences] == ["kernel V9.0.0 → V11.1.0"]
    assert (found.compared, found.regressed) == (0, False)


def test_what_some_runs_lack_is_taken_from_the_others(tmp_path: Path) -> None:
    after = of_files(tmp_path, "bb", {"x": Taken(value=1.0)}, steady(99))
    found = named(of_files(tmp_path, "aa", steady(98)), after)
    assert row_of(found).verdict is Word.REGRESSED
    assert row_of(found, "x").verdict is Word.NEW


def test_as_plain_data(tmp_path: Path) -> None:
    found = named(of_files(tmp_path, "aa", steady(98)), of_files(tmp_path, "bb", steady(99)))
    said = json.loads(json.dumps(found.document()))
    assert (said["baseline"], said["image"], said["runs"]) == ("release", "tonight", [1, 1])
    (row,) = said["changes"]
    assert (row["name"], row["delta"], row["verdict"]) == ("m", 1, "regressed")


@pytest.mark.parametrize(
    ("p_values", "family", "certain"),
    [
        ([], 1, 0.0),
        ([0.008], 1, 0.008),
        ([0.008], 2, 0.0),
        ([0.008, 0.01], 2, 0.01),
        ([1e-4, 0.008, 0.9], 20, 1e-4),
    ],
)
def test_of_what_is_certain_one_in_a_hundred_may_be_chance(
    p_values: list[float], family: int, certain: float
) -> None:
    assert certain_below(p_values, family) == certain


def test_alike_images_are_hardly_ever_called_different(measured: Callable[..., TwoImages]) -> None:
    """A hundred nights of twenty figures that do not differ."""
    names = [f"m{number}" for number in range(20)]
    nights = [measured(noisy(10_000, names), noisy(10_000, names), seed=str(night)) for night in range(100)]
    called = [change for found in nights for change in found.changes if change.verdict is not Word.UNCHANGED]
    assert sum(change.verdict is not Word.CHANGED for change in called) <= 2
    assert len(called) <= 0.05 * 100 * 20
