# SPDX-License-Identifier: MIT
"""How long the board's network takes, each beside the same by a client on the host in the same run.

On the paced clock, on a good line and on one that is 20 ms late and loses one frame of a hundred, each way.
Times are the board's own where its commands tell them; the context of each figure says who took it. In
evidence every cell is measured in full, else a small sample of each.
"""

from __future__ import annotations

import contextlib
import random
import secrets
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.pytest_plugin.latency import BY_COUNTER, BY_TICK, amount, counted_us

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.events import Scalar
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.connectivity import Broker, EchoServers, Endpoint, ServiceSet
    from rig.pytest_plugin.ethernet import Ethernet
    from rig.pytest_plugin.latency import HostClient, Latency, LineState
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = [pytest.mark.board_feature("network"), pytest.mark.arrangement(clock="paced", network=True)]

PATIENCE_MS = 30_000
PATIENCE_S = 40.0
SIZES = (16, 256, 1024, 4096)
THROUGHPUT_BYTES = 256 * 1024


def ask(console: ConsoleLink, command: str, **arguments: int | str) -> dict[str, str]:
    """The reply to a command that may take long."""
    reply = console.request(command, arguments, deadline=Deadline.after(PATIENCE_S), repeat_s=PATIENCE_S)
    return dict(reply.fields)


def network_up(console: ConsoleLink) -> None:
    """The interface has an address."""
    ask(console, "net.up", ms=PATIENCE_MS)


# --- getting onto the network


def test_dhcp(console: ConsoleLink, line: LineState, latency: Latency) -> None:
    """From the interface's start to its address. One that lost a frame waits for the second try."""
    taken = []
    for _ in range(amount(50, 5 if line.idle else 3)):
        ask(console, "net.down")
        taken.append(1000 * float(ask(console, "net.up", ms=PATIENCE_MS)["took_ms"]))
    latency.board("dhcp", taken, line, BY_TICK)


def test_dns(console: ConsoleLink, line: LineState, latency: Latency) -> None:
    """Names that were not asked for before, so that no cache answers."""
    network_up(console)
    names = [f"n{secrets.token_hex(4)}.rig.test" for _ in range(amount(200, 20))]
    taken = [float(ask(console, "net.resolve", host=name, ms=PATIENCE_MS)["took_us"]) for name in names]
    latency.board("dns", taken, line, BY_COUNTER)


# --- connections


def test_tcp_connect(
    console: ConsoleLink, echo: EchoServers, line: LineState, latency: Latency, host_client: HostClient
) -> None:
    network_up(console)
    place = echo.plain().place
    address = ask(console, "net.resolve", host=place.board.host, ms=PATIENCE_MS)["address"]
    count = amount(200, 20)
    taken = []
    for _ in range(count):
        opened = ask(console, "sock.open", host=address, port=place.board.port, ms=PATIENCE_MS)
        taken.append(float(opened["took_us"]))
        ask(console, "sock.close", handle=int(opened["handle"]))
    latency.board("tcp.connect", taken, line, BY_COUNTER)
    if line.idle:
        latency.host("tcp.connect", host_client.tcp_connect_us(place.host.host, place.host.port, count))


@pytest.mark.board_feature("tls")
@pytest.mark.parametrize(("kind", "whole", "sample"), [("full", 30, 3), ("resumed", 60, 5)])
def test_tls_handshake(
    console: ConsoleLink,
    provisioned: object,
    echo: EchoServers,
    line: LineState,
    latency: Latency,
    host_client: HostClient,
    kind: str,
    whole: int,
    sample: int,
) -> None:
    """ECDHE-ECDSA on P-256, both sides with a certificate; resumed by the session of the one before."""
    del provisioned
    network_up(console)
    place = echo.tls().place
    resume = int(kind == "resumed")
    count = amount(whole, sample)
    taken = []
    said: dict[str, str] = {}
    ask(console, "tls.forget")
    for _ in range(count + resume):
        said = ask(
            console,
            "tls.connect",
            host=place.board.host,
            port=place.board.port,
            ms=PATIENCE_MS,
            resume=resume,
        )
        ask(console, "tls.close", handle=int(said["handle"]))
        taken.append((int(said["resumed"]), float(said["handshake_us"])))
    taken = taken[resume:]
    assert {resumed for resumed, _ in taken} == {resume}
    facts = {"suite": said["suite"], "version": said["version"]}
    latency.board(f"tls.{kind}", [us for _, us in taken], line, BY_COUNTER, facts)
    if line.idle:
        took = host_client.handshake_us(place.host.host, place.host.port, count, resumed=bool(resume))
        latency.host(f"tls.{kind}", took)


# --- MQTT


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
    endpoint = services.mqtt.board if services.mqtt is not None else services.mqtts.board
    board_mqtt.connect(endpoint, tls=services.mqtt is None, wait_ms=PATIENCE_MS)
    topic = board_mqtt.topic(f"latency/{secrets.token_hex(4)}")
    if until == "echo":
        board_mqtt.subscribe([topic], str(qos))
    for size in SIZES:
        operation = f"mqtt.{until}.qos{qos}.{size}"
        count = amount(1000 if line.idle else 100, 20 if line.idle else 10)
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
        found += counted_us(console, int(done["count"]), int(done["counter_hz"]))
    return found


@pytest.mark.board_feature("mqtt")
@pytest.mark.parametrize("fault", ["link", "broker", "kicked"])
def test_reconnect(
    board: BoardSession,
    board_mqtt: BoardMqtt,
    services: ServiceSet,
    ethernet: Ethernet,
    local_broker: Broker,
    measure: CaseMeasure,
    fault: str,
) -> None:
    """From the end of the fault until the session is up again, by itself."""
    endpoint = services.mqtt.board if services.mqtt is not None else services.mqtts.board
    board_mqtt.ask("mqtt.retry", base_ms=100, cap_ms=400, jitter="full")
    board_mqtt.connect(endpoint, tls=services.mqtt is None, reconnect=True, keepalive_s=2)
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


def _broker(request: pytest.FixtureRequest, services: ServiceSet, kind: str) -> Endpoint:
    if kind == "tls":
        request.getfixturevalue("provisioned")
        return services.mqtts.board
    if services.mqtt is None:
        pytest.skip("the broker has no port without TLS")
    return services.mqtt.board


# --- throughput, memory, clock


@pytest.mark.parametrize("seed", [random.Random(5).randrange(1 << 31)])
def test_throughput(
    console: ConsoleLink, echo: EchoServers, line: LineState, measure: CaseMeasure, seed: int
) -> None:
    """There and back at once: what a TCP connection carries each way."""
    network_up(console)
    place = echo.plain().place
    rate = measure.declare(f"throughput.tcp.echo.{line.name}", "kB/s")
    size = THROUGHPUT_BYTES if line.idle else THROUGHPUT_BYTES // 8
    opened = ask(console, "sock.open", host=place.board.host, port=place.board.port, ms=PATIENCE_MS)
    handle = int(opened["handle"])
    done = ask(console, "sock.echo", handle=handle, length=size, seed=seed, ms=PATIENCE_MS)
    ask(console, "sock.close", handle=handle)
    assert done["same"] == str(size), f"of {size} bytes {done['same']} came back as they were: {done['end']}"
    rate.value(size / float(done["took_us"]) * 1000, {"bytes": size, "seed": seed, "taken": BY_COUNTER})
