# SPDX-License-Identifier: MIT
"""How long an update over the air takes, stage by stage, and what it costs of memory, flash and traffic.

On the paced clock. Times are taken outside, from the board's events on the run's clock; the context of each
figure says so. The image is the whole network firmware of the ladder, about 300 KB. In evidence every cell is
measured in full, else a small sample of each.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.pytest_plugin.board_marks import memory_marks
from rig.pytest_plugin.latency import ON_HOST, PATIENCE_S, WHOLE, amount
from rig.pytest_plugin.update_times import StateTimes, host_fetch_us
from rig.pytest_plugin.updates import PROTOCOLS, REBOOT_S

if TYPE_CHECKING:
    from rig.events import Scalar
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.update_times import FlashWear
    from rig.pytest_plugin.updates import Updates

pytestmark = [
    pytest.mark.board_feature("ota"),
    pytest.mark.board_feature("bootloader"),
    pytest.mark.arrangement(clock="paced", network=True, ota=True),
]

OUTSIDE = "outside, from the board's events"
CELLS = [(1024, 1), (1024, 16), (4096, 1), (4096, 4), (4096, 16), (16_384, 1), (16_384, 8), (65_536, 2)]
SAMPLED = [(4096, 1), (4096, 16)]
"""Bytes of a block, and how many are asked for at once: at most 128 KB a request."""
VERSION, SLOT = "0.9.1", "b"
TEST_MS = 60_000
"""Of a self-test that no dialogue with the rig may outlast."""


def size_of(updates: Updates) -> int:
    return len(updates.image(VERSION, SLOT))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("block", "blocks"), CELLS if WHOLE else SAMPLED)
def test_download(
    updates: Updates, measure: CaseMeasure, mqtt_peer: MqttPeer, protocol: str, block: int, blocks: int
) -> None:
    """What the board receives and writes, the slot's erasure included, by block size and blocks in flight."""
    rate = measure.declare(f"ota.download.{protocol}.{block}x{blocks}", "kB/s", "p50")
    size, rates = size_of(updates), []
    for _ in range(amount(3, 1)):
        updates.base()
        updates.online(automatic=0, block=block, blocks=blocks)
        times = StateTimes(updates.board, updates.board.console.mark())
        updates.offer(VERSION, protocol)
        begun_ns, ended_ns = times.at_ns("receiving"), times.at_ns("verifying")
        rates.append(size / (ended_ns - begun_ns) * 1e6)
        updates.agent.await_state("staged")
        updates.agent.ask("ota.cancel")
    facts: dict[str, Scalar] = {"bytes": size, "block": block, "blocks": blocks, "protocol": protocol}
    rate.samples(rates, {**facts, "client": "board", "taken": OUTSIDE})
    if protocol == "mqtt-cbor":
        host = measure.declare(f"ota.download.host.{block}x{blocks}", "kB/s", "p50")
        content = updates.image(VERSION, SLOT)
        took = [host_fetch_us(updates, mqtt_peer, content, block, blocks) for _ in range(amount(5, 2))]
        host_facts = {**facts, "client": "host", "taken": ON_HOST}
        host.samples([size / us * 1000 for us in took], host_facts)


STAGES = ("offer", "download", "verify", "swap", "boot", "online", "confirm", "report")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_stages(updates: Updates, measure: CaseMeasure, protocol: str) -> None:
    """From the offer to SUCCEEDED. Swap is the mark, the last word to the service, and the reset.

    ``away`` is the time without service: from the order to reboot until the agent is at its broker again. The
    rig brings it there by commands, as the operator of a board without an application would.
    """
    declared = {name: measure.declare(f"ota.{name}.{protocol}", "ms", "p50") for name in (*STAGES, "away")}
    taken: dict[str, list[float]] = {name: [] for name in declared}
    for _ in range(amount(5, 1)):
        for name, ms in staged_ms(updates, protocol).items():
            taken[name].append(ms)
    facts: dict[str, Scalar] = {"bytes": size_of(updates), "client": "board", "line": "idle"}
    facts["taken"] = OUTSIDE
    for name, one in declared.items():
        one.samples(taken[name], {**facts, "operation": f"ota.{name}.{protocol}"})


