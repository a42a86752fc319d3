# SPDX-License-Identifier: MIT
"""Kernel figures on the page and the terminal: idle and loaded together, and what others published beside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reports.figures import with_loaded, with_tick
from reports.published import beside_published
from reports.terminal import as_text
from rig.evidence.model import MeasurementResult, Run
from tests.reports.outline import Outline

Measure = Callable[..., MeasurementResult]
IDLE, LOADED = {"profile": "idle"}, {"profile": "loaded"}


@pytest.fixture
def kernel(bare: Run, measure: Measure) -> Run:
    """One benchmark, idle and loaded, and one that was only taken loaded."""
    said = {"published: FreeRTOS FAQ, Cortex-M3": "84 cycles, the context switch alone"}
    return dataclasses.replace(
        bare,
        measurements=(
            measure(
                "sched.yield.peer", [68] * 9, context={**IDLE, **said, "measures": "taskYIELD to a peer"}
            ),
            measure("isr.masked.below.loaded", [40] * 9, context=LOADED),
            measure("sched.yield.peer.loaded", [68] * 8 + [292], case="test_other", context=LOADED),
            measure("sched.yield.peer.loaded.tick_hit", [1856], case="test_other", context=LOADED),
        ),
    )


def test_a_loaded_figure_stands_with_its_idle_one(kernel: Run) -> None:
    told = with_loaded(with_tick(kernel.measurements))
    named = [(m.name, other[0].name if other else None) for (m, _), other in told]
    assert named == [
        ("sched.yield.peer", "sched.yield.peer.loaded"),
        ("isr.masked.below.loaded", None),
    ]
    assert told[0][1] is not None
    assert told[0][1][1] is not None


def test_the_terminal_gives_each_a_line(kernel: Run) -> None:
    lines = [line.split() for line in as_text(kernel, 100).split("\n")]
    at = next(i for i, line in enumerate(lines) if line[:1] == ["sched.yield.peer"])
    assert lines[at] == ["sched.yield.peer", "9", "68", "68", "68", "instructions"]
    assert lines[at + 1] == ["loaded", "9", "1", "68", "292", "292", "instructions"]


def test_the_page_has_both_and_what_was_published(kernel: Run, page: Callable[..., str]) -> None:
    words = " ".join(" ".join(Outline(page(kernel)).words).split())
    assert "sched.yield.peer taskYIELD to a peer" in words
    assert "84 cycles, the context switch alone FreeRTOS FAQ, Cortex-M3" in words
    assert "published: FreeRTOS" not in words  # not among the facts of how it was taken


def test_only_what_somebody_published_is_set_beside(kernel: Run) -> None:
    (row,) = beside_published(kernel.measurements)
    assert row.m.name == "sched.yield.peer"
    assert row.figures == (("FreeRTOS FAQ, Cortex-M3", "84 cycles, the context switch alone"),)


def test_of_boards_side_by_side_the_loaded_figures_are_folded(kernel: Run, page: Callable[..., str]) -> None:
    other = dataclasses.replace(kernel.boards[0], name="mps2-m4")
    both = [dataclasses.replace(m, board=name) for m in kernel.measurements for name in ("mps2", "mps2-m4")]
    text = page(dataclasses.replace(kernel, boards=(*kernel.boards, other), measurements=tuple(both)))
    section = text[text.index('id="beside"') : text.index('id="board-1"')]
    open_part, _, folded = section.partition('<details class="beside">')
    assert open_part.count("<figure>") == 1
    assert folded.startswith("<summary>2 figures taken while the boards were loaded</summary>")
    assert folded.count("<figure>") == 2
