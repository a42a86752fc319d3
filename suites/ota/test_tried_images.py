# SPDX-License-Identifier: MIT
"""Images that lie in a slot and ask to be tried: which of them run, how often, and what is left of them.

They are staged by the probe, so that no agent looks at them before the bootloader does. The verdict is that
of every update case: the board answers, an allowed image runs, the next good update, into the same slot,
succeeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.image.ladder import COUNTER
from rig.pytest_plugin.updates import OF_UPDATES

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

HEADERS = ("header_length_lies", "oversize_slot", "wrong_load_addr")
"""Faults of what an image says of itself; the agent looks at some of them before a reboot."""


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_Staged", name)


def stage(updates: Updates, image: bytes, base: str = "0.9.0") -> None:
    """Slot B asks for that image to be tried, slot A holds the base, confirmed; and the board has booted."""
    updates.base(base)
    updates.place("b", image, "test")
    updates.reset()


@requirement("TriedOnce")
@pytest.mark.parametrize("by", ["reset", "power"])
def test_image_that_nobody_confirms_is_tried_once(updates: Updates, by: str) -> None:
    stage(updates, updates.image("0.9.1", "b"))
    updates.slots.check_runs({"0.9.1"}, {"b"})
    for _ in range(2):
        if by == "reset":
            updates.reset()
        else:
            updates.board.power_cycle()
        updates.slots.check_runs({"0.9.0"}, {"a"})
    updates.verdict(runs={"0.9.0"})


@requirement("CounterOfTriedImage")
def test_counter_of_a_tried_image_does_not_lock_out_the_old_one(updates: Updates) -> None:
    stage(updates, updates.firmware.signed("0.9.1", "b", COUNTER + 1))
    updates.slots.check_runs({"0.9.1"}, {"b"})
    updates.reset()
    updates.slots.check_runs({"0.9.0"}, {"a"})
    updates.verdict(runs={"0.9.0"})


@requirement("NoNewerVersion")
@pytest.mark.parametrize("version", ["0.9.0", "0.9.1"], ids=["older", "same"])
def test_image_that_is_no_newer_is_not_tried(updates: Updates, version: str) -> None:
    stage(updates, updates.image(version, "b"), base="0.9.1")
    updates.slots.check_runs({"0.9.1"}, {"a"})
    updates.verdict(runs={"0.9.1"})


@requirement("HeaderLies")
@pytest.mark.parametrize("fault", HEADERS)
def test_image_whose_header_lies_is_not_tried(updates: Updates, fault: str) -> None:
    stage(updates, updates.bad(fault, "b"))
    updates.slots.check_runs({"0.9.0"}, {"a"})
    updates.verdict(runs={"0.9.0"})
