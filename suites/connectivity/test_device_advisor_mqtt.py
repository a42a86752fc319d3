# SPDX-License-Identifier: MIT
"""The MQTT cases of AWS IoT Device Advisor, with the rig's proxy in the place of the cloud that misbehaves.

The board connects through the proxy, which shows every packet and withholds those that a case is about. What
the board sent is read off the wire, never asked of the board.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.links.fields import exactly, only
from rig.pytest_plugin.backoff_rounds import thrown_out, unanswered
from rig.pytest_plugin.held_up import judged_where_host_lets_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from rig.bench.session import BoardSession
    from rig.evidence.backoff import Backoff
    from rig.links.console_link import ConsoleLink
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.mqtt import Endpoint, MqttProxy, Seen

pytestmark = [pytest.mark.board_feature("mqtt"), pytest.mark.arrangement(clock="free", network=True)]

ROUNDS = 3
TIMES = 5
BASE_MS = 200
CAP_MS = 10_000
CONNACK_MS = 300
CLOSED_PORT = 1
ACK_MS = 1_000
PINGRESP_MS = 1_000
KEEP_ALIVE_S = 2
SPARE_S = 1.0
"""Half of what the limit gives a board beyond its own time-out: a host that takes more judges nothing."""
ANSWER_S = 60.0  # only a busy host takes long
ROUND_S = 60.0
LONG_MS = 120_000
LEAST_KEEP_ALIVE_S, MOST_KEEP_ALIVE_S = 30, 1_200  # what AWS IoT Core takes


@dataclass(frozen=True, slots=True)
class Advised:
    """The board at the proxy: what the cases do again and again."""

    board: BoardMqtt
    proxy: MqttProxy
    tls: bool

    def connect(self, *, clean: bool = True, keepalive_s: int = 60, wait_ms: int = LONG_MS) -> bool:
        """Connects the board, which tries again by itself; returns whether there was a session."""
        return self.board.connect(
            self.proxy.place.board, tls=self.tls, clean=clean, reconnect=True, keepalive_s=keepalive_s,
            wait_ms=wait_ms,
        )  # fmt: skip

    def expect(self, kind: str, since: int, where: Callable[[Seen], bool] = lambda _: True) -> Seen:
        """The next packet of a kind that the board sent."""
        return self.proxy.log.expect(
            kind, Deadline.after(ANSWER_S), since=since, client=self.board.thing, where=where
        )


@pytest.fixture(params=["plain", "tls"])
def advised(request: pytest.FixtureRequest, board_mqtt: BoardMqtt) -> Advised:
    """The board's client at the proxy, once without and once with TLS on both sides."""
    if request.param == "tls":
        request.getfixturevalue("provisioned")
    proxy = request.getfixturevalue("mqtt_proxy_tls" if request.param == "tls" else "mqtt_proxy")
    return Advised(board_mqtt, proxy, request.param == "tls")


@pytest.fixture
def at_plain_proxy(board_mqtt: BoardMqtt, mqtt_proxy: MqttProxy) -> Advised:
    """Without TLS only: when the client tries again is no matter of what it speaks through."""
    return Advised(board_mqtt, mqtt_proxy, tls=False)


@pytest.mark.requirement("CloudIoT", "MQTT_Connect")
def test_mqtt_connect(advised: Advised) -> None:
    since = advised.proxy.log.mark()
    advised.connect()
    connect = advised.expect("CONNECT", since)
    assert connect.client == advised.board.thing
    assert LEAST_KEEP_ALIVE_S <= int(str(connect.fields.get("keep_alive_s", -1))) <= MOST_KEEP_ALIVE_S
    assert "malformed" not in connect.fields
    opened = only(advised.proxy.log.all("opened", since=since), "connection")
    assert opened.fields.get("certificate") == (advised.board.thing if advised.tls else None)


