# SPDX-License-Identifier: MIT
"""How long an update over the air takes, stage by stage, and what it costs of memory, flash and traffic.

Stages are on the paced clock and by the board's counter, which its agent and its bootloader tell; the whole
update is on the free clock and by the host's, since its limit is one of real time. The image is the network
firmware of the ladder, about 320 KB. In evidence every cell is measured in full, else a small sample of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.board_marks import memory_marks
from rig.pytest_plugin.held_up import judged_where_host_lets_run
from rig.pytest_plugin.latency import BY_COUNTER, ON_HOST, PATIENCE_S, WHOLE, amount
from rig.pytest_plugin.update_times import UpdateTimes, host_fetch_us
from rig.pytest_plugin.updates import PROTOCOLS

if TYPE_CHECKING:
    from rig.events import Scalar
    from rig.image.slot_layout import Slot
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.measure import CaseMeasure, Declared
    from rig.pytest_plugin.update_times import FlashWear
    from rig.pytest_plugin.updates import Updates

pytestmark = [
    pytest.mark.board_feature("ota"),
    pytest.mark.board_feature("bootloader"),
    pytest.mark.board_feature("board-clock"),
    pytest.mark.arrangement(clock="paced", network=True, ota=True),
]

CELLS = [(1024, 1), (1024, 16), (4096, 1), (4096, 4), (4096, 16), (16_384, 1), (16_384, 8), (65_536, 2)]
SAMPLED = [(4096, 1), (4096, 16)]
"""Bytes of a block, and how many are asked for at once: at most 128 KB a request."""
VERSION = "0.9.1"
SLOT: Slot = "b"
LOST_BLOCK = 4096
LONGEST_S = 20.0
"""Of a whole update, as limits.toml has it."""
SPARE_S = 5.0
"""So long may the board wait for a processor of the host meanwhile."""
OFFER_TO_AGENT = "outside, from the order to the service until the board's event"
OFFER_TO_END = "outside, from the order to the service until it says SUCCEEDED"
STAGES = {
    "offer": "from the order until the agent takes the job up",
    "download": "the slot erased, all blocks received and written",
    "verify": "the file's hash and signature",
    "mark": "the slot marked, and the service told",
    "swap": "from the reset until the bootloader has judged both slots",
    "boot": "from there until commands are taken",
    "online": "network, session and job again, by the rig's commands",
    "confirm": "the service hears of the test, the image is kept",
    "report": "SUCCEEDED, until the service has taken it",
    "away": "without service: from the reset until the job is known again",
}


def cell(table: str, row: str, column: str, **more: Scalar) -> dict[str, Scalar]:
    """The context of a figure that is one cell of a report's table."""
    return {"table": table, "row": row, "column": column, **more}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("block", "blocks"), CELLS if WHOLE else SAMPLED)
def test_download(
    updates: Updates, measure: CaseMeasure, mqtt_peer: MqttPeer, protocol: str, block: int, blocks: int
) -> None:
    """What the board receives and writes, the slot's erasure included, by block size and blocks in flight."""
    rate = measure.declare(f"ota.download.{protocol}.{block}x{blocks}", "kB/s", "p50")
    content = updates.image(VERSION, SLOT)
    rates = [len(content) / download_ms(updates, protocol, block, blocks) for _ in range(amount(3, 1))]

    def context(column: str, taken: str) -> dict[str, Scalar]:
        sizes: dict[str, Scalar] = {"bytes": len(content), "block": block, "blocks": blocks}
        row = f"{blocks} × {block} B"
        return {**cell("Download rate by blocks in flight", row, column, taken=taken), **sizes}

    rate.samples(rates, context(protocol, BY_COUNTER))
    if protocol == "mqtt-cbor":
        host = measure.declare(f"ota.download.host.{block}x{blocks}", "kB/s", "p50")
        took = [host_fetch_us(updates, mqtt_peer, content, block, blocks) for _ in range(amount(5, 2))]
        host.samples([len(content) / us * 1000 for us in took], context("host, mqtt-cbor", ON_HOST))


def download_ms(updates: Updates, protocol: str, block: int, blocks: int) -> float:
    """One download to a board on its base, given up when it is staged."""
    updates.base()
    updates.online(automatic=0, block=block, blocks=blocks)
    times = UpdateTimes(updates.board, updates.board.console.mark())
    job = updates.offer(VERSION, protocol)
    took = times.between_ms(times.came_to("receiving"), times.came_to("verifying"))
    times.came_to("staged")
    updates.agent.ask("ota.cancel")
    updates.await_job(job, "FAILED")
    return took


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_stages(updates: Updates, measure: CaseMeasure, protocol: str) -> None:
    """Each stage of a good update, from the end of the one before; the rig brings the new image online."""
    taken = [staged_ms(updates, protocol) for _ in range(amount(5, 2))]
    size = len(updates.image(VERSION, SLOT))
    for name in taken[0]:
        context = cell("Stages of an update", name, protocol, bytes=size, what=STAGES[name])
        context["taken"] = OFFER_TO_AGENT if name == "offer" else BY_COUNTER
        declared = measure.declare(f"ota.{name}.{protocol}", "ms", "p50")
        declared.samples([one[name] for one in taken], context)


