# SPDX-License-Identifier: MIT
"""Boards beside one another: one scale, the quartiles that were observed, the limits of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from xml.etree import ElementTree as ET

from reports.boxes import boxes
from reports.distribution import Distribution, distribution
from reports.figures import SameFigure, same_figures
from rig.evidence.model import MeasurementResult, Run

Measure = Callable[..., MeasurementResult]


def figure(run: Run, *rows: MeasurementResult) -> SameFigure:
    (found,) = same_figures(dataclasses.replace(run, measurements=rows))
    return found


def shape(samples: list[float]) -> Distribution:
    found = distribution(samples)
    assert found is not None
    return found


def rects(svg: str) -> list[tuple[float, float]]:
    found = [e for e in ET.fromstring(svg) if e.tag == "rect"]
    return [(float(e.get("x") or 0), float(e.get("width") or 0)) for e in found]


def test_boxes_are_the_middle_half_on_one_scale(bare: Run, measure: Measure) -> None:
    low, high = [float(n) for n in range(100)], [float(n) for n in range(100, 200)]
    svg = boxes(
        figure(bare, measure("a", low), measure("a", high, board="b")), {"mps2": shape(low), "b": shape(high)}
    )
    (first, wide), (second, same) = rects(svg)
    assert abs(wide - same) < 0.1
    assert abs((second - first) - 2 * wide) < 0.1
    assert shape(low).quartiles == (24, 74)


def test_one_instruction_more_is_a_small_step(bare: Run, measure: Measure) -> None:
    svg = boxes(
        figure(bare, measure("a", [114, 114]), measure("a", [115, 115], board="b")),
        {"mps2": shape([114, 114]), "b": shape([115, 115])},
    )
    (first, _), (second, _) = rects(svg)
    assert 0 < second - first < 30


def test_limits_are_those_of_each_board(bare: Run, measure: Measure) -> None:
    near = measure("a", [100, 100], upper=110.0)
    far = measure("a", [100, 100], board="b", upper=9000.0, lower=-9000.0)
    svg = boxes(figure(bare, near, far), {"mps2": shape([100, 100]), "b": shape([100, 100])})
    assert svg.count('stroke="var(--bad)"') == 1
    assert ">›</text>" in svg
    assert ">‹</text>" in svg


def test_what_a_board_is_called_is_text(bare: Run, measure: Measure) -> None:
    rows = (measure("<b>", [1, 2], board="<i>\x1b"), measure("<b>", [1, 2]))
    svg = boxes(figure(bare, *rows), {"<i>\x1b": shape([1, 2]), "mps2": shape([1, 2])})
    assert "&lt;i&gt;\\x1b" in svg
    ET.fromstring(svg)
    assert boxes(figure(bare, *rows), {}) == ""
