# SPDX-License-Identifier: MIT
"""Nothing of the board's connectivity keeps memory: heap, TLS pool and pools of TCP/IP are as before.

One cycle of everything comes first and is not counted: it makes what is made once and kept for good. Then the
same cycle again and again, by the board's own clients against the services; an object lost in a cycle is one
object that is there after it, and stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.mqtt_peer import BrokerPlace
    from rig.services.service_set import ServiceSet

pytestmark = [
    pytest.mark.board_feature("network"),
    pytest.mark.board_feature("mqtt"),
    pytest.mark.board_feature("memory"),
    pytest.mark.arrangement(clock="free", network=True),
]

CYCLES = 2
REPLY_S = 60.0
MS = 30_000
QUIET_S = 30.0  # what was closed last may need a moment until its answer came
NOT_COUNTED = ("arp", "sys_timeout")
"""Pools whose use follows time and the network, not what the board did."""


def held(console: ConsoleLink) -> dict[str, int]:
    """What is taken now, by name: bytes of heap and TLS pool, pieces of each pool of TCP/IP."""
    taken: dict[str, int] = {}
    heap = console.request("mem.heap", deadline=Deadline.after(REPLY_S)).fields
    if heap["free"] != "absent":
        taken["heap"] = heap.integer("total") - heap.integer("free")
    with suppress(CommandRefused):
        console.request("tls.forget", deadline=Deadline.after(REPLY_S))  # sessions kept to be resumed
        pool = console.request("tls.memory", deadline=Deadline.after(REPLY_S)).fields
        taken |= {"tls": pool.integer("used"), "tls.blocks": pool.integer("blocks")}
    for row in console.request("net.memory", deadline=Deadline.after(REPLY_S)).rows:
        if not row["name"].lower().startswith(NOT_COUNTED):
            taken[f"ip.{row['name']}"] = row.integer("used")
    taken["sockets"] = len(console.request("sock.list", deadline=Deadline.after(REPLY_S)).rows)
    return taken


def cycle(board_mqtt: BoardMqtt, place: BrokerPlace, services: ServiceSet, name: str) -> None:
    """Everything once: sessions lost, resumed and ended, messages both ways, shadow, discovery."""
    topic = board_mqtt.topic(f"leak/{name}")
    board_mqtt.connect(place.endpoint, tls=place.tls, clean=False, reconnect=True)
    board_mqtt.subscribe([f"{topic}/+"], "1")
    for qos in (0, 1):
        board_mqtt.publish_pattern(f"{topic}/{qos}", 5000, qos, qos=qos)
    mark = board_mqtt.console.mark()
    board_mqtt.cut("publish")
    board_mqtt.publish(f"{topic}/cut", b"again", qos=1, wait_ms=0)
    board_mqtt.wait_state("up", mark)
    board_mqtt.publish(f"{topic}/end", b"", qos=1)
    board_mqtt.unsubscribe([f"{topic}/+"])
    board_mqtt.ask("shadow.open", MS, thing=services.thing, qos=1)
    board_mqtt.ask("shadow.update", MS, reported=json.dumps({"a": 1}))
    board_mqtt.ask("shadow.delete", MS)
    board_mqtt.forget()
    if place.tls and services.https is not None:
        https = services.https.board
        found: dict[str, str | int] = {
            "host": https.host,
            "port": https.port,
            "thing": services.thing,
            "tls": 1,
        }
        board_mqtt.ask("discovery.get", MS, **found)
    with suppress(CommandRefused):  # a connection that does not come about
        board_mqtt.connect(type(place.endpoint)(place.endpoint.host, 1), tls=place.tls)
    board_mqtt.forget()


@pytest.mark.requirement("MemoryLeak", "CheckHeap")
def test_check_heap(
    board_mqtt: BoardMqtt,
    console: ConsoleLink,
    broker_place: BrokerPlace,
    services: ServiceSet,
    measure: CaseMeasure,
    fresh_name: Callable[[], str],
) -> None:
    kept = measure.declare("connectivity.memory.kept", "1")
    board_mqtt.ask("mqtt.retry", base_ms=50)
    cycle(board_mqtt, broker_place, services, fresh_name())
    before = settled(console)
    for _ in range(CYCLES):
        cycle(board_mqtt, broker_place, services, fresh_name())
    grown: dict[str, int] = {}

    def is_as_before() -> bool:
        grown.clear()
        grown.update({name: now - before.get(name, 0) for name, now in held(console).items()})
        return all(more <= 0 for more in grown.values())

    poll(is_as_before, Deadline.after(QUIET_S), interval_s=0.2)
    lost = {name: more for name, more in grown.items() if more > 0}
    kept.value(
        sum(lost.values()),
        {
            "cycles": CYCLES,
            "what": ", ".join(lost) or "nothing",
            "method": "bytes and pieces more than before",
        },
    )
    assert not lost, f"kept after {CYCLES} cycles, in bytes or pieces: {lost}"


def settled(console: ConsoleLink) -> dict[str, int]:
    """What is taken when nothing changes any more."""
    taken = held(console)

    def is_same() -> bool:
        nonlocal taken
        before, taken = taken, held(console)
        return before == taken

    poll(is_same, Deadline.after(QUIET_S), interval_s=0.5)
    return taken
