# SPDX-License-Identifier: MIT
"""Two runs whose difference is known: exact rows to the instruction, noisy rows with their noise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.evidence.bundle import series_path
from rig.evidence.comparison import NOT_ALIKE, Comparison, Word
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.evidence.regression import compare

if TYPE_CHECKING:
    from tests.evidence.paired_runs import Taken, loaded, made, the_row, verdicts
else:
    from paired_runs import Taken, loaded, made, the_row, verdicts

PATTERN = [98, 98, 120, 98, 131, 98] * 50


def compared(tmp_path: Path, before: Taken, after: Taken, clock: str = "exact", **more: Any) -> Comparison:
    """Two runs of one row."""
    runs = [
        loaded(tmp_path, {"m": row}, clock=clock, image=image)
        for row, image in ((before, "aa"), (after, "bb"))
    ]
    return compare(*runs, **more)


def hit_by_ticks(values: Sequence[int], every: int, first: int) -> Taken:
    """The samples that no tick hit, of which one in so many was."""
    hit = [int(index % every == first) for index in range(len(values))]
    left = [value for value, was_hit in zip(values, hit, strict=True) if not was_hit]
    return Taken(samples=left, hit=hit, context={"tick_hits": sum(hit)})


# --- exact rows


def test_one_instruction_more_is_one_instruction(tmp_path: Path) -> None:
    comparison = compared(tmp_path, Taken(samples=PATTERN), Taken(samples=[v + 1 for v in PATTERN]))
    row = the_row(comparison)
    assert (row.verdict, row.figure, row.shift) == (Word.REGRESSED, "p50", 1.0)
    assert row.moved is not None
    assert (row.moved.before, row.moved.after, row.moved.delta, row.moved.interval) == (98, 99, 1, (1, 1))
    assert row.noise is not None
    assert (row.noise.floor, row.noise.source) == (0, "exact")
    assert (comparison.regressed, comparison.exit_code) == (True, 4)


def test_one_instruction_less_is_an_improvement(tmp_path: Path) -> None:
    comparison = compared(tmp_path, Taken(samples=PATTERN), Taken(samples=[v - 1 for v in PATTERN]))
    assert (the_row(comparison).verdict, comparison.exit_code) == (Word.IMPROVED, 0)


def test_other_samples_hit_by_a_tick_are_no_change(tmp_path: Path) -> None:
    """A pattern whose rare values are hit in one run and not in the other, in other numbers."""
    comparison = compared(tmp_path, hit_by_ticks(PATTERN, 19, 4), hit_by_ticks(PATTERN, 23, 10))
    row = the_row(comparison)
    assert row.n[0] != row.n[1]
    assert (row.verdict, row.shift) == (Word.UNCHANGED, 0)
    (ticks,) = comparison.tick_hits
    assert (ticks.before, ticks.after, ticks.of) == (16, 13, (300, 300))
    assert comparison.exit_code == 0


def test_a_shift_is_exact_though_other_samples_are_hit(tmp_path: Path) -> None:
    more = [v + 2 for v in PATTERN]
    row = the_row(compared(tmp_path, hit_by_ticks(PATTERN, 19, 4), hit_by_ticks(more, 23, 10)))
    assert (row.verdict, row.shift, row.moved and row.moved.delta) == (Word.REGRESSED, 2, 2)


def test_the_phase_of_the_tick_is_no_regression(tmp_path: Path) -> None:
    """A pattern that another phase puts in another order, in nearly the same numbers."""
    before, after = [411, 410, 412] * 100, [412, 411, 411] * 2 + [412, 411, 410] * 98
    row = the_row(compared(tmp_path, Taken(samples=before), Taken(samples=after)))
    assert (row.verdict, row.note) == (Word.CHANGED, NOT_ALIKE)


def test_an_instruction_more_is_seen_through_the_phase(tmp_path: Path) -> None:
    before, after = [411, 410, 412] * 100, [413, 412, 412] * 2 + [413, 412, 411] * 98
    there = the_row(compared(tmp_path, Taken(samples=before), Taken(samples=after)))
    assert (there.verdict, there.shift, there.moved and there.moved.delta) == (Word.REGRESSED, None, 1)
    back = the_row(compared(tmp_path, Taken(samples=after), Taken(samples=before)))
    assert back.verdict is Word.IMPROVED


def test_a_rare_slow_path_is_a_regression_once_it_is_no_chance(tmp_path: Path) -> None:
    slow = [value + (900 if index % 40 == 7 else 0) for index, value in enumerate(PATTERN * 4)]
    row = the_row(compared(tmp_path, Taken(samples=PATTERN * 4), Taken(samples=slow)))
    assert (row.verdict, row.figure) == (Word.REGRESSED, "p99")


def test_one_slow_sample_in_many_is_a_change(tmp_path: Path) -> None:
    slow = [*PATTERN[:-1], 5000]
    row = the_row(compared(tmp_path, hit_by_ticks(PATTERN, 19, 4), hit_by_ticks(slow, 23, 10)))
    assert (row.verdict, row.figure, row.shift) == (Word.CHANGED, "max", None)
    assert row.note == NOT_ALIKE
    assert row.differing == (1, 300 - 16 - 13 + 1)  # one is hit in both


def test_samples_that_moved_against_each_other_are_a_change(tmp_path: Path) -> None:
    before, after = [10] * 60 + [12, 14, 16, 18] + [20] * 50, [10] * 60 + [13, 13, 17, 17] + [20] * 50
    row = the_row(compared(tmp_path, Taken(samples=before), Taken(samples=after)))
    assert (row.verdict, row.moved and row.moved.delta) == (Word.CHANGED, 0)
    assert row.note == NOT_ALIKE


def test_without_marks_and_with_other_numbers_the_figures_decide(tmp_path: Path) -> None:
    assert (
        the_row(compared(tmp_path, Taken(samples=[7] * 90), Taken(samples=[7] * 88))).verdict
        is Word.UNCHANGED
    )
    row = the_row(compared(tmp_path, Taken(samples=[7] * 90), Taken(samples=[8] * 88)))
    assert (row.verdict, row.shift) == (Word.REGRESSED, 1)


def test_better_middle_and_worse_tail_is_a_regression_both_ways(tmp_path: Path) -> None:
    before, after = Taken(samples=[50] * 950 + [60] * 50), Taken(samples=[49] * 950 + [70] * 50)
    for pair in ((before, after), (after, before)):
        row = the_row(compared(tmp_path, *pair))
        assert (row.verdict, row.mixed) == (Word.REGRESSED, True)


def test_the_same_values_in_another_order_are_no_change(tmp_path: Path) -> None:
    row = the_row(compared(tmp_path, Taken(samples=PATTERN), Taken(samples=PATTERN[::-1])))
    assert row.verdict is Word.UNCHANGED


def test_the_same_run_twice(tmp_path: Path) -> None:
    run = loaded(tmp_path, {"m": Taken(samples=PATTERN), "v": Taken(unit="B", value=12)})
    comparison = compare(run, run)
    assert set(verdicts(comparison).values()) == {Word.UNCHANGED}
    assert (comparison.exit_code, comparison.outcomes, comparison.tick_hits) == (0, (), ())


def test_same_image_other_count_is_said_to_be_no_longer_deterministic(tmp_path: Path) -> None:
    runs = [loaded(tmp_path, {"m": Taken(samples=[n] * 20)}) for n in (7, 8)]
    assert "not deterministic" in the_row(compare(*runs)).note


@pytest.mark.parametrize(
    ("name", "unit", "before", "after", "verdict"),
    [
        ("memory.region.app.used", "B", 1000, 1004, Word.REGRESSED),
        ("memory.stack.idle.unused", "B", 1000, 1004, Word.IMPROVED),
        ("memory.heap.free", "B", 1000, 996, Word.REGRESSED),
        ("boot.ready_time", "ms", 863.62, 863.624, Word.REGRESSED),
        ("metric.basic", "1/s", 900, 899, Word.REGRESSED),
        ("console.requests", "1", 50, 51, Word.CHANGED),
        ("cal.nops.10", "instructions", 10, 11, Word.CHANGED),
        ("memory.heap.fragmentation", "1", 0.5, 0.25, Word.IMPROVED),
        ("memory.heap.free", "B", 1000, 1000, Word.UNCHANGED),
    ],
)
def test_single_exact_values(
    tmp_path: Path, name: str, unit: str, before: float, after: float, verdict: Word
) -> None:
    runs = [loaded(tmp_path, {name: Taken(unit=unit, value=value)}) for value in (before, after)]
    row = the_row(compare(*runs))
    assert row.verdict is verdict
    assert row.moved is not None
    assert row.moved.delta == pytest.approx(after - before, abs=1e-12)


# --- noisy rows


def drawn(seed: int, n: int = 400, middle: float = 10_000, cv: float = 0.03) -> list[int]:
    dice = random.Random(seed)
    return [round(dice.gauss(middle, cv * middle) / 40) * 40 for _ in range(n)]


def ns(samples: Sequence[int] | Sequence[float], **more: Any) -> Taken:
    return Taken(unit="ns", samples=samples, **more)


def test_noise_is_folded_and_a_real_shift_found_among_it(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(60)]
    slow = set(names[:6])
    before = {name: ns(drawn(i)) for i, name in enumerate(names)}
    after = {
        name: ns(drawn(500 + i, middle=10_500 if name in slow else 10_000)) for i, name in enumerate(names)
    }
    comparison = compare(
        loaded(tmp_path, before, clock="hardware"), loaded(tmp_path, after, clock="hardware", image="bb")
    )
    found = {name for name, verdict in verdicts(comparison).items() if verdict is Word.REGRESSED}
    assert found == slow
    assert comparison.counts[Word.UNCHANGED] == 54
    for row in comparison.changes[:6]:
        assert row.moved is not None
        assert row.moved.interval is not None
        assert row.noise is not None
        low, high = row.moved.interval
        assert low <= row.moved.delta <= high
        assert row.noise.source == "within the runs"
        assert 0 < row.noise.floor < row.moved.delta


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([400] * 300, [400] * 200, Word.UNCHANGED),
        ([400] * 300, [480] * 300, Word.REGRESSED),  # two ticks of the counter, without any noise
        ([100_000] * 300, [100_040] * 300, Word.UNCHANGED),  # one tick, but less than 1 %
        ([400] * 150 + [440] * 150, [400] * 140 + [440] * 160, Word.UNCHANGED),  # ties only
        ([400] * 290 + [440] * 10, [400] * 10 + [440] * 290, Word.REGRESSED),
        (drawn(1, 2000), drawn(2, 50), Word.UNCHANGED),
        (drawn(1, 2000), drawn(2, 60, 12_000), Word.REGRESSED),
        ([400] * 5, [800] * 5, Word.CHANGED),  # too few to judge
    ],
)
def test_noisy_rows(tmp_path: Path, before: list[int], after: list[int], verdict: Word) -> None:
    assert the_row(compared(tmp_path, ns(before), ns(after), "hardware")).verdict is verdict


def test_single_noisy_values_need_earlier_runs(tmp_path: Path) -> None:
    def of(before: float, after: float, earlier: Sequence[float] = ()) -> Word:
        found = [{"mean": value} for value in earlier]
        one, other = (Taken(unit="ms", value=value) for value in (before, after))
        return the_row(compared(tmp_path, one, other, "hardware", earlier=lambda _side, _key: found)).verdict

    assert of(100, 105) is Word.UNCHANGED
    assert of(100, 120) is Word.CHANGED
    assert of(100, 105, (99, 100, 101)) is Word.REGRESSED
    assert of(105, 100, (99, 100, 101)) is Word.IMPROVED
    assert of(100, 105, (95, 101)) is Word.UNCHANGED


def test_what_moves_as_much_between_runs_of_one_image_is_unchanged(tmp_path: Path) -> None:
    before, after = ns([1000, 1040] * 100), ns([1080, 1120] * 100)
    assert the_row(compared(tmp_path, before, after, "hardware")).verdict is Word.REGRESSED
    earlier = [{"p50": value, "p99": value} for value in (1000.0, 1100.0)]
    row = the_row(compared(tmp_path, before, after, "hardware", earlier=lambda _side, _key: earlier))
    assert row.verdict is Word.UNCHANGED
    assert row.noise is not None
    assert (row.noise.floor, row.noise.source) == (100, "2 earlier runs of the same image")


# --- what is not compared


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            Taken(samples=[5] * 9, context={"kernel": "V11.1.0"}),
            Taken(samples=[5] * 9),
            "kernel V11.1.0 → V9.0.0",
        ),
        (Taken(samples=[5] * 9), Taken(samples=[5] * 9, context={"cpu_hz": 5}), "cpu_hz – → 5"),
        (
            Taken(samples=[5] * 9),
            Taken(samples=[5] * 9, context={"bench_priority": 5}),
            "bench_priority – → 5",
        ),
        (Taken(samples=[5] * 9), Taken(unit="ns", samples=[5] * 9), "unit instructions → ns"),
        (Taken(samples=[5] * 9), Taken(value=5), "one value against a distribution"),
        (Taken(samples=[5.0, float("nan")]), Taken(samples=[5] * 9), "no finite number in the first run"),
        (Taken(samples=[5] * 9), Taken(samples=[]), "never set in the second run"),
    ],
)
def test_not_comparable(tmp_path: Path, before: Taken, after: Taken, said: str) -> None:
    comparison = compared(tmp_path, before, after)
    (row,) = comparison.incomparable
    assert said in ", ".join([*map(str, row.differences), row.note])
    assert (comparison.changes, comparison.exit_code) == ((), 3)


def test_a_named_difference_may_be_compared_across(tmp_path: Path) -> None:
    after = Taken(samples=[6] * 9, context={"flags": "bb22"})
    comparison = compared(tmp_path, Taken(samples=[5] * 9), after, across=("flags",))
    row = the_row(comparison)
    assert (row.verdict, [str(d) for d in row.across]) == (Word.REGRESSED, ["flags aa11 → bb22"])


def test_what_is_no_condition_is_named_beside_the_row(tmp_path: Path) -> None:
    both = (Taken(samples=[5] * 9, context={"depth": n, "word": f"w{n}", "cold_ticks": n}) for n in (1, 2))
    row = the_row(compared(tmp_path, *both))  # type: ignore[arg-type]
    assert [str(d) for d in row.beside] == ["depth 1 → 2", "word w1 → w2"]


def test_another_unit_under_test_is_named_on_a_physical_board_only(tmp_path: Path) -> None:
    for clock, expected in (("hardware", ["dut SN-mps2 → SN-other"]), ("exact", [])):
        before, after = (loaded(tmp_path, {"m": Taken(unit="B", value=5)}, clock=clock) for _ in range(2))
        board = before.boards[0]
        object.__setattr__(
            after, "boards", (type(board)(board.name, board.outcome, "SN-other", *_rest(board)),)
        )
        found = compare(before, after).incomparable
        assert [str(d) for row in found for d in row.differences] == expected


def _rest(board: Any) -> tuple[Any, ...]:
    return board.image_sha256, board.identity, board.transcript


def test_damaged_samples_are_said_and_the_other_rows_compared(tmp_path: Path) -> None:
    before = loaded(tmp_path, {"m": Taken(samples=PATTERN), "other": Taken(samples=[5] * 9)})
    after = loaded(tmp_path, {"m": Taken(samples=PATTERN[1:]), "other": Taken(samples=[5] * 9)}, image="bb")
    sha256 = next(m.samples_sha256 for m in after.measurements if m.name == "m")
    assert sha256 is not None
    series_path(after.path, sha256).write_bytes(b"1234567")
    comparison = compare(before, after)
    assert verdicts(comparison) == {"other": Word.UNCHANGED}
    assert "damaged" in comparison.incomparable[0].note


# --- boards, cases, runs


def test_boards_and_cases_of_one_run_only(tmp_path: Path) -> None:
    row = Taken(samples=[5] * 9)
    before = loaded(tmp_path, {"m": row, "old": row, "far": Taken(samples=[5] * 9, board="stm32f4")})
    after = loaded(tmp_path, {"m": row, "young": row})
    comparison = compare(before, after)
    assert verdicts(comparison) == {
        "m": Word.UNCHANGED, "old": Word.GONE, "far": Word.GONE, "young": Word.NEW,
    }  # fmt: skip
    assert {(o.board, o.case, o.verdict) for o in comparison.outcomes} == {
        ("mps2", "case_old", Word.GONE),
        ("stm32f4", "case_far", Word.GONE),
        ("mps2", "case_young", Word.NEW),
    }
    assert comparison.exit_code == 0


@pytest.mark.parametrize(
    ("was", "now", "verdict", "code"),
    [
        (Outcome.PASS, Outcome.FAIL, Word.REGRESSED, 4),
        (Outcome.FAIL, Outcome.PASS, Word.IMPROVED, 0),
        (Outcome.PASS, Outcome.ERROR, Word.CHANGED, 0),
        (Outcome.SKIPPED, Outcome.FAIL, Word.CHANGED, 0),
    ],
)
def test_outcomes_that_changed(tmp_path: Path, was: Outcome, now: Outcome, verdict: Word, code: int) -> None:
    before, after = (Taken(samples=[5] * 9, outcome=outcome) for outcome in (was, now))
    comparison = compared(tmp_path, before, after)
    (case,) = comparison.outcomes
    assert (case.before, case.after, case.verdict) == (was, now, verdict)
    assert comparison.exit_code == code


def test_nothing_in_common(tmp_path: Path) -> None:
    comparison = compare(
        loaded(tmp_path, {"m": Taken(samples=[5] * 9)}), loaded(tmp_path, {"x": Taken(samples=[5] * 9)})
    )
    assert comparison.exit_code == 3


def test_a_run_that_was_cut_off_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    before = loaded(tmp_path, {"m": Taken(samples=[5] * 9), "late": Taken(samples=[5] * 9)})
    after = load_run(made(tmp_path, {"m": Taken(samples=[5] * 9)}, cut_off=True))
    assert not after.complete
    assert verdicts(compare(before, after)) == {"m": Word.UNCHANGED, "late": Word.GONE}
