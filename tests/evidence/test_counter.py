# SPDX-License-Identifier: MIT
"""Samples as boards write them, and what is no series; ticks to instructions."""

from __future__ import annotations

import pytest

from rig.errors import BoardGarbled
from rig.evidence.counter import RawSeries, TimeBase


@pytest.mark.parametrize(
    ("rows", "ticks", "hits"),
    [
        (["C"], [12], [False]),
        (["C,TD"], [12, 13], [False, True]),
        (["1,2,3,3:5"], [1, 2, 3, 1, 2, 3, 1, 2], [False] * 8),
        (["1,T2", "2:3"], [1, 2, 1, 2, 1], [False, True, False, True, False]),
        (["7FFFFFFF,1:0"], [0x7FFFFFFF], [False]),
        ([], [], []),
    ],
)
def test_rows_are_read(rows: list[str], ticks: list[int], hits: list[bool]) -> None:
    series = RawSeries.of_text(rows)
    assert (series.ticks.tolist(), series.hit.tolist()) == (ticks, hits)


@pytest.mark.parametrize(
    "row", ["", "c", "C,", "C,,C", "123456789", "T", "TT1", "1:5", "C,2:4", "C,0:4", "C,1:FFFFFFFF", "C,1:-1"]
)
def test_what_is_no_series_is_told(row: str) -> None:
    with pytest.raises(BoardGarbled, match=r"bench\.read"):
        RawSeries.of_text([row])


def test_instructions_are_rounded_before_the_probe_is_taken_off() -> None:
    ticks = RawSeries.of_text(["23,24"]).ticks  # 35 and 36 ticks of 40 ns are 10.9 and 11.25 instructions
    assert TimeBase(7).convert(ticks, 25_000_000, 3).tolist() == [10, 10]
