# SPDX-License-Identifier: MIT
"""Wiring of the project's own tests: says the seed of their samples, before any worker starts."""

from __future__ import annotations

from tests.seeds import SEED


def pytest_report_header() -> str:
    """The line above the tests, which repeats their samples."""
    return f"samples: RIG_TEST_SEED={SEED}"
