# SPDX-License-Identifier: MIT
"""The board's device shadow, classic and named, against the service; the cloud's side is a host client.

Nothing here needs a certain service: the topics are those that AWS IoT documents. Each case begins and ends
with a shadow that does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rig.deadline import Deadline

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.links.interfaces import Mark
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace
    from rig.services.service_set import ServiceSet

pytestmark = [
    pytest.mark.board_feature("shadow"),
    pytest.mark.board_feature("mqtt"),
    pytest.mark.arrangement(clock="free", network=True),
]

ANSWER_MS = 15_000
ARRIVES_S = 60.0  # only a busy host, or a board that fails, takes long
NAMES = {"classic": "", "named": "rig"}


@dataclass(frozen=True, slots=True)
class Shadow:
    """One shadow from both sides."""

    board: BoardMqtt
    cloud: MqttPeer
    thing: str
    name: str
    fresh_name: Callable[[], str]

    def topic(self, end: str) -> str:
        """A topic of the service."""
        name = f"/name/{self.name}" if self.name else ""
        return f"$aws/things/{self.thing}/shadow{name}/{end}"

    def open(self, *, qos: int = 1, adopt: bool = False) -> None:
        """The board subscribes to the shadow's topics."""
        name = {"name": self.name} if self.name else {}
        self.board.ask("shadow.open", ANSWER_MS, thing=self.thing, qos=qos, adopt=int(adopt), **name)

    def ask(self, request: str, **arguments: Any) -> Fields:
        """The service's answer to a request of the board."""
        texts = {
            key: json.dumps(value) if isinstance(value, dict) else value for key, value in arguments.items()
        }
        return self.board.ask(f"shadow.{request}", ANSWER_MS, **texts)

    def tell(self, **state: Any) -> str:
        """The cloud updates the shadow; returns the token of its request."""
        token = self.fresh_name()
        payload = json.dumps({"state": state, "clientToken": token}).encode()
        self.cloud.publish(self.topic("update"), payload)
        return token

    def heard(self, end: str, where: Callable[[Any], bool] = lambda _: True, since: int = 0) -> Any:
        """The first message of the service on a topic that the cloud's side got, as JSON."""
        message = self.cloud.expect(
            self.topic(end),
            Deadline.after(ARRIVES_S),
            since=since,
            where=lambda message: where(json.loads(message.payload)),
        )
        return json.loads(message.payload)

    def event(self, kind: str, since: Mark, version: int | None = None) -> Fields:
        """The board's event of a message of the service."""
        deadline = Deadline.after(ARRIVES_S)
        while True:
            event = self.board.console.wait_event("shadow.message", deadline, since=since)
            since = event.after
            if event.fields["kind"] == kind and version in (None, event.fields.integer("version")):
                return event.fields

    def document(self) -> Any:
        """The whole document, asked for by the cloud's side."""
        mark = self.cloud.mark()
        self.cloud.publish(self.topic("get"), b"{}")
        return self.heard("get/accepted", since=mark)


@pytest.fixture(params=NAMES)
def shadow(
    request: pytest.FixtureRequest,
    board_mqtt: BoardMqtt,
    broker_place: BrokerPlace,
    mqtt_peer: MqttPeer,
    services: ServiceSet,
    fresh_name: Callable[[], str],
) -> Iterator[Shadow]:
    """A shadow that does not exist yet; the board is connected, the cloud's side listens."""
    here = Shadow(board_mqtt, mqtt_peer, services.thing, NAMES[request.param], fresh_name)
    board_mqtt.connect(broker_place.endpoint, tls=broker_place.tls)
    mqtt_peer.subscribe(*(here.topic(end) for end in ("get/+", "update/+", "delete/+")))
    _remove(here)
    yield here
    _remove(here)


def _remove(shadow: Shadow) -> None:
    """Deletes it, if it is there."""
    mark = shadow.cloud.mark()
    shadow.cloud.publish(shadow.topic("delete"), b"{}")
    shadow.cloud.expect(shadow.topic("delete/+"), Deadline.after(ARRIVES_S), since=mark)


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.requirement("Shadow", "UpdateGetDelete_QoS0")
@pytest.mark.requirement("Shadow", "UpdateGetDelete_QoS1")
def test_update_get_delete(shadow: Shadow, qos: int) -> None:
    shadow.open(qos=qos)
    missing = shadow.ask("get")
    assert (missing["accepted"], missing["code"]) == ("0", "404")
    updated = shadow.ask("update", reported={"led": "on", "level": 7})
    assert updated["accepted"] == "1"
    assert updated.json("state") == {"reported": {"led": "on", "level": 7}}
    got = shadow.ask("get")
    assert (got["accepted"], got["version"]) == ("1", updated["version"])
    assert got.json("state") == {"reported": {"led": "on", "level": 7}}
    assert shadow.document()["state"] == {"reported": {"led": "on", "level": 7}}
    assert shadow.ask("delete")["accepted"] == "1"
    assert shadow.ask("get")["code"] == "404"