@pytest.mark.requirement("CloudIoT", "MQTT_Client_Puback_Qos1")
def test_client_puback_qos1(advised: Advised, mqtt_peer: MqttPeer, topic: str) -> None:
    advised.connect()
    advised.board.subscribe([topic], "1")
    since = advised.proxy.log.mark()
    mqtt_peer.publish(topic, b"acknowledge this")
    sent = advised.proxy.log.expect("PUBLISH", Deadline.after(ANSWER_S), since=since, sender="broker")
    acknowledged = advised.expect("PUBACK", since)
    assert acknowledged.fields["packet_id"] == sent.fields["packet_id"]


@pytest.mark.requirement("CloudIoT", "MQTT_Connect_Jitter_Backoff_Retries")
def test_connect_jitter_backoff_retries(at_plain_proxy: Advised, measure: CaseMeasure) -> None:
    """Strictly exponential waits pass, marked as marginal: the field's PASS with a warning."""
    taken = _Taken(measure, "connects", with_jitter=True)
    taken.set(_try_in_vain(at_plain_proxy), at_plain_proxy)


@pytest.mark.requirement("CloudIoT", "MQTT_Connect_Exponential_Backoff_Retries")
def test_connect_exponential_backoff_retries(at_plain_proxy: Advised, measure: CaseMeasure) -> None:
    taken = _Taken(measure, "connects")
    taken.set(_try_in_vain(at_plain_proxy), at_plain_proxy)


@pytest.mark.requirement("CloudIoT", "MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect")
def test_reconnect_backoff_on_server_disconnect(at_plain_proxy: Advised, measure: CaseMeasure) -> None:
    taken = _Taken(measure, "reconnects")
    taken.set(_throw_out(at_plain_proxy, at_plain_proxy.proxy.disconnect), at_plain_proxy)


@pytest.mark.requirement("CloudIoT", "MQTT_Reconnect_Backoff_Retries_On_Unstable_Connection")
def test_reconnect_backoff_on_unstable_connection(at_plain_proxy: Advised, measure: CaseMeasure) -> None:
    taken = _Taken(measure, "reconnects")
    taken.set(_throw_out(at_plain_proxy, at_plain_proxy.proxy.reset), at_plain_proxy)


@pytest.mark.requirement("CloudIoT", "MQTT_Publish")
@pytest.mark.parametrize("qos", [0, 1])
def test_publish(advised: Advised, mqtt_peer: MqttPeer, topic: str, qos: int) -> None:
    advised.connect()
    mqtt_peer.subscribe(topic)
    since = advised.proxy.log.mark()
    advised.board.publish(topic, b"published", qos=qos)
    sent = advised.expect("PUBLISH", since)
    assert (sent.fields["topic"], sent.fields["qos"], sent.fields["dup"]) == (topic, qos, False)
    heard = mqtt_peer.expect(topic, Deadline.after(ANSWER_S), since=0)
    assert heard.payload == b"published"


@pytest.mark.requirement("CloudIoT", "MQTT_Publish_Retry_No_Puback")
def test_publish_retry_no_puback(advised: Advised, mqtt_peer: MqttPeer, topic: str) -> None:
    advised.board.ask("mqtt.timing", ack_ms=ACK_MS)
    advised.connect()
    mqtt_peer.subscribe(topic)
    since = advised.proxy.log.mark()
    with advised.proxy.withhold("PUBACK", count=1, client=advised.board.thing) as rule:
        advised.board.publish(topic, b"once more", qos=1, wait_ms=LONG_MS)
    assert rule.hits == 1
    sent = advised.proxy.log.all("PUBLISH", since=since, client=advised.board.thing, sender="board")
    first, again = exactly(2, sent, "PUBLISH")
    assert (first.fields["dup"], again.fields["dup"]) == (False, True)
    assert first.fields["packet_id"] == again.fields["packet_id"]
    assert again.t_ns - first.t_ns >= 0.5 * ACK_MS * 1e6
    assert {message.payload for message in mqtt_peer.messages(topic)} == {b"once more"}


