# SPDX-License-Identifier: MIT
"""Samples to bars: exact counts while values are few, bins that favour none beyond."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from reports.distribution import MOST_VALUES, distribution


def test_few_values_are_counted_exactly() -> None:
    found = distribution([84, 85, 84, 84])
    assert found is not None
    assert (found.left, found.count, found.exact) == ((84, 85), (3, 1), True)
    assert (found.low, found.high) == (84, 85)


def test_identical_samples_and_a_single_one_are_one_bar() -> None:
    for samples in ([7] * 2000, [7]):
        found = distribution(samples)
        assert found is not None
        assert (found.left, found.right, found.distinct) == ((7,), (7,), 1)


def test_nothing_finite_is_nothing() -> None:
    assert distribution([]) is None
    assert distribution([math.nan, math.inf]) is None


def test_what_is_not_finite_is_counted_apart() -> None:
    found = distribution([1.0, math.nan, math.inf, 2.0])
    assert found is not None
    assert (found.count, found.not_finite) == ((1, 1), 2)


def test_whole_numbers_fall_into_bins_of_whole_width() -> None:
    found = distribution(list(range(1000)))
    assert found is not None
    assert not found.exact
    widths = {right - left for left, right in zip(found.left, found.right, strict=True)}
    assert widths == {14}
    assert set(found.count[:-1]) == {14}


@given(st.lists(st.floats(-1e12, 1e12) | st.integers(-(2**40), 2**40), min_size=1, max_size=300))
def test_no_sample_is_lost(samples: list[float]) -> None:
    found = distribution(samples)
    assert found is not None
    assert sum(found.count) == len(samples)
    assert found.left[0] <= found.low <= found.high <= found.right[-1]
    assert found.distinct <= MOST_VALUES
