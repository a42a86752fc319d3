# SPDX-License-Identifier: MIT
"""Files that the agent has refused: what was written before it knew is never run, and costs no reboot.

That they are refused is judged elsewhere; here, what is so afterwards, up to and over the next boot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import OF_UPDATES, REFUSED

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

PROTOCOL = "mqtt-cbor"


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_Refused", name)


@requirement("NotRunLater")
def test_file_that_was_refused_is_not_run_at_the_next_boot(updates: Updates) -> None:
    """The image in it is good, and only the job's signature is not: a bootloader would take it."""
    updates.base()
    updates.online()
    another = updates.signer.sign(b"another file")
    job = updates.offer("0.9.1", PROTOCOL, sign=lambda _: another)
    updates.await_job(job, *REFUSED)
    updates.reset()
    updates.verdict(job=job, runs={"0.9.0"})


@requirement("NoReboot")
@pytest.mark.parametrize("version", ["0.9.0", "0.9.1"], ids=["older", "same"])
def test_version_that_is_no_newer_costs_no_reboot(updates: Updates, version: str) -> None:
    updates.base("0.9.1")
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer(version, PROTOCOL)
    updates.await_job(job, *REFUSED)
    assert updates.boots(since) == []
    updates.verdict(job=job, runs={"0.9.1"})
