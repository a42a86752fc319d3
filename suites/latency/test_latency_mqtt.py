# SPDX-License-Identifier: MIT
"""How long MQTT takes on the board, each beside the same by a client on the host; reconnects; the shadow.

As in ``test_latency.py``: on the paced clock, the board's own time where its commands tell it.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.pytest_plugin.latency import (
    BY_COUNTER,
    PATIENCE_MS,
    PATIENCE_S,
    amount,
    ask,
    counted_us,
    timed_us,
)

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.events import Scalar
    from rig.links.console_link import ConsoleLink
    from rig.links.interfaces import Mark
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.connectivity import Broker, Endpoint, ServiceSet
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.latency import HostClient, Latency, LineState
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = [pytest.mark.board_feature("network"), pytest.mark.arrangement(clock="paced", network=True)]

SIZES = (16, 256, 1024, 4096)
OUTSIDE = "outside, from the command to its answer, the console's way included"
OUTSIDE_DELTA = "outside, from the host's publish to the board's event"


@pytest.mark.board_feature("mqtt")
@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_mqtt_connect(
    request: pytest.FixtureRequest,
    console: ConsoleLink,
    board_mqtt: BoardMqtt,
    services: ServiceSet,
    line: LineState,
    latency: Latency,
    host_client: HostClient,
    kind: str,
) -> None:
    """From nothing to CONNACK: name, TCP, TLS where there is TLS, and the session."""
    count = amount(30, 3)
    board_mqtt.connect(_broker(request, services, kind), tls=kind == "tls", wait_ms=PATIENCE_MS)
    taken = _measured(console, "none", 0, 0, count, "connack")
    latency.board(f"mqtt.connect.{kind}", taken, line, BY_COUNTER)
    if line.idle and kind == "tls":
        latency.host("mqtt.connect.tls", host_client.mqtt_connect_us(count))


@pytest.mark.board_feature("mqtt")
@pytest.mark.parametrize("until", ["ack", "echo"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_publish(
    request: pytest.FixtureRequest,
    console: ConsoleLink,
    board_mqtt: BoardMqtt,
    services: ServiceSet,
    line: LineState,
    latency: Latency,
    host_client: HostClient,
    qos: int,
    until: str,
) -> None:
    """Until the broker's last answer, and until the message came back; by size of the payload."""
    if qos == 0 and until == "ack":
        pytest.skip("QoS 0 has no acknowledgement")
    endpoint, tls = _any_broker(request, services)
    board_mqtt.connect(endpoint, tls=tls, wait_ms=PATIENCE_MS)
    topic = board_mqtt.topic(f"latency/{secrets.token_hex(4)}")
    if until == "echo":
        board_mqtt.subscribe([topic], str(qos))
    for size in SIZES:
        operation = f"mqtt.{until}.qos{qos}.{size}"
        count = amount(1000, 20 if line.idle else 10)
        board = _measured(console, topic, qos, size, count, until)
        latency.board(operation, board, line, BY_COUNTER, {"qos": qos, "bytes": size})
        if line.idle:
            place = f"{topic}/host"
            host = host_client.publish_us(place, qos, size, amount(200, 20), echo=until == "echo")
            latency.host(operation, host, {"qos": qos, "bytes": size})


def _measured(console: ConsoleLink, topic: str, qos: int, size: int, count: int, until: str) -> list[float]:
    """Samples by the board; of a bad line in pieces, so that none outlasts a request."""
    found: list[float] = []
    while len(found) < count:
        order: dict[str, int | str] = {
            "topic": topic,
            "qos": qos,
            "length": size,
            "until": until,
            "ms": PATIENCE_MS,
        }
        done = ask(console, "mqtt.measure", count=min(100, count - len(found)), **order)
        assert done.integer("count") > 0, f"it measured nothing: {done}"
        found += counted_us(console, done.integer("count"), done.positive("counter_hz"))
    return found


