# SPDX-License-Identifier: MIT
"""Images that must not run, offered with a good signature of the job: what is wrong is the image itself.

Where it is found, by the agent before the reboot or by the bootloader after it, is the board's matter; what
must be true then is the same. Two images that only look wrong must run. None of it depends on how an image
comes, so each comes once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import LONG_S, NEXT, OF_UPDATES

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

NOT_TO_RUN = (
    "unsigned",
    "wrong_key",
    "wrong_alg",
    "sig_bitflip",
    "body_bitflip",
    "header_bitflip",
    "tlv_bitflip",
    "tlv_truncated",
    "one_byte",
    "zero_length",
    "oversize_slot",
    "erased_ff",
    "non_runnable_signed",
    "wrong_load_addr",
    "wrong_board_id",
)
GOOD = ("extra_trailing_bytes", "exact_slot")


@pytest.mark.requirement("OTA_FAULT", "image_refused")
@pytest.mark.parametrize("fault", NOT_TO_RUN)
def test_image_does_not_run(updates: Updates, fault: str) -> None:
    job, _ = offered(updates, fault)
    updates.verdict(job=job, runs={"0.9.0"})


@pytest.mark.requirement("OTA_FAULT", "image_taken")
@pytest.mark.parametrize("fault", GOOD)
def test_image_runs_in_spite_of_how_it_looks(updates: Updates, fault: str) -> None:
    """What runs is compared byte by byte: filled up to a slot's end it is none of the ladder's."""
    job, pair = offered(updates, fault)
    updates.await_job(job, "SUCCEEDED")
    slot, image = updates.slots.running()
    assert (slot, image.version_text) == ("b", "0.9.1")
    assert updates.slots.content(slot).startswith(pair[1])
    updates.update(NEXT, "mqtt-cbor")
    updates.runs({NEXT})


def offered(updates: Updates, fault: str) -> tuple[str, tuple[bytes, bytes]]:
    """A job with that image for each slot, once it has ended; and the images."""
    updates.base()
    updates.online()
    pair = (updates.bad(fault, "a"), updates.bad(fault, "b"))
    since = updates.board.console.mark()
    job = updates.offer(pair, "mqtt-cbor")
    updates.see_out(job, since, within_s=LONG_S)
    return job, pair
