# SPDX-License-Identifier: MIT
"""The host's side of the latency suite against the lab's own services: it does what its figures say."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from rig.deadline import Deadline, poll
from rig.events import RunClock
from rig.links.fields import Fields
from rig.links.interfaces import Reply
from rig.links.mqtt import MqttPlace, MqttTls
from rig.links.mqtt_peer import MqttPeer
from rig.pytest_plugin import latency
from rig.pytest_plugin.latency import HostClient, amount, counted_us, timed_us
from rig.services.lab import Lab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Broker, echo servers, certificates."""
    with Lab("rig-latency") as running:
        yield running


@pytest.fixture
def client(lab: Lab) -> HostClient:
    """The host's client."""
    services = lab.services
    place = services.mqtts.host
    tls = MqttTls(services.ca_file, services.rig.certificate, services.rig.private_key)
    where = MqttPlace(place.host, place.port, tls)
    return HostClient(services, lambda: MqttPeer(where, RunClock()))


def test_a_connection_is_made_for_every_sample(lab: Lab, client: HostClient) -> None:
    place = lab.echo.plain().place.host
    taken = client.tcp_connect_us(place.host, place.port, 20)
    assert len(taken) == 20
    assert all(0 < us < 1e6 for us in taken)


@pytest.mark.parametrize("resumed", [False, True])
def test_handshakes_are_whole_or_resumed_as_the_server_saw_them(
    lab: Lab, client: HostClient, resumed: bool
) -> None:
    server = lab.echo.tls()
    before = len(server.handshakes)
    taken = client.handshake_us(server.place.host.host, server.place.host.port, 6, resumed=resumed)
    assert len(taken) == 6
    assert poll(lambda: len(server.handshakes) == before + 6 + resumed, Deadline.after(10))
    seen = server.handshakes[before:]
    assert [handshake.outcome for handshake in seen] == ["done"] * (6 + resumed)
    assert [handshake.resumed for handshake in seen[-6:]] == [resumed] * 6
    assert {handshake.version for handshake in seen} == {"TLSv1.2"}


def test_sessions_and_messages_are_those_of_the_broker(client: HostClient) -> None:
    assert len(client.mqtt_connect_us(3)) == 3
    for qos in (0, 1, 2):
        taken = client.publish_us(f"latency/{qos}", qos, 256, 20, echo=True)
        assert len(taken) == 20
    acknowledged = sorted(client.publish_us("latency/ack", 1, 16, 40, echo=False))
    assert acknowledged[20] < 30_000, "a small packet waited for the acknowledgement of the one before"


def test_what_is_timed_is_timed() -> None:
    waits = Deadline.after(0.02)

    def act() -> None:
        while not waits.expired:
            random.random()

    assert 15_000 < timed_us(act) < 2_000_000


def test_the_boards_samples_are_its_counter_in_microseconds() -> None:
    class Board:
        """Answers mqtt.samples."""

        def request(self, command: str, args: object, *, deadline: Deadline) -> Reply:
            assert (command, args) == ("mqtt.samples", {"offset": 0, "count": 4})
            assert not deadline.expired
            return Reply(Fields(), (Fields(o="0", s="61A8,1:2"), Fields(o="3", s="C350")))

    assert counted_us(Board(), 4, 25_000_000) == [1000.0, 1000.0, 1000.0, 2000.0]  # type: ignore[arg-type]


@pytest.mark.parametrize(("whole", "expected"), [(True, 1000), (False, 20)])
def test_evidence_takes_the_whole_amount(whole: bool, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "WHOLE", whole)
    assert amount(1000, 20) == expected
