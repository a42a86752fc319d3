# SPDX-License-Identifier: MIT
"""A comparison on a terminal: what stands first, what is folded, and that it fits the columns there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.terminal_comparison import comparison_as_text
from reports.text import change, signed
from rig.evidence.comparison import Comparison
from rig.evidence.measurement import Outcome
from rig.evidence.regression import compare
from tests.evidence.paired_runs import Taken, loaded

LONG = "isr.to.task.notify.of.a.task.that.has.a.long.name.loaded"


def all_of(value: int, n: int = 90, **more: Any) -> Taken:
    return Taken(samples=[value] * n, **more)


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """One of everything."""
    same = all_of(5)
    before = {
        "a.bit": all_of(1000), "a.lot": all_of(10), LONG: all_of(100), "better": all_of(10),
        "plain": Taken(unit="1", value=3), "boot": Taken(unit="ms", value=863.62), "same": same, "old": same,
        "far": all_of(5, board="stm32f4"), "other": all_of(5, context={"kernel": "V11"}), "case": same,
        "ticks": all_of(9, n=90, context={"tick_hits": 10}),
    }  # fmt: skip
    after = {
        "a.bit": all_of(1001), "a.lot": all_of(20), LONG: all_of(101), "better": all_of(9),
        "plain": Taken(unit="1", value=4), "boot": Taken(unit="ms", value=863.624), "same": same,
        "young": same, "other": same, "case": all_of(5, outcome=Outcome.FAIL),
        "ticks": all_of(9, n=88, context={"tick_hits": 12}),
    }  # fmt: skip
    return compare(loaded(tmp_path, before), loaded(tmp_path, after, image="bb"))


def shown(comparison: Comparison, width: int = 120, *, everything: bool = False) -> list[str]:
    return comparison_as_text(comparison, everything=everything, width=width).splitlines()


def test_the_worst_stands_first(comparison: Comparison) -> None:
    lines = shown(comparison)
    assert lines[0] == "REGRESSED: 4 figures of mps2 got worse, 1 case of mps2 no longer passes."
    rows = [line.split()[:2] for line in lines if line.startswith(("regressed", "improved", "changed"))]
    assert rows == [
        ["regressed", "a.lot"], ["regressed", "100"], ["regressed", "a.bit"], ["regressed", "boot"],
        ["improved", "better"], ["changed", "plain"],
    ]  # fmt: skip
    assert lines[lines.index(next(line for line in lines if LONG in line)) + 1].startswith("regressed ")
    assert "PASS → FAIL  mps2  kernel/case_case" in lines


def test_figures_show_as_many_digits_as_it_takes(comparison: Comparison) -> None:
    (line,) = [line for line in shown(comparison) if " boot " in line]
    assert line.split()[2:7] == ["863.620", "863.624", "+0.004", "+0.00046", "%"]


def test_what_has_no_verdict_is_folded(comparison: Comparison) -> None:
    lines = shown(comparison)
    text = "\n".join(lines)
    assert "gone  board stm32f4: 1 case, 1 figure" in lines
    assert "gone  mps2  1 figure of kernel: old" in lines
    assert "new  mps2  1 case of kernel: case_young" in lines
    assert "mps2  kernel V11 → V9.0.0: 1 figure: other" in lines
    assert "1 figure: samples hit by a tick moved by +2 to +2" in text
    assert "same" not in text.replace("same:", "").split()
    assert lines[-1] == (
        "4 regressed, 1 improved, 1 changed, 2 gone, 1 new, 1 incomparable and 3 unchanged (--all shows them)"
    )


def test_all_lists_everything(comparison: Comparison) -> None:
    lines = shown(comparison, everything=True)
    assert sum(line.startswith("unchanged ") for line in lines) == 3
    assert "mps2  ticks: 10 → 12 of 100, their p50 – → – instructions" in lines


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_it_fits(comparison: Comparison, width: int) -> None:
    lines = shown(comparison, width, everything=True)
    assert max(map(len, lines)) <= width
    assert any(LONG in line for line in lines)


def test_text_of_a_board_is_no_markup(tmp_path: Path) -> None:
    names = [f"[bold]x\x1b[31m{n}" for n in (1, 2)]
    runs = [loaded(tmp_path, {name: Taken(samples=[5] * 9)}) for name in names]
    text = "\n".join(shown(compare(*runs)))
    assert "[bold]x\\x1b[31m1" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0144, "+1.4 %"),
        (-0.000046, "−0.0046 %"),
        (2.5, "+250 %"),
        (0.998, "+100 %"),
        (0.0, "0 %"),
        (None, "–"),
    ],
)
def test_relative_changes(share: float | None, said: str) -> None:
    assert change(share) == said


def test_signs() -> None:
    assert [signed(value) for value in (12, -0.5, 0)] == ["+12", "−0.5", "0"]
