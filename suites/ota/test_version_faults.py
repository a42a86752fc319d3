# SPDX-License-Identifier: MIT
"""Images that are good and not newer: versions that are the same or older, and security counters.

Every image here runs where it may; only its place in the order is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import LONG_S, OF_UPDATES, REFUSED

if TYPE_CHECKING:
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]


def refused(updates: Updates, what: str | tuple[bytes, bytes], runs: str) -> None:
    """That job ends in a refusal, what ran before runs, and the verdict holds."""
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer(what, "mqtt-cbor")
    updates.see_out(job, since, within_s=LONG_S)
    updates.verdict(job=job, runs={runs})


@pytest.mark.requirement("OTA_FAULT", "version_same")
def test_same_version_is_refused(updates: Updates) -> None:
    updates.base("0.9.1")
    refused(updates, "0.9.1", "0.9.1")


@pytest.mark.requirement("OTA_FAULT", "version_older")
@pytest.mark.parametrize("version", ["0.9.0", "0.9.1"])
def test_older_version_is_refused(updates: Updates, version: str) -> None:
    updates.base("0.9.2")
    refused(updates, version, "0.9.2")


@pytest.mark.requirement("OTA_FAULT", "version_older_after_rollback")
def test_older_version_is_refused_after_a_rollback(updates: Updates) -> None:
    """A newer image was tried and refused: what came back is what the next one is compared with."""
    updates.base("0.9.1")
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer("0.9.2", "mqtt-cbor")
    updates.booted(since, "0.9.2")
    since = updates.board.console.mark()
    updates.agent.reject()
    updates.booted(since, "0.9.1")
    updates.online()
    updates.await_job(job, *REFUSED)
    refused(updates, "0.9.0", "0.9.1")


@pytest.mark.requirement("OTA_FAULT", "version_tried_again_after_rollback")
def test_version_that_was_rolled_back_may_come_again(updates: Updates) -> None:
    """The failure may have been the network's: a new job with the same version is tried like any other."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    updates.offer("0.9.1", "mqtt-cbor")
    updates.booted(since, "0.9.1")
    since = updates.board.console.mark()
    updates.agent.reject()
    updates.booted(since, "0.9.0")
    job = updates.update("0.9.1", "mqtt-cbor")
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"})


@pytest.mark.requirement("OTA_FAULT", "version_counter")
@pytest.mark.parametrize("fault", ["security_counter_lower", "counter_missing"])
def test_security_counter_that_is_too_low_or_missing(updates: Updates, fault: str) -> None:
    """The version is newer; the image that runs and is confirmed has raised the counter's floor."""
    updates.base()
    refused(updates, (updates.bad(fault, "a"), updates.bad(fault, "b")), "0.9.0")
