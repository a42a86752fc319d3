# SPDX-License-Identifier: MIT
"""The board's MQTT client against a broker, plain and with mutual TLS, seen from a second client on the host.

Nothing here needs a certain broker: addresses and certificates are all that the cases know of it. Topics lie
below the thing's name and are new for each case, so that nothing of another case can be taken for an answer.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline, poll
from rig.errors import BoardSilent, CommandRefused
from rig.pattern import pattern
from rig.pytest_plugin.held_up import judged_where_host_lets_run

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.interfaces import Mark
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace
    from rig.transcript.messages import Message

pytestmark = [pytest.mark.board_feature("mqtt"), pytest.mark.arrangement(clock="free", network=True)]

KEEP_ALIVE_S = 5
PINGS = 2
ARRIVES_S = 60.0  # only a busy host, or a board that fails, takes long
UP_MS = 30_000
RESULT_OF_QOS_1 = 1
FIVE = 5
MANY = 40
PIECES = 300
"""Bytes that do not fit one line of the console."""


@pytest.fixture
def topic(board_mqtt: BoardMqtt) -> str:
    """A topic that no other case uses."""
    return board_mqtt.topic(f"case/{secrets.token_hex(4)}")


def connect(board_mqtt: BoardMqtt, place: BrokerPlace, **how: int | bool) -> bool:
    """Connects the board to the broker of the case; returns whether the broker had its session."""
    return board_mqtt.connect(place.endpoint, tls=place.tls, **how)  # type: ignore[arg-type]


def fresh_session(board_mqtt: BoardMqtt, place: BrokerPlace) -> None:
    """A persistent session without history, on the broker and on the board; the client reconnects."""
    connect(board_mqtt, place, clean=True)
    board_mqtt.forget()
    assert not connect(board_mqtt, place, clean=False, reconnect=True)


# --- MqttTest, as the field's qualification names it


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


# --- older cases of the field, and what a client must bear


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


def test_nobody_listens(board_mqtt: BoardMqtt, broker_place: BrokerPlace) -> None:
    """A port of the same host that is closed: the client says so, and gives up after its attempts."""
    board_mqtt.ask("mqtt.retry", base_ms=50, attempts=3)
    closed = type(broker_place.endpoint)(broker_place.endpoint.host, 1)
    with pytest.raises(CommandRefused) as refused:
        board_mqtt.connect(closed, tls=broker_place.tls, reconnect=True)
    assert refused.value.code == "refused"
    status = board_mqtt.status()
    assert (status["gave_up"], status["attempts"], status["state"]) == ("1", "4", "idle")


def left(console: ConsoleLink, since: Mark) -> dict[str, str] | None:
    """What the client said when it left the state that it was in at the mark; None while it is in it."""
    try:
        return dict(console.wait_event("mqtt.state", Deadline.after(0), since=since).fields)
    except BoardSilent:
        return None


def heard(peer: MqttPeer, topic: str) -> Message:
    """The first message on a topic that the host's client got."""
    return peer.expect(topic, Deadline.after(ARRIVES_S), since=0)


def heard_in_order(peer: MqttPeer, topic: str, count: int) -> list[Message]:
    """The first ``count`` of them."""
    peer.expect(topic, Deadline.after(ARRIVES_S), since=0, where=lambda _: len(peer.messages(topic)) >= count)
    return peer.messages(topic)[:count]


def mark_after(board_mqtt: BoardMqtt, number: int, since: Mark) -> Mark:
    """The mark behind the event that told of message ``number``."""
    deadline = Deadline.after(ARRIVES_S)
    while True:
        event = board_mqtt.console.wait_event("mqtt.message", deadline, since=since)
        since = event.after
        if event.fields.integer("number") == number:
            return since
