# SPDX-License-Identifier: MIT
"""The honest measure as a test: false confirmed alarms a series-year, and nights to a step of 3 %.

A seeded sample as a rule, 2,000 series with RIG_EVIDENCE=1; ``benchmarks/regressions.py`` shows the figures
beside those of others.
"""

from __future__ import annotations

import os
from statistics import median

import pytest

from benchmarks.regressions import (
    CV,
    MOST_FALSE,
    MOST_NIGHTS,
    NIGHTS,
    STEP_NIGHT,
    Walk,
    flat,
    interval,
    nights_to_step,
    stepped,
)
from tests.seeds import SEED, dice

FULL = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
SERIES = 2000 if FULL else 16


@pytest.mark.slow
def test_false_alarms_of_years_in_which_nothing_changes() -> None:
    print(f"seed {SEED}, {SERIES} series")
    walks = [Walk(flat, CV, dice("flat", i)).nights(NIGHTS) for i in range(SERIES)]
    false = sum(len(walk.confirmed) for walk in walks)
    assert sum(walk.suspected for walk in walks) > 0  # it was not quiet because nothing was looked at
    low, _ = interval(false, SERIES)
    assert low <= MOST_FALSE
    if FULL:
        assert false / SERIES <= MOST_FALSE


@pytest.mark.slow
def test_nights_to_a_step_of_three_percent() -> None:
    waits = [nights_to_step(Walk(stepped, CV, dice("step", i))) for i in range(3 * SERIES)]
    assert median(waits) <= MOST_NIGHTS


def test_an_instruction_more_is_confirmed_in_its_first_night() -> None:
    walk = Walk(lambda night: 98.0 + (night >= STEP_NIGHT), 0.0, dice(), exact=True)
    assert walk.nights(STEP_NIGHT + 5).confirmed == [STEP_NIGHT]
