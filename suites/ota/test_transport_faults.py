# SPDX-License-Identifier: MIT
"""Blocks, servers and connections that misbehave while an image comes, on each way that it can come.

What passes costs time and nothing else: the update succeeds. What stays fails the job, and what ran before
runs. Each fault is made by the service, or where it says so, and must have been made, or the case fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from rig.pytest_plugin.updates import LONG_S, OF_UPDATES, PROTOCOLS
from rig.services.network.faults import HalfOpen

if TYPE_CHECKING:
    from rig.pytest_plugin.mqtt import ByteProxyFor
    from rig.pytest_plugin.ota import OtaCloud
    from rig.pytest_plugin.updates import Updates
    from rig.services.network.byte_proxy import ByteProxy
    from rig.services.service_set import ServiceSet

pytestmark = [*OF_UPDATES]

BLOCKS = 8
"""Of one request: an image then comes in some ten, and over HTTP in as many ranges, which faults name."""
KEEPALIVE_S = 5
PASSES: Mapping[str, Mapping[str, Any]] = {
    "block_lost": {"block": 3},
    "block_duplicate": {"block": 4},
    "block_reordered": {"block": 5},
    "block_wrong_size": {"block": 6},
    "block_out_of_range": {"block": 2},
    "stream_rejected": {},
    "silent_server": {"times": 2},
    "slow_link": {"bytes_per_s": 100_000},
}
STAYS: Mapping[str, Mapping[str, Any]] = {
    "block_corrupt": {"block": 3},
    "stream_version_mismatch": {},
    "silent_server": {},
}
MOMENTS = ("broker_restart", "client_id_takeover")


@pytest.mark.requirement("OTA_FAULT", "transport_passes")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", PASSES)
def test_fault_that_passes_costs_time(updates: Updates, fault: str, protocol: str) -> None:
    updates.base()
    updates.online(blocks=BLOCKS)
    updates.cloud.fault(fault, **PASSES[fault])
    succeeds(updates, fault, protocol)


@pytest.mark.requirement("OTA_FAULT", "transport_block_wrong_file")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_block_of_the_other_file(updates: Updates, protocol: str) -> None:
    """Over MQTT a block says of which file it is and can be let go; over HTTP only the signature can tell."""
    updates.base()
    updates.online(blocks=BLOCKS)
    updates.cloud.fault("block_wrong_file", block=3)
    if protocol == "http":
        fails(updates, "block_wrong_file", protocol)
    else:
        succeeds(updates, "block_wrong_file", protocol)


@pytest.mark.requirement("OTA_FAULT", "transport_stays")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", STAYS)
def test_fault_that_stays_fails_the_job(updates: Updates, fault: str, protocol: str) -> None:
    """Also a server that says nothing is given up at some time."""
    updates.base()
    updates.online(blocks=BLOCKS, tries=3, wait_ms=1_000)
    updates.cloud.fault(fault, **STAYS[fault])
    fails(updates, fault, protocol)


@pytest.mark.requirement("OTA_FAULT", "transport_connection")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", MOMENTS)
def test_connection_that_ends_at_a_block(
    updates: Updates, local_ota: OtaCloud, fault: str, protocol: str
) -> None:
    """The broker is restarted, or another client takes the board's identifier over."""
    updates.base()
    updates.online(blocks=BLOCKS)
    local_ota.fault(fault, block=5)
    succeeds(updates, fault, protocol)


@pytest.fixture
def to_break(updates: Updates, services: ServiceSet, byte_proxy: ByteProxyFor) -> ByteProxy:
    """A proxy before the broker, through which the board on its base is connected."""
    if services.mqtt is None:
        pytest.skip("the services that were given have no broker without TLS")
    proxy = byte_proxy(services.mqtt)
    updates.base()
    updates.agent.ask("net.up", ms=30_000)
    updates.agent.mqtt.connect(proxy.place.board, reconnect=True, keepalive_s=KEEPALIVE_S)
    return proxy


@pytest.mark.requirement("OTA_FAULT", "transport_half_open_tcp")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connection_that_nobody_ends(
    updates: Updates, local_ota: OtaCloud, to_break: ByteProxy, protocol: str
) -> None:
    """Half open at a block: the board hears nothing any more and must find that out by itself."""
    updates.online(blocks=BLOCKS)
    with ExitStack() as stack:

        def break_it() -> None:
            stack.enter_context(to_break.fault(HalfOpen()))

        local_ota.actions["half_open_tcp"] = break_it
        local_ota.fault("half_open_tcp", block=5)
        succeeds(updates, "half_open_tcp", protocol)


@pytest.mark.requirement("OTA_FAULT", "transport_tls")
@pytest.mark.board_feature("tls")
@pytest.mark.parametrize("protocol", ["mqtt-json", "mqtt-cbor", "https"])
def test_update_over_tls(updates_tls: Updates, protocol: str) -> None:
    """The broker with mutual TLS, and images from a server that must be the one it says."""
    updates_tls.base()
    job = updates_tls.update("0.9.1", protocol)
    updates_tls.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)


def succeeds(updates: Updates, fault: str, protocol: str) -> None:
    """An update with a fault that is on succeeds, and so does the one after it."""
    since = updates.board.console.mark()
    job = updates.offer("0.9.1", protocol)
    updates.see_out(job, since, within_s=LONG_S)
    assert updates.cloud.acted(fault) >= 1, f"the fault {fault} was not made"
    updates.verdict(job=job, status="SUCCEEDED", runs={"0.9.1"}, protocol=protocol)


def fails(updates: Updates, fault: str, protocol: str) -> None:
    """One with a fault that is on fails, and the one after it succeeds."""
    since = updates.board.console.mark()
    job = updates.offer("0.9.1", protocol)
    updates.see_out(job, since, within_s=LONG_S)
    assert updates.cloud.acted(fault) >= 1, f"the fault {fault} was not made"
    updates.verdict(job=job, runs={"0.9.0"}, protocol=protocol)
