# SPDX-License-Identifier: MIT
"""Wiring of the project's own tests: says the seed of their samples, before any worker starts.

No example of a property is timed: how long one takes says how busy the host is.
"""

from __future__ import annotations

from hypothesis import settings

from tests.seeds import SEED

settings.register_profile("rig", deadline=None)
settings.load_profile("rig")


def pytest_report_header() -> str:
    """The line above the tests, which repeats their samples."""
    return f"samples: RIG_TEST_SEED={SEED}"
