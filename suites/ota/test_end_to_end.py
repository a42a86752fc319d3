# SPDX-License-Identifier: MIT
"""Whole updates over the air: offered, received, tried, and kept or refused, as the field has it.

Every case begins on the base image 0.9.0 and ends with the same verdict from outside of the firmware: the
board answers, the probe reads an allowed image where the core runs, the service has the job as it should be,
and the next good update succeeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import PROTOCOLS

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [
    pytest.mark.board_feature("ota"),
    pytest.mark.board_feature("bootloader"),
    pytest.mark.arrangement(clock="free", network=True, ota=True),
]


@pytest.mark.requirement("OTA_E2E", "GreaterVersion")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_greater_version(updates: Updates, protocol: str) -> None:
    updates.base()
    job = updates.update("0.9.1", protocol)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)
