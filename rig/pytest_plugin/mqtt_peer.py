# SPDX-License-Identifier: MIT
"""Fixtures of MQTT cases: where the broker is (``broker_place``), and clients of it on the host.

Owns how a case reaches the broker, with and without TLS. Works with any broker of which endpoint and
certificates are known; the client itself is ``rig/links/mqtt_peer.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rig.events import EventSink, discard
from rig.pytest_plugin.current import of_request
from rig.pytest_plugin.played_mqtt import seen_now

if TYPE_CHECKING:
    from rig.links.mqtt_peer import MqttPeer
    from rig.services.endpoint import Endpoint
    from rig.services.service_set import ServiceSet


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where the board finds the broker in this case."""

    endpoint: Endpoint
    tls: bool


@pytest.fixture(params=["plain", "tls"])
def broker_place(request: pytest.FixtureRequest, services: ServiceSet) -> BrokerPlace:
    """The broker, plain and with mutual TLS; a case that takes it runs once with each."""
    if request.param == "plain":
        if services.mqtt is None:
            pytest.skip("the broker has no port without TLS")
        return BrokerPlace(services.mqtt.board, tls=False)
    request.getfixturevalue("provisioned")
    return BrokerPlace(services.mqtts.board, tls=True)


@pytest.fixture
def mqtt_peer(request: pytest.FixtureRequest, services: ServiceSet) -> Iterator[MqttPeer]:
    """A client of the broker on the host, connected with the rig's own identity."""
    with _told(request, services, "") as peer:
        yield peer


@pytest.fixture
def mqtt_rival(request: pytest.FixtureRequest, services: ServiceSet) -> MqttPeer:
    """A client with the board's own client identifier, not connected: ``with`` it a broker throws the board
    out."""
    return _told(request, services, services.thing)


def _told(request: pytest.FixtureRequest, services: ServiceSet, client: str) -> MqttPeer:
    """A client of which the run is told what it does and gets; or what it got in the run that is played."""
    from rig.links.mqtt import MqttPlace
    from rig.links.mqtt_peer import MqttPeer
    from rig.links.mqtt_player import PATIENCE_S

    run, _ = of_request(request)
    if run.board.played is None:
        return host_client(request, services, client, sink=run.sink)
    place = MqttPlace(services.mqtts.board.host, services.mqtts.board.port)
    connect = run.board.played.mqtt.player.connection(client)
    board = run.settings.board.name
    return MqttPeer(
        place, run.clock, client=client, board=board, sink=seen_now(run), connect=connect,
        patience_s=PATIENCE_S,
    )  # fmt: skip


def host_client(
    request: pytest.FixtureRequest, services: ServiceSet, client: str, sink: EventSink = discard
) -> MqttPeer:
    """A client on the host, not connected yet."""
    from rig.links.mqtt import MqttPlace, MqttTls
    from rig.links.mqtt_peer import MqttPeer

    qualification, _ = of_request(request)
    tls = MqttTls(services.ca_file, services.rig.certificate, services.rig.private_key)
    host = services.mqtts.host
    place = MqttPlace(host.host, host.port, tls)
    board = qualification.settings.board.name
    return MqttPeer(place, qualification.clock, client=client, board=board, sink=sink)
