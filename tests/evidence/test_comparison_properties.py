# SPDX-License-Identifier: MIT
"""What must hold of any two runs: the comparison back is the mirror image of the comparison there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.evidence.comparison import Change, Word
from rig.evidence.regression import compare

if TYPE_CHECKING:
    from tests.evidence.paired_runs import Taken, loaded
else:
    from paired_runs import Taken, loaded

MIRROR = {
    Word.REGRESSED: Word.IMPROVED,
    Word.IMPROVED: Word.REGRESSED,
    Word.NEW: Word.GONE,
    Word.GONE: Word.NEW,
}
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
SERIES = st.one_of(
    st.lists(st.integers(0, 12), min_size=1, max_size=40),
    st.lists(st.integers(-(2**40), 2**40), min_size=8, max_size=40),
    st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=8, max_size=40),
    st.builds(lambda value, n: [value] * n, st.integers(0, 5000), st.integers(1, 40)),
)
ROW = st.builds(
    lambda samples, unit: Taken(samples=samples, unit=unit),
    SERIES,
    st.sampled_from(["ns", "1/s", "instructions", "1"]),
)
ROWS = st.dictionaries(st.sampled_from(["m", "x", "heap.free"]), ROW, max_size=3)


@FEW
@given(ROWS, ROWS, st.sampled_from(["exact", "hardware"]))
def test_there_and_back_are_mirror_images(
    before: dict[str, Taken], after: dict[str, Taken], clock: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one = loaded(Path(folder), before, clock=clock)
        other = loaded(Path(folder), after, clock=clock, image="bb")
        there, back = compare(one, other), compare(other, one)
    of_back = {change.row.name: change for change in back.changes}
    assert {change.row.name for change in there.changes} == of_back.keys()
    assert {row.row.name for row in there.incomparable} == {row.row.name for row in back.incomparable}
    for change in there.changes:
        assert_mirrored(change, of_back[change.row.name])


def assert_mirrored(there: Change, back: Change) -> None:
    mirrored = there.verdict if there.mixed else MIRROR.get(there.verdict, there.verdict)
    assert (back.verdict, back.mixed, back.figure) == (mirrored, there.mixed, there.figure)
    assert back.p_value == there.p_value
    for name, moved in there.figures.items():
        assert back.figures[name].delta == -moved.delta
        assert (back.figures[name].before, back.figures[name].after) == (moved.after, moved.before)


@FEW
@given(ROWS, st.sampled_from(["exact", "hardware"]))
def test_a_run_does_not_differ_from_itself(rows: dict[str, Taken], clock: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = loaded(Path(folder), rows, clock=clock)
        comparison = compare(run, run)
    assert {change.verdict for change in comparison.changes} <= {Word.UNCHANGED}
    assert not comparison.regressed
