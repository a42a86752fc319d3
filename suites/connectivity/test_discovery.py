# SPDX-License-Identifier: MIT
"""Greengrass discovery: the board asks by HTTPS for the cores of its thing, reads the answer, and uses it."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.links.fields import only

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.links.interfaces import Reply
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.provisioning import Provisioned
    from rig.services.endpoint import Endpoint
    from rig.services.service_set import ServiceSet

pytestmark = [
    pytest.mark.board_feature("discovery"),
    pytest.mark.board_feature("tls"),
    pytest.mark.arrangement(clock="free", network=True),
]

GET_MS = 30_000
REPLY_S = 70.0
REPEATS = 5


class Finder:
    """The board's discovery client."""

    def __init__(self, console: ConsoleLink, place: Endpoint, thing: str) -> None:
        self._console, self._place, self._thing = console, place, thing

    def ask(self, *, thing: str | None = None, port: int | None = None) -> Reply:
        """Asks for a thing, by default the board's own."""
        arguments: dict[str, str | int] = {
            "host": self._place.host,
            "port": port or self._place.port,
            "thing": thing or self._thing,
            "tls": 1,
            "ms": GET_MS,
        }
        return self._console.request(
            "discovery.get", arguments, deadline=Deadline.after(REPLY_S), repeat_s=REPLY_S
        )


@pytest.fixture
def finder(console: ConsoleLink, services: ServiceSet, provisioned: Provisioned) -> Finder:
    """The network is up and the board has an identity."""
    del provisioned
    if services.https is None:
        pytest.skip("the services have no endpoint for HTTPS")
    console.request("net.up", {"ms": GET_MS}, deadline=Deadline.after(REPLY_S), repeat_s=REPLY_S)
    return Finder(console, services.https.board, services.thing)


def rows_of(reply: Reply, kind: str) -> Sequence[Fields]:
    """The data lines of one kind."""
    return [row for row in reply.rows if row["kind"] == kind]


def endpoint_of(core: Fields) -> tuple[str, int]:
    """Where a core is, by the board."""
    return core["host"], core.integer("port")


@pytest.mark.requirement("GreengrassDiscovery", "GetIPandCertificateFromJSON")
def test_get_ip_and_certificate_from_json(finder: Finder, services: ServiceSet) -> None:
    """Its count, its form, and where the discovery service is the rig's: each core as that gave it out."""
    found = finder.ask()
    assert found.fields["code"] == "200"
    cores, cas = rows_of(found, "core"), rows_of(found, "ca")
    assert (len(cores), len(cas)) == (found.fields.integer("cores"), found.fields.integer("cas"))
    assert cores
    assert cas
    for core in cores:
        assert core["group"]
        assert core["host"]
        assert 0 < core.integer("port") < 65_536
    if services.cores:
        assert [(core["group"], endpoint_of(core)) for core in cores] == [
            (core.group, (core.way.host, core.way.port)) for core in services.cores
        ]
    assert all(ca.integer("length") > len("-----BEGIN CERTIFICATE-----") for ca in cas)


@pytest.mark.local
@pytest.mark.requirement("GreengrassDiscovery", "JSONRequestGetFile")
def test_certificates_are_whole(finder: Finder, services: ServiceSet) -> None:
    ca = only(rows_of(finder.ask(), "ca"), "the CA")
    pem = services.ca.encode()
    assert (ca.integer("length"), ca.integer("crc", 16)) == (len(pem), zlib.crc32(pem))


@pytest.mark.requirement("GreengrassDiscovery", "SecureConnectSend")
def test_a_core_that_was_found_is_connected_to(
    finder: Finder, board_mqtt: BoardMqtt, mqtt_peer: MqttPeer, services: ServiceSet
) -> None:
    """The board's own client connects where discovery said, and publishes there: a client there hears it."""
    cores = rows_of(finder.ask(), "core")
    assert cores, "it found no core"
    core, told = cores[0], services.mqtts.board
    if services.cores:
        assert endpoint_of(core) in [(given.way.host, given.way.port) for given in services.cores]
    elif endpoint_of(core) != (told.host, told.port):
        pytest.skip(f"the core {endpoint_of(core)} is not the broker, where the rig could see the board come")
    place = type(services.mqtts.board)(core["host"], core.integer("port"))
    board_mqtt.connect(place, tls=True)
    topic, said = board_mqtt.topic(f"found/{secrets.token_hex(4)}"), secrets.token_bytes(8)
    mqtt_peer.subscribe(topic)
    assert board_mqtt.publish(topic, said, qos=1) > 0
    assert mqtt_peer.expect(topic, Deadline.after(REPLY_S), since=0).payload == said


@pytest.mark.requirement("GreengrassDiscovery", "JSONRequestStart")
def test_requests_one_after_another(finder: Finder) -> None:
    first = finder.ask().rows
    assert all(finder.ask().rows == first for _ in range(REPEATS))


def test_another_thing_is_refused(finder: Finder) -> None:
    found = finder.ask(thing="somebody-else")
    assert found.fields["code"] in {"401", "403", "404"}
    assert found.rows == ()


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a?b=c"])
def test_what_is_no_thing_is_not_asked_for(finder: Finder, console: ConsoleLink, name: str) -> None:
    del finder
    with pytest.raises(CommandRefused) as refused:
        console.request(
            "discovery.get",
            {"host": "localhost", "port": 1, "thing": name, "tls": 0, "ms": 1000},
            deadline=Deadline.after(REPLY_S),
            repeat_s=REPLY_S,
        )
    assert refused.value.code == "value"


def test_nobody_listens(finder: Finder) -> None:
    with pytest.raises(CommandRefused) as refused:
        finder.ask(port=1)
    assert refused.value.code == "refused"
