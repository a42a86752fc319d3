# SPDX-License-Identifier: MIT
"""Wiring of the project's own tests: the seed of their samples is said, and the long files begin first.

A worker that begins a long file last is waited for by the others. No example of a property is timed: how long
one takes says how busy the host is.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.seeds import SEED

LONG: Final = (
    *("e2e/test_e2e_reports", "e2e/test_e2e_nightly", "defects/test_defects_are_caught"),
    *("e2e/test_e2e_side_by_side", "e2e/test_e2e_compare", "e2e/test_e2e_same_results"),
    *("e2e/test_e2e_soak", "responder/test_responder", "test_wheel", "e2e/test_e2e_misbehaving"),
    *("e2e/test_e2e_kernel_variants", "e2e/test_e2e_heap_schemes", "e2e/test_e2e_stopped_side_by_side"),
    *("e2e/test_e2e_stopped", "e2e/test_e2e_ota_suite", "e2e/test_e2e_second_broker"),
    *("firmware/test_transport_header", "e2e/test_e2e_power_cuts", "firmware/test_boot_on_host"),
)
"""Files that take more than half a minute, the longest first, by ``--durations``."""
_BETWEEN: Final = 4
"""Short files after each long one: they mostly wait, and leave it a processor for itself."""
_TESTS: Final = Path(__file__).parent

settings.register_profile("rig", deadline=None)
settings.load_profile("rig")


def pytest_report_header() -> str:
    """The line above the tests, which repeats their samples."""
    return f"samples: RIG_TEST_SEED={SEED}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first, each followed by some of the others, which stay in their order."""
    files = list(dict.fromkeys(item.path for item in items))
    long = [path for name in LONG if (path := _TESTS / f"{name}.py") in files]
    short = iter([path for path in files if path not in long])
    order = [path for first in long for path in (first, *islice(short, _BETWEEN))] + list(short)
    rank = {path: place for place, path in enumerate(order)}
    items.sort(key=lambda item: rank[item.path])