@pytest.mark.requirement("CloudIoT", "MQTT_Subscribe")
def test_subscribe(advised: Advised, mqtt_peer: MqttPeer, console: ConsoleLink, topic: str) -> None:
    advised.connect()
    since = advised.proxy.log.mark()
    assert advised.board.subscribe([topic], "1") == [1]
    assert advised.expect("SUBSCRIBE", since).fields["filters"] == f'[["{topic}", 1]]'
    mark = console.mark()
    mqtt_peer.publish(topic, b"for subscribers")
    assert advised.board.expect_message(topic, mark).holds(b"for subscribers")


@pytest.mark.requirement("CloudIoT", "MQTT_Subscribe_Retry_No_Suback")
def test_subscribe_retry_no_suback(advised: Advised, topic: str) -> None:
    advised.board.ask("mqtt.timing", ack_ms=ACK_MS)
    advised.connect()
    since = advised.proxy.log.mark()
    with advised.proxy.withhold("SUBACK", count=1, client=advised.board.thing) as rule:
        assert advised.board.subscribe([topic], "1", wait_ms=LONG_MS) == [1]
    assert rule.hits == 1
    sent = advised.proxy.log.all("SUBSCRIBE", since=since, client=advised.board.thing)
    first, again = exactly(2, sent, "SUBSCRIBE")
    assert again.fields["filters"] == first.fields["filters"]
    assert again.t_ns - first.t_ns >= 0.5 * ACK_MS * 1e6


@pytest.mark.requirement("CloudIoT", "MQTT_No_Ack_PingResp")
def test_no_ack_pingresp(advised: Advised, board: BoardSession, measure: CaseMeasure) -> None:
    """A connection on which no ping is answered is dead: the board gives it up and makes another.

    The time is the host's; where that let the board wait meanwhile, a late end says nothing of the board.
    """
    noticed = measure.declare("mqtt.dead_connection_noticed", "ms")
    advised.board.ask("mqtt.timing", pingresp_ms=PINGRESP_MS)
    advised.board.ask("mqtt.retry", base_ms=BASE_MS, cap_ms=CAP_MS)
    advised.connect(keepalive_s=KEEP_ALIVE_S)
    since = advised.proxy.log.mark()
    with advised.proxy.withhold("PINGRESP", client=advised.board.thing):
        ping = advised.expect("PINGREQ", since)
        with judged_where_host_lets_run(board, SPARE_S, late_s=PINGRESP_MS / 1000 + SPARE_S):
            end = advised.expect("closed", since)
    noticed.value((end.t_ns - ping.t_ns) / 1e6, {"pingresp_ms": PINGRESP_MS, "tls": advised.tls})
    advised.proxy.expect_connected(advised.board.thing, Deadline.after(ANSWER_S), since=since)


@pytest.mark.requirement("CloudIoT", "MQTT_Persistent_Session_Happy_Case")
def test_persistent_session_happy_case(
    advised: Advised, mqtt_peer: MqttPeer, console: ConsoleLink, topic: str
) -> None:
    _fresh_session(advised)
    advised.board.subscribe([topic], "1")
    advised.board.disconnect()
    mqtt_peer.publish(topic, b"kept for the board")
    since, mark = advised.proxy.log.mark(), console.mark()
    assert advised.connect(clean=False)
    connack = advised.proxy.log.expect("CONNACK", Deadline.after(ANSWER_S), since=since, sender="broker")
    assert connack.fields["session_present"] is True
    assert advised.board.expect_message(topic, mark).holds(b"kept for the board")
    assert advised.proxy.log.all("SUBSCRIBE", since=since) == []


