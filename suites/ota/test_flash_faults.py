# SPDX-License-Identifier: MIT
"""Flash that does not take what is written, has a bit that is stuck, or holds other bytes than were verified.

The first three are the flash model's of an emulated board; on silicon they cannot be made, and are SKIPPED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import LONG_S, OF_UPDATES

if TYPE_CHECKING:
    from rig.pytest_plugin.nor_flash import NorControl
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]


@pytest.mark.requirement("OTA_FAULT", "flash_write_fail")
def test_write_that_fails_while_blocks_come(updates: Updates, nor: NorControl) -> None:
    updates.base()
    updates.online(blocks=4)
    updates.cloud.fault("slow_link", bytes_per_s=60_000)
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.agent.await_blocks(8)
    nor.fail("program")
    updates.await_job(job, "FAILED")
    nor.calm()
    updates.verdict(job=job, runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "flash_write_fail")
def test_write_that_fails_when_the_image_is_to_be_kept(updates: Updates, nor: NorControl) -> None:
    """An image whose confirmation was not taken is gone at the next reset, and nobody may say otherwise."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.booted(since, "0.9.1")
    nor.fail("program")
    since = updates.board.console.mark()
    updates.online()
    updates.booted(since, "0.9.0")
    nor.calm()
    updates.online()
    updates.verdict(job=job, runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "flash_erase_fail")
def test_erase_that_fails(updates: Updates, nor: NorControl) -> None:
    updates.base()
    updates.online()
    nor.fail("erase")
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.await_job(job, "FAILED")
    nor.calm()
    updates.verdict(job=job, runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "flash_stuck_bit")
@pytest.mark.parametrize("where", ["image", "trailer"])
def test_bit_that_is_stuck(updates: Updates, nor: NorControl, where: str) -> None:
    """A byte that stays erased, in the middle of the image or in the mark that has it tried."""
    updates.base()
    updates.online()
    layout, image = updates.firmware.layout, updates.image("0.9.1", "b")
    middle = len(image) // 2
    zero = next(at for at in range(middle, len(image)) if image[at] != 0xFF)
    at = zero if where == "image" else layout.slot_size - 8
    nor.stick(layout.slot_b + at, 0xFF)
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.await_job(job, "FAILED")
    nor.calm()
    updates.verdict(job=job, runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "flash_staged_image_replaced")
@pytest.mark.parametrize("fault", ["unsigned", "body_bitflip", "wrong_board_id"])
def test_image_that_was_replaced_after_it_was_verified(updates: Updates, fault: str) -> None:
    """Between the agent's word and the reboot another one is put in its place: the bootloader looks again."""
    updates.base()
    updates.online(automatic=0)
    job = updates.offer("0.9.1", "mqtt-cbor")
    updates.agent.await_state("staged")
    updates.place("b", updates.bad(fault, "b"), "test")
    updates.reset()
    updates.runs({"0.9.0"})
    since = updates.board.console.mark()
    updates.online()
    updates.see_out(job, since, within_s=LONG_S)
    updates.verdict(job=job, runs={"0.9.0"})
