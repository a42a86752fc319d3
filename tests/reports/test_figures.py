# SPDX-License-Identifier: MIT
"""Which measurements belong together: ticks with the rest, the same figure of several boards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from reports import figures
from rig.evidence.model import MeasurementResult, Run

Measure = Callable[..., MeasurementResult]


def test_samples_hit_by_a_tick_are_paired_with_the_others(run: Run, measure: Measure) -> None:
    pairs = figures.with_tick(run.measurements)
    assert not any(figures.is_tick(m) for m, _ in pairs)
    paired = [(m.name, tick.name) for m, tick in pairs if tick]
    assert paired[0] == ("sched.yield.peer", "sched.yield.peer.tick_hit")
    lonely = measure("a.tick_hit", [9])
    assert figures.with_tick([lonely]) == ((lonely, None),)


def test_context_that_all_share_is_told_once(measure: Measure) -> None:
    rows = [measure("a", [1], context={"clock": "exact", "overhead": n}) for n in (4, 5)]
    assert figures.shared_context(rows) == {"clock": "exact"}
    assert figures.shared_context([]) == {}


def test_the_same_figure_of_several_boards_is_one_row(bare: Run, measure: Measure) -> None:
    boards = (*bare.boards, dataclasses.replace(bare.boards[0], name="qual-03"))
    rows = (
        measure("b", [1], board="qual-03"),
        measure("a", [2, 3], board="qual-03", upper=9.0),
        measure("a", [1, 2], board="mps2", attempt=1),
        measure("a", [4, 4], board="mps2", attempt=2),
        measure("a", [1], board="mps2", unit="ns"),
    )
    run = dataclasses.replace(bare, boards=boards, measurements=rows)
    b, a, other_unit = figures.same_figures(run)
    assert (b.name, list(b.of), b.single, b.limited) == ("b", ["qual-03"], True, False)
    assert list(a.of) == ["mps2", "qual-03"]
    assert [m.p50 for m in a.results] == [4, 3]
    assert (a.single, a.limited) == (False, True)
    assert other_unit.unit == "ns"


def test_a_provisional_limit_says_so(measure: Measure) -> None:
    assert figures.origin_of(measure("a", [1])) == "origin unknown"
    given = measure("a", [1], limit_origin="measured x", provisional=True)
    assert figures.origin_of(given) == "provisional: measured x"
    said = measure("a", [1], limit_origin="provisional: x", provisional=True)
    assert figures.origin_of(said) == "provisional: x"