@pytest.mark.requirement("CloudIoT", "MQTT_Expired_Persistent_Session")
def test_expired_persistent_session(
    advised: Advised, mqtt_peer: MqttPeer, mqtt_rival: MqttPeer, console: ConsoleLink, topic: str
) -> None:
    """The broker has forgotten the session: the board subscribes anew by itself."""
    _fresh_session(advised)
    advised.board.subscribe([topic], "1")
    advised.board.disconnect()
    with mqtt_rival:  # a clean session of the same name ends the one that was kept
        pass
    since, mark = advised.proxy.log.mark(), console.mark()
    assert not advised.connect(clean=False)
    assert topic in str(advised.expect("SUBSCRIBE", since).fields["filters"])
    advised.proxy.log.expect("SUBACK", Deadline.after(ANSWER_S), since=since, sender="broker")
    mqtt_peer.publish(topic, b"after the end of the session")
    assert advised.board.expect_message(topic, mark).holds(b"after the end of the session")


def test_waits_are_drawn_and_not_computed(board_mqtt: BoardMqtt, mqtt_proxy: MqttProxy) -> None:
    """Boards that lose their broker at the same moment must not come back at the same moment.

    By the waits that the board says: what it is that it waits has no part of the host's own delays.
    """
    board_mqtt.ask("mqtt.retry", base_ms=20, cap_ms=CAP_MS)
    closed = type(mqtt_proxy.place.board)(mqtt_proxy.place.board.host, CLOSED_PORT)
    first, second = (_waits_said(board_mqtt, closed) for _ in range(2))
    assert first != second


def _waits_said(board_mqtt: BoardMqtt, closed: Endpoint) -> list[int]:
    """The first waits, in ms, of a client that nobody answers."""
    since, waits = board_mqtt.console.mark(), []
    board_mqtt.connect(closed, reconnect=True, wait_ms=0)
    for _ in range(TIMES):
        event = board_mqtt.wait_state("waiting", since)
        since = event.after
        waits.append(event.fields.integer("wait_ms"))
    board_mqtt.disconnect()
    return waits


def _fresh_session(advised: Advised) -> None:
    """A persistent session without history, on the broker and on the board."""
    advised.connect(clean=True)
    advised.board.forget()
    assert not advised.connect(clean=False)


def _try_in_vain(advised: Advised) -> Backoff:
    """A connection that lasts at all ends the back-off, so that each round begins anew."""
    advised.board.ask("mqtt.timing", connack_ms=CONNACK_MS)
    advised.board.ask("mqtt.retry", base_ms=BASE_MS, cap_ms=CAP_MS, stable_ms=0)
    return unanswered(advised.proxy, advised.board.thing, advised.connect, rounds=ROUNDS, allowed_s=ROUND_S)


def _throw_out(advised: Advised, strike: Callable[[str], int]) -> Backoff:
    """A connection that was there for a moment does not end the back-off: the waits go on to grow.

    With half of each window fixed, so that five waits tell growth from chance.
    """
    advised.board.ask("mqtt.retry", base_ms=BASE_MS, cap_ms=CAP_MS, stable_ms=60_000, jitter="equal")
    advised.connect()
    return thrown_out(advised.proxy, advised.board.thing, strike, times=TIMES, allowed_s=ROUND_S)


class _Taken:
    """The measurements of a back-off case; the limits judge them."""

    def __init__(self, measure: CaseMeasure, counted: str, *, with_jitter: bool = False) -> None:
        self._waits = measure.declare("mqtt.backoff.wait", "ms", "max")
        self._count = measure.declare(f"mqtt.backoff.{counted}", "1")
        self._first = int(counted == "connects")  # of each round, the first connect has no wait before it
        self._growth = measure.declare("mqtt.backoff.growth", "1")
        self._jitter = measure.declare("mqtt.backoff.jitter", "1") if with_jitter else None

    def set(self, backoff: Backoff, advised: Advised) -> None:
        """Sets them all."""
        context = {"base_ms": BASE_MS, "cap_ms": CAP_MS, "tls": advised.tls, "rounds": len(backoff.rounds)}
        self._waits.samples([1000 * wait for wait in backoff.waits], context)
        self._count.value(len(backoff.waits) + self._first * len(backoff.rounds), context)
        self._growth.value(backoff.growth, context)
        if self._jitter is not None:
            self._jitter.value(backoff.jitter, context)
