# SPDX-License-Identifier: MIT
"""Wiring of the project's own tests: the seed of their samples is said, and the long files begin first.

A worker that begins a long file last is waited for by the others. No example of a property is timed: how long
one takes says how busy the host is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.seeds import SEED

LONG: Final = (
    *("e2e/test_e2e_reports", "e2e/test_e2e_stopped", "e2e/test_e2e_same_results", "e2e/test_e2e_compare"),
    *("e2e/test_e2e_nightly", "e2e/test_e2e_side_by_side", "defects/test_defects_are_caught"),
    *("responder/test_responder", "e2e/test_e2e_misbehaving", "e2e/test_e2e_stopped_side_by_side"),
    *("test_wheel", "e2e/test_e2e_soak", "e2e/test_e2e_kernel_variants", "e2e/test_e2e_heap_schemes"),
    *("emulator/test_bootloader", "e2e/test_e2e_played_mqtt", "e2e/test_e2e_lost_board"),
    *("e2e/test_e2e_second_broker", "e2e/test_e2e_power_cuts", "firmware/test_boot_on_host"),
)
"""The files that take more than half a minute each, the longest first, by ``--durations``."""
_TESTS: Final = Path(__file__).parent

settings.register_profile("rig", deadline=None)
settings.load_profile("rig")


def pytest_report_header() -> str:
    """The line above the tests, which repeats their samples."""
    return f"samples: RIG_TEST_SEED={SEED}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first; the others stay in their order."""
    rank = {_TESTS / f"{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