def staged_ms(updates: Updates, protocol: str) -> dict[str, float]:
    """The stages of one update, each from the end of the one before."""
    board, now_ns = updates.board, updates.board.clock.now_ns
    updates.base()
    updates.online(automatic=0)
    since = board.console.mark()
    times = StateTimes(board, since)
    at = [now_ns()]
    job = updates.offer(VERSION, protocol)
    at += [times.at_ns(state) for state in ("receiving", "verifying", "staged")]
    updates.agent.ask("ota.activate")
    at.append(board.console.expect(rb"boot: cause=", Deadline.after(REBOOT_S), since=since).t_ns)
    updates.booted(since, VERSION)
    at.append(now_ns())
    updates.online(automatic=0, test_ms=TEST_MS)
    at.append(now_ns())
    updates.agent.await_state("testing")
    updates.agent.ask("ota.confirm")
    at.append(now_ns())
    updates.await_job(job, "SUCCEEDED")
    at.append(now_ns())
    spans = [(after - before) / 1e6 for before, after in pairwise(at)]
    found = dict(zip(STAGES, spans, strict=True))
    return {**found, "away": found["swap"] + found["boot"] + found["online"]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_memory_and_wear(
    updates: Updates, measure: CaseMeasure, flash_wear: FlashWear, protocol: str
) -> None:
    """The most that stacks and heaps held over a download, and what it cost the flash, from one boot."""
    updates.base()
    updates.online(automatic=0)
    flash_wear.begin()
    job = updates.offer(VERSION, protocol)
    updates.agent.await_state("receiving", "verifying", "staged")
    while updates.agent.status()["state"] == "receiving":
        flash_wear.look()
    updates.agent.await_state("staged")
    flash_wear.look()
    facts: dict[str, Scalar] = {"bytes": size_of(updates), "protocol": protocol}
    wear = {"erases": flash_wear.erases.total(), "programs": flash_wear.programs}
    for name, count in wear.items():
        measure.declare(f"ota.flash.{name}.{protocol}", "1").value(count, facts)
    most = measure.declare(f"ota.flash.wear.{protocol}", "1")
    most.value(max(flash_wear.erases.values()), facts)
    for place, (used, size) in memory_marks(updates.board).items():
        name = f"ota.memory.{protocol}.{place.replace(' ', '_')}"
        measure.declare(name, "bytes").value(used, {**facts, "place": place, "size": size})
    updates.agent.ask("ota.cancel")
    updates.await_job(job, "FAILED")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_resumed(updates: Updates, measure: CaseMeasure, mqtt_rival: MqttPeer, protocol: str) -> None:
    """The connection is lost in the middle: bytes that were there already, and those that came twice."""
    resumed = measure.declare(f"ota.resumed.{protocol}", "bytes")
    sent = measure.declare(f"ota.resumed.sent.{protocol}", "bytes")
    updates.base()
    updates.online(automatic=0, block=4096, blocks=4)
    total, size = -(-size_of(updates) // 4096), size_of(updates)
    updates.cloud.fault("slow_link", bytes_per_s=100_000)
    job = updates.offer(VERSION, protocol)
    updates.agent.await_blocks(total // 2)
    since = updates.board.console.mark()
    with mqtt_rival:
        updates.agent.await_event("lost", since)
    updates.cloud.clear()
    said = updates.agent.await_state("staged", within_s=PATIENCE_S)
    stream = updates.cloud.job(job)["stream"]
    facts: dict[str, Scalar] = {"bytes": size, "protocol": protocol, "fault": "connection lost at half"}
    resumed.value(said.integer("resumed") * 4096, facts)
    sent.value(updates.cloud.counts()[stream]["payload_bytes"], facts)
    assert said.integer("resumed") >= total // 2
    updates.agent.ask("ota.cancel")
