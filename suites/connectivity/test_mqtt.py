# SPDX-License-Identifier: MIT
"""The board's MQTT client against a broker: the cases that the field's qualification names, and their kind.

Nothing here needs a certain broker: addresses and certificates are all that the cases know of it. Topics lie
below the thing's name and are new for each case, so that nothing of another case can be taken for an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.pytest_plugin.held_up import judged_where_host_lets_run
from rig.pytest_plugin.mqtt_steps import ARRIVES_S, connect, fresh_session, heard, left, mark_after

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace

pytestmark = [pytest.mark.board_feature("mqtt"), pytest.mark.arrangement(clock="free", network=True)]

KEEP_ALIVE_S = 5
PINGS = 2
RESULT_OF_QOS_1 = 1
FIVE = 5


@pytest.mark.requirement("MqttTest", "MQTT_Subscribe_Publish_With_Qos_0")
def test_subscribe_publish_with_qos_0(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(topic)
    assert board_mqtt.subscribe([topic], "0") == [0]
    mark = console.mark()
    board_mqtt.publish(topic, b"qos 0")
    message = board_mqtt.expect_message(topic, mark)
    assert message.holds(b"qos 0")
    assert (message.qos, message.dup) == (0, False)
    seen = heard(mqtt_peer, topic)
    assert (seen.payload, seen.qos) == (b"qos 0", 0)


@pytest.mark.requirement("MqttTest", "MQTT_Subscribe_Publish_With_Qos_1")
def test_subscribe_publish_with_qos_1(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    mqtt_peer.subscribe(topic)
    assert board_mqtt.subscribe([topic], "1") == [1]
    mark = console.mark()
    assert board_mqtt.publish(topic, b"qos 1", qos=1) > 0  # the reply waits for PUBACK
    message = board_mqtt.expect_message(topic, mark)
    assert message.holds(b"qos 1")
    assert message.qos == RESULT_OF_QOS_1
    seen = heard(mqtt_peer, topic)
    assert (seen.payload, seen.qos) == (b"qos 1", RESULT_OF_QOS_1)


@pytest.mark.requirement("MqttTest", "MQTT_Connect_LWT")
@pytest.mark.requirement("MQTT", "LastWillAndTestament")
def test_connect_lwt(
    board_mqtt: BoardMqtt, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    mqtt_peer.subscribe(topic)
    board_mqtt.ask("mqtt.will", topic=topic, text="it is gone", qos=1)
    connect(board_mqtt, broker_place)
    board_mqtt.cut("now")
    will = heard(mqtt_peer, topic)
    assert will.payload == b"it is gone"


def test_no_will_after_a_disconnect_in_good_order(
    board_mqtt: BoardMqtt, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    mqtt_peer.subscribe(f"{topic}/#")
    board_mqtt.ask("mqtt.will", topic=f"{topic}/will", text="it is gone", qos=1)
    connect(board_mqtt, broker_place)
    board_mqtt.disconnect()
    mqtt_peer.publish(f"{topic}/end", b"")
    heard(mqtt_peer, f"{topic}/end")
    assert mqtt_peer.messages(f"{topic}/will") == []


@pytest.mark.requirement("MqttTest", "MQTT_ProcessLoop_KeepAlive")
def test_process_loop_keep_alive(
    board: BoardSession,
    board_mqtt: BoardMqtt,
    console: ConsoleLink,
    broker_place: BrokerPlace,
    mqtt_peer: MqttPeer,
    topic: str,
) -> None:
    """Pings are answered, and the client is still there when a broker would have ended one that says nothing.

    That is 1.5 times the keep-alive, by the broker's clock. The pings come by the board's own, whose seconds
    are longer where the host is busy: they are waited for. Where the host let the board wait for as long as
    it has to spare, nobody can say whose fault a lost connection is.
    """
    before = board_mqtt.counters()
    connect(board_mqtt, broker_place, keepalive_s=KEEP_ALIVE_S)
    mark = console.mark()

    def count(name: str) -> int:
        return board_mqtt.counters()[name] - before[name]

    with judged_where_host_lets_run(board, 0.5 * KEEP_ALIVE_S):
        borne = Deadline.after(1.5 * KEEP_ALIVE_S + 1.0)

        def over() -> bool:
            return left(console, mark) is not None or (borne.expired and count("pongs") >= PINGS)

        poll(over, Deadline.after(ARRIVES_S), interval_s=0.2)
        assert left(console, mark) is None
        assert count("pings") >= PINGS, f"in {ARRIVES_S:g} s"
        assert count("pongs") >= PINGS, f"in {ARRIVES_S:g} s"
    mqtt_peer.subscribe(topic)
    board_mqtt.publish(topic, b"still here", qos=1)
    heard(mqtt_peer, topic)


@pytest.mark.requirement("MqttTest", "MQTT_Resend_Unacked_Publish_QoS1")
def test_resend_unacked_publish_qos_1(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    board_mqtt.ask("mqtt.retry", base_ms=100)
    fresh_session(board_mqtt, broker_place)
    board_mqtt.subscribe([f"{topic}/kept"], "1")  # some brokers keep no session that holds nothing
    mqtt_peer.subscribe(topic)
    before = board_mqtt.counters()
    mark = console.mark()
    board_mqtt.cut("publish")
    board_mqtt.publish(topic, b"once or twice", qos=1, wait_ms=0)
    assert board_mqtt.wait_state("up", mark).fields["session"] == "1"
    board_mqtt.publish(topic, b"the next", qos=1)  # acknowledged after the one before
    after = board_mqtt.counters()
    assert {key: after[key] - before[key] for key in ("published", "completed", "resent", "resumed")} == {
        "published": 2,
        "completed": 2,
        "resent": 1,
        "resumed": 1,
    }
    assert board_mqtt.status()["in_flight"] == "0"
    assert heard(mqtt_peer, topic).payload == b"once or twice"


@pytest.mark.requirement("MqttTest", "MQTT_Restore_Session_Duplicate_Incoming_Publish_Qos1")
@pytest.mark.requirement("MQTT", "RestorePreviousSession")
def test_restore_session_duplicate_incoming_publish_qos_1(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    board_mqtt.ask("mqtt.retry", base_ms=100)
    fresh_session(board_mqtt, broker_place)
    assert board_mqtt.subscribe([topic], "1") == [1]
    mark = console.mark()
    board_mqtt.cut("now")  # RabbitMQ counts its packets from the last SUBSCRIBE, and anew when it sends again
    assert board_mqtt.wait_state("up", mark).fields["session"] == "1"
    before = board_mqtt.counters()
    board_mqtt.cut("puback")
    mark = console.mark()
    mqtt_peer.publish(topic, b"came twice")
    first = board_mqtt.expect_message(topic, mark)
    assert board_mqtt.wait_state("up", mark).fields["session"] == "1"
    assert first.holds(b"came twice")
    mqtt_peer.publish(topic, b"the next")
    second = board_mqtt.expect_message(topic, mark_after(board_mqtt, first.number, mark))
    duplicates = board_mqtt.counters()["duplicates"] - before["duplicates"]
    if second.holds(b"the next"):
        assert duplicates == 1
        return
    # Some brokers number it anew, against the standard (MQTT-4.4.0-1): to any client it is a new one then.
    assert second.holds(b"came twice")
    assert second.packet != first.packet
    third = board_mqtt.expect_message(topic, mark_after(board_mqtt, second.number, mark))
    assert third.holds(b"the next")


def test_message_that_was_not_handed_on_is_not_acknowledged(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    """The connection breaks where the board would take the message: it must come again, and be taken."""
    board_mqtt.ask("mqtt.retry", base_ms=100)
    fresh_session(board_mqtt, broker_place)
    board_mqtt.subscribe([topic], "1")
    board_mqtt.cut("message")
    mark = console.mark()
    mqtt_peer.publish(topic, b"not lost")
    assert board_mqtt.wait_state("up", mark).fields["session"] == "1"
    assert board_mqtt.expect_message(topic, mark).holds(b"not lost")


@pytest.mark.requirement("MqttTest", "MQTT_Publish_With_Retain_Flag")
def test_publish_with_retain_flag(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    kept, passing = f"{topic}/kept", f"{topic}/passing"
    board_mqtt.publish(kept, b"kept", qos=1, retain=True)
    board_mqtt.publish(passing, b"passing", qos=1)
    mark = console.mark()
    board_mqtt.subscribe([passing, kept], "1")
    try:
        message = board_mqtt.expect_message(kept, mark)
        assert message.holds(b"kept")
        assert message.retain
        # Had the broker kept it, it would have come with the subscription: before one that is sent now.
        board_mqtt.publish(passing, b"sent later", qos=1)
        first = board_mqtt.expect_message(passing, mark)
        assert (first.holds(b"sent later"), first.retain) == (True, False)
    finally:
        board_mqtt.publish(kept, b"", qos=1, retain=True)  # the broker lets it go


@pytest.mark.requirement("MqttTest", "MQTT_SubUnsub_Multiple_Topics")
def test_sub_unsub_multiple_topics(
    board_mqtt: BoardMqtt, console: ConsoleLink, broker_place: BrokerPlace, mqtt_peer: MqttPeer, topic: str
) -> None:
    connect(board_mqtt, broker_place)
    topics = [f"{topic}/{number}" for number in range(FIVE)]
    assert board_mqtt.subscribe(topics, "01010") == [0, 1, 0, 1, 0]
    mark = console.mark()
    for name in topics:
        mqtt_peer.publish(name, name.encode())
    for number, name in enumerate(topics):
        message = board_mqtt.expect_message(name, mark)
        assert message.holds(name.encode())
        assert message.qos == number % 2
    board_mqtt.unsubscribe(topics)
    end = f"{topic}/end"
    board_mqtt.subscribe([end], "1")
    mark = console.mark()
    for name in topics:
        mqtt_peer.publish(name, b"nobody listens")
    mqtt_peer.publish(end, b"")
    # What still came to it would have come before the last one: a broker keeps the order (MQTT 3.1.1, 4.6).
    came = console.wait_event("mqtt.message", Deadline.after(ARRIVES_S), since=mark)
    assert came.fields["topic"] == end
