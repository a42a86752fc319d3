# SPDX-License-Identifier: MIT
"""The board's MQTT client against a broker: sessions, connections that are lost, taken over, or never come.

Nothing here needs a certain broker: addresses and certificates are all that the cases know of it. Topics lie
below the thing's name and are new for each case, so that nothing of another case can be taken for an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.pytest_plugin.mqtt_steps import ARRIVES_S, connect, fresh_session, heard

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace

pytestmark = [pytest.mark.board_feature("mqtt"), pytest.mark.arrangement(clock="free", network=True)]

UP_MS = 30_000


def test_messages_kept_for_a_persistent_session(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    fresh_session(board_mqtt, broker_place)
    board_mqtt.subscribe([topic], "1")
    board_mqtt.disconnect()
    mqtt_peer.publish(topic, b"while it was away")
    mark = console.mark()
    assert connect(board_mqtt, broker_place, clean=False)
    assert board_mqtt.expect_message(topic, mark).holds(b"while it was away")


def test_subscriptions_are_asked_for_again_after_a_loss(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, topic: str
) -> None:
    board_mqtt.ask("mqtt.retry", base_ms=100)
    connect(board_mqtt, broker_place, clean=True, reconnect=True)
    board_mqtt.subscribe([topic], "1")
    mark = console.mark()
    completed = board_mqtt.counters()["completed"]
    board_mqtt.cut("now")
    assert board_mqtt.wait_state("up", mark).fields["session"] == "0"
    board_mqtt.publish(topic, b"after", qos=1)
    assert board_mqtt.expect_message(topic, mark).holds(b"after")
    assert board_mqtt.counters()["completed"] == completed + 2


def test_taken_over_by_another_client_of_its_name(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_rival: MqttPeer
) -> None:
    board_mqtt.ask("mqtt.retry", base_ms=500)
    connect(board_mqtt, broker_place, reconnect=True)
    mark = console.mark()
    with mqtt_rival:
        lost = board_mqtt.wait_state("waiting", mark)
    assert lost.fields["fault"] == "closed"
    board_mqtt.wait_state("up", mark)


def test_network_that_goes_down_ends_the_client_in_good_order(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    mqtt_peer.subscribe(f"{topic}/#")
    board_mqtt.ask("mqtt.will", topic=f"{topic}/will", text="it is gone", qos=1)
    connect(board_mqtt, broker_place, reconnect=True)
    board_mqtt.ask("net.down")
    tasks = {row["name"] for row in console.request("mem.tasks", deadline=Deadline.after(ARRIVES_S)).rows}
    assert "net.mqtt" not in tasks
    board_mqtt.ask("net.up", UP_MS)
    connect(board_mqtt, broker_place)
    board_mqtt.publish(f"{topic}/back", b"", qos=1)
    heard(mqtt_peer, f"{topic}/back")
    assert mqtt_peer.messages(f"{topic}/will") == []


def test_nobody_listens(board_mqtt: BoardMqtt, broker_place: BrokerPlace) -> None:
    """A port of the same host that is closed: the client says so, and gives up after its attempts."""
    board_mqtt.ask("mqtt.retry", base_ms=50, attempts=3)
    closed = type(broker_place.endpoint)(broker_place.endpoint.host, 1)
    with pytest.raises(CommandRefused) as refused:
        board_mqtt.connect(closed, tls=broker_place.tls, reconnect=True)
    assert refused.value.code == "refused"
    status = board_mqtt.status()
    assert (status["gave_up"], status["attempts"], status["state"]) == ("1", "4", "idle")
