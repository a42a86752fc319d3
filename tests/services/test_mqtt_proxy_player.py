# SPDX-License-Identifier: MIT
"""The played MQTT proxy shows what a real one saw, rule for rule and strike for strike."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.deadline import Deadline
from rig.events import Event, RunClock, discard
from rig.links.console_player import ConsolePlayer
from rig.links.mqtt import MqttPlace
from rig.links.mqtt_peer import MqttPeer
from rig.links.mqtt_player import MqttPlayer
from rig.links.tape import steps_of
from rig.services.broker import Broker
from rig.services.network.mqtt_log import PacketLog, Seen, seen_of
from rig.services.network.mqtt_proxy import MqttProxy
from rig.services.network.mqtt_proxy_player import PlayedMqttProxy
from rig.services.network.mqtt_rules import Rule
from rig.services.pki import Authority
from rig.transcript.segment_reader import Segment

CLIENT = "device"
KINDS = ("opened", "CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", "PUBLISH", "closed")


def session(proxy: MqttProxy | PlayedMqttProxy, peer: MqttPeer) -> tuple[list[Seen], int, int]:
    """A client at the proxy, that is thrown out: the sightings, the hits of a rule and of a strike."""
    with peer:
        proxy.expect_connected(CLIENT, Deadline.after(10), since=0)
        peer.subscribe("a", qos=0)
        with proxy.rule(Rule(kind="PUBLISH", count=1, client=CLIENT)) as rule:
            peer.publish("a", b"x", qos=0)
            proxy.log.expect("PUBLISH", Deadline.after(10), since=0, sender="broker")
        struck = proxy.reset(CLIENT)
        proxy.log.expect("closed", Deadline.after(10), since=0, sender=None)
    first = [seen for kind in KINDS for seen in proxy.log.all(kind) if seen.connection == 1]
    return first, rule.hits, struck


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[MqttProxy, list[Event], RunClock]]:
    """A proxy before a real broker, its events, and their clock."""
    events: list[Event] = []
    clock = RunClock()
    with (
        Broker(tmp_path / "broker", Authority.create()) as broker,
        MqttProxy((broker.plain.host, broker.plain.port), clock, events.append, board="b") as proxy,
    ):
        yield proxy, events, clock


@pytest.mark.slow
def test_the_same_is_seen(live: tuple[MqttProxy, list[Event], RunClock]) -> None:
    proxy, events, clock = live
    here = MqttPlace("127.0.0.1", proxy.port)
    first = session(proxy, MqttPeer(here, clock, client=CLIENT, sink=events.append))
    silent = Segment(0, b"", 0, 0, 0, array("Q"), array("Q"), finalised=True)
    with ConsolePlayer(lambda seen: mqtt.hear(seen)) as console:
        mqtt = MqttPlayer(console.act, {}, lambda what: pytest.fail(what))
        console.load(steps_of(silent, [e for e in events if e.data.get("does") != "got"]))
        played = PlayedMqttProxy(mqtt, proxy.name, proxy.place, discard, "b")
        again = session(played, MqttPeer(here, RunClock(), client=CLIENT, connect=mqtt.connection(CLIENT)))
        assert played.now_ns() > max(seen.t_ns for seen in again[0])
    assert again == first
    assert first[1:] == (1, 1)


def test_an_event_tells_all_of_a_sighting() -> None:
    told: list[Event] = []
    log = PacketLog(told.append, "mqtt proxy", "b")
    fields: dict[str, str | int | float | bool | None] = {"topic": "a", "qos": 1, "dup": True}
    for seen in (
        Seen(5, 1, "board", "opened", "", {"peer": "1.2.3.4:5"}),
        Seen(6, 1, "board", "PUBLISH", "device", fields, withheld=True),
        Seen(7, 1, "proxy", "closed", "device", {}),
    ):
        log.add(seen)
        assert seen_of(told[-1]) == seen
