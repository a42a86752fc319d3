# SPDX-License-Identifier: MIT
"""The run as text: what comes first, that it fits, and that no board can write to the terminal."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from reports.terminal import as_text, print_run
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from tests.reports import hostile
else:
    import hostile

Attempt = Callable[..., CaseResult]
Measure = Callable[..., MeasurementResult]


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_and_the_summary_comes_first(run: Run, width: int) -> None:
    lines = as_text(run, width).split("\n")
    assert max(map(len, lines)) <= width
    assert lines[0] == "FAIL  61 cases on 1 board: 51 passed, 4 failed, 6 skipped."
    assert any("QB-000017" in line and "6105d6cc76af" in line for line in lines[:8])


def test_figures_come_with_limit_origin_and_line(run: Run) -> None:
    shown = as_text(run, 120)
    assert "p99 <= 126, REQ-KRN-014, suites/kernel/limits.toml:12" in shown
    assert "provisional: measured 20261104T020011Z-9f1c + 25 %, suites/kernel/limits.toml:16" in shown
    assert "ticks: samples that a tick hit are kept apart" in shown
    assert "p99 <= 263" in shown
    assert shown.count("marginal") == 1
    assert "instruction counts, not cycles" in shown


def test_skipped_cases_stand_together_with_their_reason(run: Run) -> None:
    shown = " ".join(as_text(run, 120).split())
    assert shown.count("not in this kernel") == 1
    assert "board lacks the feature 'network' (mps2): connectivity/test_connect" in shown
    assert "attempt 1: ERROR board mps2: the QEMU process ended" in shown


def test_what_a_board_says_is_no_markup_and_no_control_code(bare: Run, attempt: Attempt) -> None:
    reason = "\x1b[2J[bold]x[/bold] [/] \udcfe\x07" + "y" * 10_000
    failed = attempt("test_[red]x", Outcome.FAIL, reason, board="\x1b]0;t\x07")
    shown = as_text(dataclasses.replace(bare, cases=(failed,)), 80)
    assert r"\x1b[2J[bold]x[/bold][/]\xfe\x07yyy" in "".join(shown.split())
    assert "test_[red]x" in shown
    assert "more characters)" in shown
    assert not {"\x1b", "\x07"} & set(shown)


@pytest.mark.parametrize("width", [80, 120])
def test_a_hostile_board_writes_no_control_code(
    bare: Run, attempt: Attempt, measure: Measure, width: int
) -> None:
    run = hostile.hostile_run(bare, attempt, measure)
    out = io.StringIO()
    print_run(run, Console(file=out, width=width, force_terminal=True, color_system="standard"))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())  # our own colours
    assert shown.replace("\n", "").isprintable()
    assert r"\x1b[2J" in shown
    assert "https://evil.example" not in re.findall(r"\x1b\]8;[^\x1b]*", out.getvalue())
    one = dataclasses.replace(run, boards=run.boards[:1], measurements=run.measurements[:9])
    assert as_text(one, width).replace("\n", "").isprintable()


def test_an_incomplete_or_empty_run_says_so(bare: Run) -> None:
    shown = as_text(dataclasses.replace(bare, complete=False, notes=("no journal",)), 80)
    assert "INCOMPLETE" in shown
    assert "no journal" in shown
    assert "No case was run" in shown
    assert as_text(dataclasses.replace(bare, boards=()), 80)


def test_odd_figures_are_shown_as_they_are(bare: Run, measure: Measure) -> None:
    odd = (
        measure("unset", [], outcome=Outcome.ERROR, note="declared but never set"),
        measure("x" * 100, [3_900_112], statistic="value", unit="bytes", attempt=2),
        measure("inf", [1.0, float("inf")], lower=1.0, outcome=Outcome.PASS),
    )
    shown = as_text(dataclasses.replace(bare, measurements=odd), 80)
    assert "declared but never set" in shown
    assert "3,900,112" in shown
    assert "attempt 2" in shown
    assert "origin unknown" in shown


@pytest.mark.parametrize("width", [80, 120])
def test_the_same_figure_of_several_boards_stands_in_one_row(run: Run, width: int) -> None:
    boards = tuple(dataclasses.replace(run.boards[0], name=name) for name in ("mps2", "qual-02", "qual-03"))
    kernel = [m for m in run.measurements if m.suite == "kernel"]
    rows = [dataclasses.replace(m, board=board.name) for m in kernel for board in boards]
    lines = as_text(dataclasses.replace(run, boards=boards, measurements=tuple(rows)), width).split("\n")
    assert max(map(len, lines)) <= width
    (row,) = [line for line in lines if line.startswith("sched.yield.self ")]
    cell = "77/79/79" if width == 120 else "79"
    assert row.split() == ["sched.yield.self", cell, cell, cell, "instructions"]
    at = lines.index(row)
    assert lines[at + 1].strip() == "p99 <= 126, REQ-KRN-014, suites/kernel/limits.toml:12"
    assert any("FAIL" in line and line.startswith("mutex.unlock") for line in lines)
    assert "! marginal on mps2, qual-02, qual-03" in " ".join(" ".join(lines).split())


def test_a_limit_that_not_all_boards_have_says_whose_it_is(bare: Run, measure: Measure) -> None:
    boards = (*bare.boards, dataclasses.replace(bare.boards[0], name="qual-03", identity={}, dut=None))
    rows = (measure("a", [1], upper=9.0, outcome=Outcome.PASS), measure("b", [2], board="qual-03"))
    shown = as_text(dataclasses.replace(bare, boards=boards, measurements=rows), 80)
    assert re.search(r"^a +1 +– +instructions$", shown, re.MULTILINE)
    assert re.search(r"^b +– +2 +instructions$", shown, re.MULTILINE)
    assert "mps2: p99 <= 9, origin unknown" in shown


def test_more_boards_than_fit_stand_in_a_table_below(bare: Run, measure: Measure) -> None:
    names = [f"quite-long-name-{n}" for n in range(9)]
    boards = tuple(dataclasses.replace(bare.boards[0], name=name) for name in names)
    rows = tuple(measure("a", [1, 2], board=name) for name in names)
    shown = as_text(dataclasses.replace(bare, boards=boards, measurements=rows), 80)
    assert max(map(len, shown.split("\n"))) <= 80
    assert len(re.findall(r"^a ", shown, re.MULTILINE)) > 1
    assert all(name in shown for name in names)


def test_colour_only_for_a_terminal_that_wants_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(**changes: bool) -> str:
        out = io.StringIO()
        print_run(run, Console(file=out, width=80, color_system="standard", **changes))  # type: ignore[arg-type]
        return out.getvalue()

    assert "\x1b[1;31m" in printed(force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in printed(force_terminal=True)


def test_no_codes_at_all_where_there_is_no_terminal(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(run)
    assert "\x1b[" not in capsys.readouterr().out


def test_a_terminal_without_utf8_stops_no_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_run(dataclasses.replace(run, operator="Zoë 漢"))
    assert b"FAIL" in raw.getvalue() or raw.closed
