# SPDX-License-Identifier: MIT
"""Whole updates over the air: offered, received, tried, and kept or refused, as the field has it.

Every case begins on the base image 0.9.0 and ends with the same verdict from outside of the firmware: the
board answers, the probe reads an allowed image where the core runs, the service has the job as it should be,
and the next good update succeeds. What hangs on the protocol runs over each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.updates import OF_UPDATES, PROTOCOLS, REFUSED

if TYPE_CHECKING:
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.updates import Updates

pytestmark = [*OF_UPDATES]

SLOWLY = 60_000  # bytes a second: a file takes seconds, in which something can happen
BLOCKS = 10  # there when it does
TEST_MS = 4_000  # of a self-test that must run out of time

over_each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


def requirement(name: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("OTA_E2E", name)


def begin(updates: Updates, protocol: str, *, lifetime_s: int = 3_600, automatic: int = 1) -> str:
    """The board stands on its base and has received some blocks of 0.9.1, which come slowly."""
    updates.base()
    updates.online(blocks=2, automatic=automatic)
    updates.cloud.fault("slow_link", bytes_per_s=SLOWLY)
    job = updates.offer("0.9.1", protocol, lifetime_s=lifetime_s)
    updates.agent.await_blocks(BLOCKS)
    return job


def throw_out(updates: Updates, rival: MqttPeer) -> None:
    """Another client takes the board's identifier; returns when the agent has lost its connection."""
    since = updates.board.console.mark()
    with rival:
        updates.agent.await_event("lost", since)


@requirement("GreaterVersion")
@over_each_protocol
def test_greater_version(updates: Updates, protocol: str) -> None:
    updates.base()
    job = updates.update("0.9.1", protocol)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)


@requirement("BackToBackDownload")
@over_each_protocol
def test_back_to_back_downloads(updates: Updates, protocol: str) -> None:
    """0.9.1, 0.9.2, and 0.9.3 as the next good update."""
    updates.base()
    updates.update("0.9.1", protocol)
    job = updates.update("0.9.2", protocol)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.2"}, then="0.9.3", protocol=protocol)


@requirement("SameVersion")
def test_same_version(updates: Updates) -> None:
    updates.base()
    updates.online()
    job = updates.offer("0.9.0", "mqtt-cbor")
    updates.verdict(job=job, runs={"0.9.0"})


@requirement("PreviousVersion")
def test_previous_version(updates: Updates) -> None:
    updates.base("0.9.1")
    updates.online()
    job = updates.offer("0.9.0", "mqtt-cbor")
    updates.verdict(job=job, runs={"0.9.1"})


@requirement("DisconnectAndResume")
@over_each_protocol
def test_disconnect_and_resume(updates: Updates, protocol: str, mqtt_rival: MqttPeer) -> None:
    """Blocks that were there before the connection was lost are not asked for again."""
    job = begin(updates, protocol, automatic=0)
    throw_out(updates, mqtt_rival)
    updates.cloud.clear()
    assert updates.agent.await_state("staged").integer("resumed") >= BLOCKS
    since = updates.board.console.mark()
    updates.agent.ask("ota.activate")
    updates.booted(since, "0.9.1")
    updates.online()
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)


@requirement("DisconnectCancelUpdate")
@over_each_protocol
def test_disconnect_cancel_update(updates: Updates, protocol: str, mqtt_rival: MqttPeer) -> None:
    job = begin(updates, protocol)
    throw_out(updates, mqtt_rival)
    updates.cloud.cancel(job, force=True)
    updates.agent.await_state("ready")
    updates.verdict(job=job, status="CANCELED", runs={"0.9.0"}, protocol=protocol)


@requirement("CancelThenUpdate")
@over_each_protocol
def test_cancel_then_update(updates: Updates, protocol: str) -> None:
    job = begin(updates, protocol)
    updates.cloud.cancel(job, force=True)
    updates.agent.await_state("ready")
    updates.verdict(job=job, status="CANCELED", runs={"0.9.0"}, protocol=protocol)


@requirement("TwoUpdatesCancelFirst")
@over_each_protocol
def test_two_updates_cancel_first(updates: Updates, protocol: str) -> None:
    first = begin(updates, protocol)
    since = updates.board.console.mark()
    second = updates.offer("0.9.2", protocol)
    updates.cloud.cancel(first, force=True)
    updates.cloud.clear()
    updates.booted(since, "0.9.2")
    updates.online()
    assert updates.await_job(first, "CANCELED")
    updates.verdict(job=second, status="SUCCEEDED", runs={"0.9.2"}, protocol=protocol)


@requirement("RollbackIfUnableToConnectAfterUpdate")
@over_each_protocol
def test_rollback_if_unable_to_connect_after_update(updates_tls: Updates, protocol: str) -> None:
    """The new image shows the broker no certificate, and is let in nowhere."""
    updates_tls.base()
    updates_tls.online()
    since = updates_tls.board.console.mark()
    job = updates_tls.offer("no_network", protocol)
    updates_tls.see_out(job, since, test_ms=TEST_MS)
    assert updates_tls.boots(since) == ["0.9.1", "0.9.0"]
    updates_tls.verdict(job=job, runs={"0.9.0"}, protocol=protocol)


@requirement("ImageCrashed")
@over_each_protocol
def test_image_crashed(updates: Updates, protocol: str) -> None:
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    job = updates.offer("crash_on_boot", protocol)
    updates.see_out(job, since)
    assert updates.boots(since) == ["0.9.1", "0.9.0"]
    updates.verdict(job=job, runs={"0.9.0"}, protocol=protocol)


@requirement("PresignedUrlExpired")
def test_presigned_url_expired(updates: Updates) -> None:
    job = begin(updates, "http", lifetime_s=60)
    updates.cloud.advance(3_600)
    updates.cloud.clear()
    updates.verdict(job=job, runs={"0.9.0"}, protocol="http")


@requirement("MissingFilename")
@over_each_protocol
def test_missing_filename(updates: Updates, protocol: str) -> None:
    updates.base()
    updates.online()
    updates.cloud.fault("missing_field", field="filepath")
    job = updates.offer("0.9.1", protocol)
    updates.verdict(job=job, status=REFUSED, runs={"0.9.0"}, protocol=protocol)


@pytest.mark.parametrize(
    ("blocks", "block"),
    [
        pytest.param(1, 4_096, marks=requirement("MinimumBlocksPerRequest"), id="minimum"),
        pytest.param(128, 1_024, marks=requirement("MaximumBlocksPerRequest"), id="maximum"),
    ],
)
@over_each_protocol
def test_blocks_per_request(updates: Updates, protocol: str, blocks: int, block: int) -> None:
    """One, and 128 of 1 KiB: the service sends 128 KiB at most."""
    updates.base()
    job = updates.update("0.9.1", protocol, blocks=blocks, block=block)
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)
