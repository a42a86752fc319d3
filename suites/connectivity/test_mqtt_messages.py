# SPDX-License-Identifier: MIT
"""The board's MQTT client against a broker: messages of every length, many at once, odd topics, all QoS.

Nothing here needs a certain broker: addresses and certificates are all that the cases know of it. Topics lie
below the thing's name and are new for each case, so that nothing of another case can be taken for an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.errors import CommandRefused
from rig.pattern import pattern
from rig.pytest_plugin.mqtt_steps import connect, heard, heard_in_order, mark_after

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace

pytestmark = [pytest.mark.board_feature("mqtt"), pytest.mark.arrangement(clock="free", network=True)]

MANY = 40
PIECES = 300
"""Bytes that do not fit one line of the console."""


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("length", [0, 1, 128, 4096, 131_072])
@pytest.mark.requirement("MQTT", "WaitQoS0")
@pytest.mark.requirement("MQTT", "WaitQoS1")
def test_lengths(
    board_mqtt: BoardMqtt,
    console: ConsoleLink,
    broker_place: BrokerPlace,
    mqtt_peer: MqttPeer,
    topic: str,
    length: int,
    qos: int,
) -> None:
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(topic)
    board_mqtt.subscribe([topic], str(qos))
    mark = console.mark()
    board_mqtt.publish_pattern(topic, length, 7, qos=qos)
    assert heard(mqtt_peer, topic).payload == pattern(length, 7)
    assert board_mqtt.expect_message(topic, mark).holds(pattern(length, 7))


@pytest.mark.requirement("MQTT", "Async")
def test_eight_in_flight_at_once(
    board_mqtt: BoardMqtt, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(topic)
    for number in range(8):
        board_mqtt.publish(topic, bytes([number]), qos=1, wait_ms=0)
    came = heard_in_order(mqtt_peer, topic, 8)
    assert [message.payload for message in came] == [bytes([number]) for number in range(8)]
    board_mqtt.publish(topic, b"last", qos=1)
    assert board_mqtt.status()["in_flight"] == "0"


@pytest.mark.requirement("MQTT", "Reentrancy")
def test_both_directions_at_once(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    """The board's receiver answers while its publisher sends: every message comes, whole and in order."""
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(f"{topic}/out")
    board_mqtt.subscribe([f"{topic}/in"], "1")
    mark = console.mark()
    for number in range(10):
        mqtt_peer.publish(f"{topic}/in", pattern(3000, number), qos=1)
        board_mqtt.publish_pattern(f"{topic}/out", 3000, number, qos=1)
    out = heard_in_order(mqtt_peer, f"{topic}/out", 10)
    assert [message.payload for message in out] == [pattern(3000, number) for number in range(10)]
    for number in range(10):
        message = board_mqtt.expect_message(f"{topic}/in", mark)
        assert message.holds(pattern(3000, number))
        mark = mark_after(board_mqtt, message.number, mark)


@pytest.mark.local
def test_qos_2(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    """Some brokers know no QoS 2."""
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(topic, qos=2)
    assert board_mqtt.subscribe([topic], "2") == [2]
    mark = console.mark()
    assert board_mqtt.publish(topic, b"exactly once", qos=2) > 0
    message = board_mqtt.expect_message(topic, mark)
    assert message.holds(b"exactly once")
    assert message.qos == 2
    seen = heard(mqtt_peer, topic)
    assert (seen.payload, seen.qos) == (b"exactly once", 2)


def test_messages_are_kept_and_the_oldest_go(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    board_mqtt.subscribe([topic], "1")
    dropped = board_mqtt.counters()["dropped"]
    mark = console.mark()
    for number in range(MANY):
        mqtt_peer.publish(topic, pattern(PIECES, number))
    for number in range(MANY):
        message = board_mqtt.expect_message(topic, mark)
        assert message.holds(pattern(PIECES, number))
        mark = mark_after(board_mqtt, message.number, mark)
    kept = board_mqtt.messages()
    assert kept[-1] == message
    assert board_mqtt.counters()["dropped"] == dropped + MANY - len(kept)
    assert board_mqtt.payload(message.number) == pattern(PIECES, MANY - 1)
    with pytest.raises(CommandRefused):
        board_mqtt.payload(kept[0].number - 1)


def test_topics_of_many_alphabets(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    name = f"{topic}/äöü €/%25 @= 漢字/😀"  # no "*" and no ".": RabbitMQ makes other topics of them
    mqtt_peer.subscribe(name)
    board_mqtt.subscribe([name], "1")
    mark = console.mark()
    board_mqtt.publish(name, bytes(range(32)), qos=1)
    assert heard(mqtt_peer, name).payload == bytes(range(32))
    assert board_mqtt.expect_message(name, mark).holds(bytes(range(32)))


@pytest.mark.parametrize("bad", ["a/#", "+/a", ""])
def test_topics_that_cannot_be_published_to(board_mqtt: BoardMqtt, bad: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        board_mqtt.publish(bad, b"x", qos=1, wait_ms=0)
    assert refused.value.code == "value"