@pytest.mark.requirement("Shadow", "DeltaCallback")
def test_delta_callback(shadow: Shadow, console: ConsoleLink) -> None:
    shadow.open()
    shadow.ask("update", reported={"led": "off", "level": 7})
    mark = console.mark()
    shadow.tell(desired={"led": "on", "level": 7})
    delta = shadow.event("delta", mark)
    assert delta["outcome"] == "ok"
    assert delta.json("state") == {"led": "on"}
    assert shadow.board.ask("shadow.status")["deltas"] == "1"


@pytest.mark.requirement("Shadow", "UpdatedCallback")
def test_updated_callback(shadow: Shadow, console: ConsoleLink) -> None:
    shadow.open()
    first = shadow.ask("update", reported={"led": "off"}).integer("version")
    mark = console.mark()
    shadow.tell(desired={"led": "on"})
    told = shadow.event("update.documents", mark, version=first + 1)
    assert told.json("state") == {"desired": {"led": "on"}, "reported": {"led": "off"}}


@pytest.mark.requirement("DeviceAdvisor", "Shadow_Publish_Reported_State")
def test_shadow_publish_reported_state(shadow: Shadow) -> None:
    shadow.open()
    answer = shadow.ask("update", reported={"firmware": {"version": 3}, "list": [1, 2]}, token="mine")
    heard = shadow.heard("update/accepted", where=lambda told: told.get("clientToken") == "mine")
    assert heard["state"] == {"reported": {"firmware": {"version": 3}, "list": [1, 2]}}
    assert heard["version"] == answer.integer("version")


@pytest.mark.requirement("DeviceAdvisor", "Shadow_Update_Reported_State")
def test_shadow_update_reported_state(shadow: Shadow) -> None:
    """What the cloud asks for, the board does and reports; nothing is left that differs."""
    shadow.open(adopt=True)
    shadow.ask("update", reported={"led": "off", "level": 1})
    shadow.tell(desired={"led": "on", "level": 1, "text": 'ä "quoted" \\ 😀'})
    told = shadow.heard(
        "update/accepted", where=lambda told: told["state"].get("reported", {}).get("led") == "on"
    )
    assert told["state"]["reported"] == {"led": "on", "text": 'ä "quoted" \\ 😀'}
    state = shadow.document()["state"]
    assert state["reported"] == state["desired"]
    assert "delta" not in state


def test_update_of_a_stale_version_is_refused(shadow: Shadow) -> None:
    shadow.open()
    version = shadow.ask("update", reported={"a": 1}).integer("version")
    assert shadow.ask("update", reported={"a": 2}, version=version)["accepted"] == "1"
    refused = shadow.ask("update", reported={"a": 3}, version=version)
    assert (refused["accepted"], refused["code"]) == ("0", "409")
    assert shadow.ask("get").json("state") == {"reported": {"a": 2}}


def test_update_without_a_state_is_refused(shadow: Shadow) -> None:
    shadow.open()
    refused = shadow.ask("update", reported={"a": [None]})
    assert (refused["accepted"], refused["code"]) == ("0", "400")


@pytest.mark.local
def test_delta_of_an_older_version_is_ignored(shadow: Shadow, console: ConsoleLink) -> None:
    """The messages of a service that come late or twice; a real one lets nobody else send them."""
    shadow.open(adopt=True)
    version = shadow.ask("update", reported={"led": "off"}).integer("version")
    shadow.ask("update", reported={"led": "off"})
    before = shadow.board.ask("shadow.status")
    late = {"version": version, "state": {"led": "on"}}
    mark = console.mark()
    shadow.cloud.publish(shadow.topic("update/delta"), json.dumps(late).encode())
    assert shadow.event("delta", mark)["outcome"] == "old"
    after = shadow.board.ask("shadow.status")
    assert after.integer("ignored") == before.integer("ignored") + 1
    assert (after["deltas"], after["version"]) == (before["deltas"], str(version + 1))
    assert shadow.ask("get").json("state") == {"reported": {"led": "off"}}


@pytest.mark.local
def test_malformed_messages_are_counted_and_borne(shadow: Shadow, console: ConsoleLink) -> None:
    shadow.open(adopt=True)
    mark = console.mark()
    for payload in (b"", b"{", b"[1]", b'{"version":"x","state":{}}', b'{"state":{"a":1}}', b"\xff" * 64):
        shadow.cloud.publish(shadow.topic("update/delta"), payload)
    shadow.tell(desired={"led": "on"})
    version = shadow.heard("update/accepted", where=lambda told: "desired" in told["state"])["version"]
    assert shadow.event("delta", mark, version).json("state") == {"led": "on"}
    assert shadow.board.ask("shadow.status")["malformed"] == "6"