def staged_ms(updates: Updates, protocol: str) -> dict[str, float]:
    """The stages of one update; no ``swap`` where a bootloader does not say when it has chosen."""
    updates.base()
    updates.online()
    times = UpdateTimes(updates.board, updates.board.console.mark())
    ordered_ns = updates.board.clock.now_ns()
    job = updates.offer(VERSION, protocol)
    states = ("receiving", "verifying", "staged", "rebooting")
    receiving, verifying, staged, rebooting = (times.came_to(state) for state in states)
    chosen_ms, ready_ms = times.booted_ms()
    updates.online()
    testing, ending = times.came_to("testing"), times.came_to("ending")
    done = times.came_to("asking", "ready")
    updates.await_job(job, "SUCCEEDED")
    away_ms = times.since_reset_ms(testing)
    swap = {} if chosen_ms is None else {"swap": chosen_ms}
    return {
        "offer": (receiving.t_ns - ordered_ns) / 1e6,
        "download": times.between_ms(receiving, verifying),
        "verify": times.between_ms(verifying, staged),
        "mark": times.between_ms(staged, rebooting),
        **swap,
        "boot": ready_ms - (chosen_ms or 0),
        "online": away_ms - ready_ms,
        "confirm": times.between_ms(testing, ending),
        "report": times.between_ms(ending, done),
        "away": away_ms,
    }


@pytest.mark.arrangement(clock="free", network=True, ota=True)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whole_update(updates: Updates, measure: CaseMeasure, protocol: str) -> None:
    """From the offer until the service has it as SUCCEEDED, the rig's bringing online included."""
    whole = measure.declare(f"ota.update.{protocol}", "s", "max")
    taken = [whole_update_s(updates, protocol) for _ in range(amount(10, 2))]
    size = len(updates.image(VERSION, SLOT))
    whole.samples(taken, {"bytes": size, "protocol": protocol, "taken": OFFER_TO_END})


def whole_update_s(updates: Updates, protocol: str) -> float:
    """One good update of a board on its base. Raises HostBusy where one took too long for want of a host."""
    updates.base()
    updates.online()
    since = updates.board.console.mark()
    ordered_ns = updates.board.clock.now_ns()
    with judged_where_host_lets_run(updates.board, SPARE_S, late_s=LONGEST_S):
        job = updates.offer(VERSION, protocol)
        updates.booted(since, VERSION)
        updates.online()
        updates.await_job(job, "SUCCEEDED")
    return (updates.board.clock.now_ns() - ordered_ns) / 1e9


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_memory_and_wear(
    updates: Updates, measure: CaseMeasure, flash_wear: FlashWear, protocol: str
) -> None:
    """The most that stacks and heaps held from boot to the end of a download; the flash over an update."""
    names = ("erases", "programs", "wear")
    declared = {name: measure.declare(f"ota.flash.{name}.{protocol}", "1") for name in names}
    updates.base()
    updates.online(automatic=0)
    flash_wear.begin()
    job = updates.offer(VERSION, protocol)
    updates.agent.await_state("receiving", "verifying", "staged")
    while updates.agent.status()["state"] != "staged":
        flash_wear.look()
    keep_marks(updates, measure, protocol)
    flash_wear.look()
    since = updates.board.console.mark()
    updates.agent.ask("ota.activate")
    updates.booted(since, VERSION)
    updates.online()
    updates.await_job(job, "SUCCEEDED")
    flash_wear.look()
    keep_wear(updates, declared, flash_wear, protocol)


def keep_marks(updates: Updates, measure: CaseMeasure, protocol: str) -> None:
    """The marks of stacks, heaps and pools as figures."""
    for place, (used, size) in memory_marks(updates.board).items():
        context = cell("Memory over a download, most used", place, protocol, place=place, size=size)
        measure.declare(f"ota.memory.{protocol}.{place.replace(' ', '_')}", "bytes").value(used, context)


def keep_wear(updates: Updates, declared: dict[str, Declared], wear: FlashWear, protocol: str) -> None:
    """What the flash was told to do, of the whole update."""
    table, size = "Flash over an update, operations", len(updates.image(VERSION, SLOT))
    rows = {
        "erases": ("erases of a sector", wear.erases.total()),
        "programs": ("programs of up to a page", wear.programs),
        "wear": ("most erases of one sector", max(wear.erases.values())),
    }
    for name, (row, count) in rows.items():
        declared[name].value(count, cell(table, row, protocol, bytes=size))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_resumed(updates: Updates, measure: CaseMeasure, mqtt_rival: MqttPeer, protocol: str) -> None:
    """The connection is lost in the middle: bytes that were there already, and those sent in all."""
    resumed = measure.declare(f"ota.resumed.{protocol}", "bytes")
    sent = measure.declare(f"ota.resumed.sent.{protocol}", "bytes")
    updates.base()
    updates.online(automatic=0, block=LOST_BLOCK, blocks=4)
    size = len(updates.image(VERSION, SLOT))
    half = -(-size // LOST_BLOCK) // 2
    updates.cloud.fault("slow_link", bytes_per_s=100_000)
    job = updates.offer(VERSION, protocol)
    updates.agent.await_blocks(half)
    since = updates.board.console.mark()
    with mqtt_rival:
        updates.agent.await_event("lost", since)
    updates.cloud.clear()
    said = updates.agent.await_state("staged", within_s=PATIENCE_S)
    stream = updates.cloud.job(job)["stream"]
    table = "Connection lost at half of the download"
    there = cell(table, "there already", protocol, bytes=size)
    resumed.value(said.integer("resumed") * LOST_BLOCK, there)
    counted = updates.cloud.counts()[stream]["payload_bytes"]
    sent.value(counted, cell(table, "sent in all", protocol, bytes=size))
    assert said.integer("resumed") >= half
    assert counted >= size
    updates.agent.ask("ota.cancel")
    updates.await_job(job, "FAILED")