@pytest.mark.board_feature("mqtt")
@pytest.mark.parametrize("fault", ["link", "broker", "kicked"])
def test_reconnect(
    request: pytest.FixtureRequest,
    board: BoardSession,
    board_mqtt: BoardMqtt,
    services: ServiceSet,
    ethernet: Ethernet,
    local_broker: Broker,
    measure: CaseMeasure,
    fault: str,
) -> None:
    """From the end of the fault until the session is up again, by itself."""
    endpoint, tls = _any_broker(request, services)
    board_mqtt.ask("mqtt.retry", base_ms=100, cap_ms=400, jitter="full")
    board_mqtt.connect(endpoint, tls=tls, reconnect=True, keepalive_s=2)
    back = measure.declare(f"latency.reconnect.{fault}", "ms", "max")
    taken = []
    for _ in range(amount(10, 2)):
        mark = board.console.mark()
        with ethernet.link_down() if fault == "link" else contextlib.nullcontext():
            if fault == "broker":
                local_broker.stop()
            if fault == "kicked":
                local_broker.kick(board_mqtt.thing)
            else:
                mark = board_mqtt.wait_state("waiting", mark).after
            if fault == "broker":
                local_broker.start()
        ended_ns = board.clock.now_ns()
        up = board_mqtt.wait_state("up", mark)
        taken.append(max(0.0, (up.t_ns - ended_ns) / 1e6))
    facts: dict[str, Scalar] = {"operation": f"reconnect.{fault}", "client": "board", "line": "idle"}
    backoff: dict[str, Scalar] = {"backoff": "100 ms doubled, at most 400 ms, full jitter", "keepalive_s": 2}
    back.samples(taken, {**facts, **backoff, "taken": "outside, from the fault's end to the board's event"})


def _any_broker(request: pytest.FixtureRequest, services: ServiceSet) -> tuple[Endpoint, bool]:
    """The broker without TLS where it can be had; and whether it is with TLS."""
    kind = "tls" if services.mqtt is None else "plain"
    return _broker(request, services, kind), kind == "tls"


def _broker(request: pytest.FixtureRequest, services: ServiceSet, kind: str) -> Endpoint:
    if kind == "tls":
        request.getfixturevalue("provisioned")
        return services.mqtts.board
    if services.mqtt is None:
        pytest.skip("the broker has no port without TLS")
    return services.mqtt.board


@pytest.mark.board_feature("shadow")
def test_shadow(
    request: pytest.FixtureRequest,
    board_mqtt: BoardMqtt,
    console: ConsoleLink,
    services: ServiceSet,
    mqtt_peer: MqttPeer,
    latency: Latency,
    measure: CaseMeasure,
) -> None:
    """From somebody's wish on the host to the delta at the board; and the board's report to its answer."""
    delta = measure.declare("latency.shadow.delta.idle", "us", "p99")
    update = measure.declare("latency.shadow.update.idle", "us", "p99")
    endpoint, tls = _any_broker(request, services)
    board_mqtt.connect(endpoint, tls=tls, wait_ms=PATIENCE_MS)
    ask(console, "shadow.open", thing=services.thing, qos=1, ms=PATIENCE_MS)
    wish = f"$aws/things/{services.thing}/shadow/update"
    deltas, updates = [], []
    count = amount(50, 5)
    for value in range(count):
        deltas.append(timed_us(lambda: _wished(console, mqtt_peer, wish, value)))  # noqa: B023
        report = f'{{"lamp":{value}}}'
        updates.append(timed_us(lambda: ask(console, "shadow.update", reported=report, ms=PATIENCE_MS)))  # noqa: B023
    facts: dict[str, Scalar] = {"client": "board", "line": "idle"}
    delta.samples(deltas, {**facts, "operation": "shadow.delta", "taken": OUTSIDE_DELTA})
    update.samples(updates, {**facts, "operation": "shadow.update", "taken": OUTSIDE})
    for answer in ("delta", "accepted"):
        mqtt_peer.subscribe(f"{wish}/{answer}")
    latency.host("shadow.delta", [_host_us(mqtt_peer, wish, count + n, "delta") for n in range(count)])
    latency.host("shadow.update", [_host_us(mqtt_peer, wish, n, "accepted") for n in range(count)])
    ask(console, "shadow.delete", ms=PATIENCE_MS)


def _desired(value: int) -> bytes:
    return f'{{"state":{{"desired":{{"lamp":{value}}}}}}}'.encode()


def _host_us(peer: MqttPeer, wish: str, value: int, answer: str) -> float:
    mark = peer.mark()

    def once() -> None:
        peer.publish(wish, _desired(value), qos=1)
        peer.expect(f"{wish}/{answer}", Deadline.after(PATIENCE_S), since=mark)

    return timed_us(once)


def _wished(console: ConsoleLink, peer: MqttPeer, wish: str, value: int) -> None:
    mark = console.mark()
    peer.publish(wish, _desired(value), qos=1)
    _await_delta(console, mark)


def _await_delta(console: ConsoleLink, since: Mark) -> None:
    deadline = Deadline.after(PATIENCE_S)
    while True:
        event = console.wait_event("shadow.message", deadline, since=since)
        if event.fields["kind"] == "delta":
            return
        since = event.after
