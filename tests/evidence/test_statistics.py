# SPDX-License-Identifier: MIT
"""Figures of a series: observed quantiles, NaN, and what is no series."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from rig.evidence.statistics import STATISTICS, UNSET, Summary, as_series, summarise, summarise_value


@pytest.mark.parametrize("n", [1, 2, 3, 10, 99, 100, 101, 999, 1000, 1001, 2500])
def test_quantiles_are_those_of_inverted_cdf(n: int) -> None:
    samples = random.Random(n).sample(range(10**6), n)
    summary = summarise(samples)
    expected = [sorted(samples)[math.ceil(n * q / 1000) - 1] for q in (500, 900, 990, 999)]
    assert [summary.p50, summary.p90, summary.p99, summary.p999] == expected
    assert summary.p50 == np.quantile(samples, 0.5, method="inverted_cdf")
    assert (summary.n, summary.min, summary.max) == (n, min(samples), max(samples))


def test_mean_and_sd() -> None:
    summary = summarise([2, 4, 4, 4, 5, 5, 7, 9])
    assert summary.mean == 5
    assert summary.sd == pytest.approx(math.sqrt(32 / 7))


def test_constant_series_has_no_spread() -> None:
    x = 0.1
    assert summarise([x] * 1000) == Summary(1000, x, x, x, x, x, x, x, 0.0)


def test_single_value_is_a_series_of_one() -> None:
    assert summarise_value(7) == summarise([7])
    assert summarise_value(7).statistic("value") == 7


def test_nan_makes_every_figure_nan() -> None:
    summary = summarise([1.0, math.nan, 3.0])
    assert summary.n == 3
    assert all(math.isnan(summary.statistic(name)) for name in STATISTICS if name != "value")


def test_infinity_does_not_warn() -> None:
    summary = summarise([1.0, math.inf, 3.0])
    assert summary.max == math.inf
    assert summary.p50 == 3.0


def test_no_samples_are_unset() -> None:
    assert summarise([]) is UNSET
    assert UNSET.n == 0


def test_unknown_statistic() -> None:
    with pytest.raises(ValueError, match="there are value, min"):
        summarise([1]).statistic("p42")


@pytest.mark.parametrize(
    "samples", [[[1, 2], [3, 4]], ["1", "2"], [True, False], [2**63], [2**70], [1, None], np.array(5)]
)
def test_what_is_no_series(samples: Any) -> None:
    with pytest.raises(ValueError, match=r"samples must be|does not fit"):
        as_series(samples)


def test_whole_numbers_stay_exact() -> None:
    assert as_series([2**53 + 1, -(2**63)]).tolist() == [2**53 + 1, -(2**63)]
    assert as_series(np.array([1, 2], dtype=np.uint32)).dtype == np.dtype("<i8")
    assert as_series(np.array([1.5], dtype=np.float32)).dtype == np.dtype("<f8")


def test_numpy_is_not_imported_until_there_is_a_series() -> None:
    parts = ("recorder", "reader", "limits", "export", "store")
    code = (
        f"import sys, {', '.join(f'rig.evidence.{part}' for part in parts)}; sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
