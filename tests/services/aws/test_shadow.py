# SPDX-License-Identifier: MIT
"""The shadow service topic by topic and code by code, through a plain client of the broker.

The client knows nothing of the service's code: what is expected stands here as the guide of AWS IoT says it.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from rig.deadline import Deadline, poll
from rig.errors import RigFault
from rig.services.aws.shadow import ShadowService
from rig.services.aws.shadow_https import ShadowRoute
from rig.services.aws.shadow_mqtt import ShadowClient
from rig.services.aws.shadow_store import ShadowStore
from rig.services.aws.throttle import Throttle
from rig.services.broker import CLOUD, Broker
from rig.services.endpoint import Endpoint
from rig.services.handshake import server_context
from rig.services.https import HttpsServer
from rig.services.pki import Authority, IdentityFiles
from tests.services.client import PlainClient
from tests.services.conftest import THING

PLENTY = Throttle(1_000, 1_000)
NOW = 1_700_000_000
SHADOWS = ["shadow", "shadow/name/config"]


class Cloud:
    """The service behind a broker, its clock in the test's hand."""

    def __init__(self, folder: Path, broker: Broker, authority: Authority) -> None:
        self.now = float(NOW)
        self.path = folder / "shadows.sqlite"
        self.ca = folder / "ca.pem"
        self.ca.write_text(authority.certificate)
        self.identity = authority.device(CLOUD).write(folder)
        self.broker = broker
        self.service = self.made()

    def made(self, throttle: Throttle = PLENTY) -> ShadowService:
        """The service on what is kept."""
        return ShadowService(ShadowStore(self.path), [THING], throttle=throttle, now=lambda: self.now)

    def client(self, service: ShadowService | None = None) -> ShadowClient:
        """It on MQTT."""
        return ShadowClient(service or self.service, self.broker.tls, self.ca, self.identity, CLOUD)


@pytest.fixture
def cloud(tmp_path: Path, broker: Broker, authority: Authority) -> Cloud:
    """A service with nothing kept; not on MQTT yet."""
    return Cloud(tmp_path, broker, authority)


class Device:
    """A thing that asks and takes the answers apart."""

    def __init__(self, client: PlainClient, thing: str = THING) -> None:
        self.client = client
        self.base = f"$aws/things/{thing}/"

    def ask(self, topic: str, payload: object, answers: int = 1) -> dict[str, Any]:
        """Asks, and returns what came on each topic below the thing."""
        self.client.publish(self.base + topic, payload)
        came = [self.client.next() for _ in range(answers)]
        return {message.topic.removeprefix(self.base): json.loads(message.payload) for message in came}

    def quiet(self) -> bool:
        """Nothing more comes: what is asked now is answered first."""
        (topic,) = self.ask("shadow/get", {"clientToken": "quiet"})
        return topic.startswith("shadow/get/")


@pytest.fixture
def device(cloud: Cloud, broker: Broker, authority: Authority, thing: IdentityFiles) -> Iterator[Device]:
    """A thing that hears all that the service says of its shadows."""
    said = ["accepted", "rejected"]
    below = [*(f"{operation}/{how}" for operation in ("get", "update", "delete") for how in said)]
    below += ["update/delta", "update/documents"]
    with cloud.client(), PlainClient(broker.tls, authority=authority, identity=thing) as client:
        base = f"$aws/things/{THING}"
        client.subscribe(
            *(f"{base}/{shadow}/{end}" for shadow in ("shadow", "shadow/name/+") for end in below)
        )
        yield Device(client)


def _stamps(tree: Any, at: int = NOW) -> Any:
    if isinstance(tree, dict):
        return {key: _stamps(value, at) for key, value in tree.items()}
    return [_stamps(value, at) for value in tree] if isinstance(tree, list) else {"timestamp": at}


@pytest.mark.parametrize("shadow", SHADOWS)
def test_the_life_of_a_shadow(device: Device, cloud: Cloud, shadow: str) -> None:
    desired = {"colour": "red", "rgb": [1, 2], "deep": {"a": 1, "b": True}}
    asked = {"state": {"desired": desired}, "clientToken": "t1"}
    first = device.ask(f"{shadow}/update", asked, answers=3)
    facts = {"version": 1, "timestamp": NOW, "clientToken": "t1"}
    kept = {"state": {"desired": desired}, "metadata": {"desired": _stamps(desired)}}
    assert first == {
        f"{shadow}/update/accepted": {**kept, **facts},
        f"{shadow}/update/delta": {"state": desired, "metadata": _stamps(desired), **facts},
        f"{shadow}/update/documents": {
            "previous": {"state": {}, "metadata": {}, "version": 0},
            "current": {**kept, "version": 1},
            "timestamp": NOW,
            "clientToken": "t1",
        },
    }

    cloud.now += 5
    reported = {"colour": "red", "rgb": [1, 2], "deep": {"a": 1}}
    second = device.ask(f"{shadow}/update", {"state": {"reported": reported}, "version": 1}, answers=3)
    later = {"version": 2, "timestamp": NOW + 5}
    stamps = _stamps(reported, NOW + 5)
    accepted = {"state": {"reported": reported}, "metadata": {"reported": stamps}, **later}
    assert second[f"{shadow}/update/accepted"] == accepted
    left = {"deep": {"b": True}}
    assert second[f"{shadow}/update/delta"] == {"state": left, "metadata": _stamps(left), **later}
    assert second[f"{shadow}/update/documents"]["previous"] == {**kept, "version": 1}

    answer = device.ask(f"{shadow}/get", b"")
    whole = {"desired": desired, "reported": reported, "delta": left}
    both = {"desired": _stamps(desired), "reported": stamps}
    assert answer == {f"{shadow}/get/accepted": {"state": whole, "metadata": both, **later}}

    third = device.ask(f"{shadow}/update", {"state": {"reported": {"deep": {"b": True}}}}, answers=2)
    assert set(third) == {f"{shadow}/update/accepted", f"{shadow}/update/documents"}  # no difference is left
    assert device.quiet()

    gone = device.ask(f"{shadow}/delete", {"clientToken": "bye"})
    assert gone == {f"{shadow}/delete/accepted": {"version": 3, "timestamp": NOW + 5, "clientToken": "bye"}}
    assert _refusal(device.ask(f"{shadow}/get", b"")) == (f"{shadow}/get/rejected", 404)
    assert _refusal(device.ask(f"{shadow}/delete", b"")) == (f"{shadow}/delete/rejected", 404)
    again = device.ask(f"{shadow}/update", {"state": {"reported": {"x": 1}}}, answers=2)
    assert again[f"{shadow}/update/accepted"]["version"] == 4


def _refusal(answer: dict[str, Any]) -> tuple[str, int]:
    ((topic, said),) = answer.items()
    assert set(said) - {"clientToken"} == {"code", "message", "timestamp"}
    return topic, said["code"]


def test_classic_and_named_shadows_are_apart(device: Device) -> None:
    for number, shadow in enumerate([*SHADOWS, "shadow/name/other"]):
        device.ask(f"{shadow}/update", {"state": {"reported": {"n": number}}}, answers=2)
    for number, shadow in enumerate([*SHADOWS, "shadow/name/other"]):
        assert device.ask(f"{shadow}/get", b"")[f"{shadow}/get/accepted"]["state"] == {
            "reported": {"n": number}
        }


def test_null_removes_a_leaf_and_a_section(device: Device) -> None:
    device.ask("shadow/update", {"state": {"desired": {"a": 1, "b": {"c": 1, "d": 2}}}}, answers=3)
    removed = {"desired": {"a": None, "b": {"c": None}}}
    answer = device.ask("shadow/update", {"state": removed}, answers=3)
    assert answer["shadow/update/accepted"]["state"] == removed
    assert answer["shadow/update/documents"]["current"]["state"] == {"desired": {"b": {"d": 2}}}
    answer = device.ask("shadow/update", {"state": {"desired": None}}, answers=2)
    assert answer["shadow/update/documents"]["current"]["state"] == {}
    assert answer["shadow/update/accepted"]["metadata"] == {"desired": None}


REFUSED: dict[str, tuple[object, int]] = {
    "malformed JSON": (b'{"state":', 400),
    "no JSON object": (b"[]", 400),
    "nothing": (b"", 400),
    "no state": ({"clientToken": "t"}, 400),
    "null in an array": ({"state": {"desired": {"a": [None]}}}, 400),
    "too deep": (b'{"state":{"desired":' + b'{"a":' * 9 + b"1" + b"}" * 11, 400),
    "token of 65 bytes": ({"state": {}, "clientToken": "t" * 65}, 400),
    "version of text": ({"state": {}, "version": "1"}, 400),
    "stale version": ({"state": {"reported": {"a": 1}}, "version": 7}, 409),
    "too large": ({"state": {"desired": {"a": "x" * 8_192}}}, 413),
    "no UTF-8": (b'{"state":{"desired":{"a":"\xff"}}}', 415),
}


@pytest.mark.parametrize("shadow", SHADOWS)
@pytest.mark.parametrize(("payload", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_update_says_its_code_and_changes_nothing(
    device: Device, shadow: str, payload: object, code: int
) -> None:
    device.ask(f"{shadow}/update", {"state": {"reported": {"kept": 1}}}, answers=2)
    assert _refusal(device.ask(f"{shadow}/update", payload)) == (f"{shadow}/update/rejected", code)
    after = device.ask(f"{shadow}/get", b"")[f"{shadow}/get/accepted"]
    assert (after["version"], after["state"]) == (1, {"reported": {"kept": 1}})


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_get_and_delete_refuse_what_is_no_request(device: Device, operation: str) -> None:
    for payload, code in ((b"{", 400), ({"clientToken": "t" * 65}, 400), (b"\xff", 415), (b"", 404)):
        assert _refusal(device.ask(f"shadow/{operation}", payload)) == (f"shadow/{operation}/rejected", code)


def test_a_refusal_has_the_client_s_token(device: Device) -> None:
    answer = device.ask("shadow/update", {"state": {"x": 1}, "clientToken": "mine"})
    assert answer["shadow/update/rejected"]["clientToken"] == "mine"


@pytest.mark.parametrize(
    ("name", "good"), [("a" * 64, True), ("A:b_c-9", True), ("a" * 65, False), ("a.b", False)]
)
def test_names_of_shadows(device: Device, name: str, good: bool) -> None:
    answer = device.ask(f"shadow/name/{name}/get", b"")
    assert _refusal(answer)[1] == (404 if good else 400)


def test_topics_that_are_none_of_its_own_are_not_answered(device: Device) -> None:
    for topic in ("shadow/put", "shadow/name/x/put", "shadow", "shadow/name/get"):
        device.client.publish(device.base + topic, {"state": {"desired": {"a": 1}}})
    assert device.quiet()


def test_a_thing_that_is_not_registered_is_not_found(
    cloud: Cloud, broker: Broker, authority: Authority, owner: IdentityFiles
) -> None:
    with cloud.client(), PlainClient(broker.tls, authority=authority, identity=owner) as client:
        client.subscribe("$aws/things/nobody/shadow/+/rejected")
        stranger = Device(client, "nobody")
        for operation in ("get", "update", "delete"):
            answer = stranger.ask(f"shadow/{operation}", {"state": {}})
            assert answer[f"shadow/{operation}/rejected"]["message"] == "Thing not found"
            assert _refusal(answer)[1] == 404


def test_another_thing_s_shadow_is_out_of_reach(
    broker: Broker, authority: Authority, device: Device, tmp_path: Path
) -> None:
    other = authority.device("thing-2").write(tmp_path)
    with PlainClient(broker.tls, authority=authority, identity=other) as client:
        client.subscribe(f"$aws/things/{THING}/shadow/update/accepted")
        client.publish(f"$aws/things/{THING}/shadow/update", {"state": {"desired": {"taken": 1}}})
    assert device.quiet()
    assert _refusal(device.ask("shadow/get", b""))[1] == 404
    assert client.messages.empty()


def test_too_many_requests_are_refused_and_later_ones_are_not(
    cloud: Cloud, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    service = cloud.made(Throttle(per_second=2, burst=3))
    with cloud.client(service), PlainClient(broker.tls, authority=authority, identity=thing) as client:
        client.subscribe(f"$aws/things/{THING}/shadow/get/rejected")
        device = Device(client)
        codes = [_refusal(device.ask("shadow/get", b""))[1] for _ in range(5)]
        assert codes == [404, 404, 404, 429, 429]
        cloud.now += 1
        assert [_refusal(device.ask("shadow/get", b""))[1] for _ in range(3)] == [404, 404, 429]


def test_a_store_that_fails_is_an_internal_failure_and_no_silence(cloud: Cloud, device: Device) -> None:
    device.ask("shadow/update", {"state": {"reported": {"a": 1}}}, answers=2)
    good = cloud.path.read_bytes()
    cloud.path.write_bytes(b"no database at all" * 1_000)
    answer = device.ask("shadow/update", {"state": {"reported": {"a": 2}}, "clientToken": "t"})
    assert _refusal(answer) == ("shadow/update/rejected", 500)
    assert answer["shadow/update/rejected"]["clientToken"] == "t"
    cloud.path.write_bytes(good)
    assert device.ask("shadow/get", b"")["shadow/get/accepted"]["state"] == {"reported": {"a": 1}}


def test_shadows_outlive_the_service(
    cloud: Cloud, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    with PlainClient(broker.tls, authority=authority, identity=thing) as client:
        client.subscribe(f"$aws/things/{THING}/shadow/#")
        for number in range(1, 4):
            with cloud.client(cloud.made()):
                client.publish(f"$aws/things/{THING}/shadow/update", {"state": {"reported": {"n": number}}})
                accepted = _next_of(client, "update/accepted")
                assert accepted["version"] == number
        with sqlite3.connect(cloud.path) as kept:
            assert kept.execute("SELECT count(*) FROM shadows").fetchone() == (1,)
        kept.close()


def _next_of(client: PlainClient, end: str) -> dict[str, Any]:
    while not (message := client.next()).topic.endswith(end):
        pass
    answer: dict[str, Any] = json.loads(message.payload)
    return answer


def test_it_comes_back_when_its_broker_does(
    authority: Authority, thing: IdentityFiles, tmp_path: Path
) -> None:
    with Broker(tmp_path / "broker", authority) as broker:
        cloud = Cloud(tmp_path, broker, authority)
        with cloud.client():
            broker.restart()
            with PlainClient(broker.tls, authority=authority, identity=thing) as client:
                client.subscribe(f"$aws/things/{THING}/shadow/get/rejected")
                device = Device(client)
                assert poll(lambda: _answers(device), Deadline.after(10))


def test_what_is_asked_once_it_has_settled_is_answered(
    authority: Authority, thing: IdentityFiles, tmp_path: Path
) -> None:
    with (
        Broker(tmp_path / "broker", authority) as broker,
        Cloud(tmp_path, broker, authority).client() as service,
    ):
        broker.stop()
        broker.start()
        service.settle()
        with PlainClient(broker.tls, authority=authority, identity=thing) as client:
            client.subscribe(f"$aws/things/{THING}/shadow/get/rejected")
            client.publish(f"{Device(client).base}shadow/get", b"")
            assert client.next(timeout_s=10).topic.endswith("get/rejected")


def _answers(device: Device) -> bool:
    """Whether it is back; what is asked while it is away is lost."""
    device.client.publish(f"{device.base}shadow/get", b"")
    with contextlib.suppress(queue.Empty):
        return device.client.next(timeout_s=0.2).topic.endswith("get/rejected")
    return False


def test_without_its_broker_it_says_so(cloud: Cloud, authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path / "gone", authority) as gone:
        cloud.broker = gone
    with pytest.raises(RigFault, match="the shadow service cannot reach the broker at 127"):
        cloud.client().__enter__()


@pytest.fixture
def https(cloud: Cloud, authority: Authority, tmp_path: Path) -> Iterator[Endpoint]:
    """The service on HTTPS and MQTT."""
    identity = authority.server().write(tmp_path)
    with cloud.client() as mqtt:
        route = ShadowRoute(cloud.service, mqtt.announce)
        with HttpsServer(server_context(identity, authority, "wanted"), [route]) as server:
            yield server.endpoint


@pytest.fixture
def http(https: Endpoint, authority: Authority) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Asks by HTTPS with an identity or without: status and body."""

    def ask(
        identity: IdentityFiles | None, method: str, path: str, body: bytes = b""
    ) -> tuple[int, dict[str, Any]]:
        context = ssl.create_default_context(cadata=authority.certificate)
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.private_key)
        connection = HTTPSConnection(https.host, https.port, context=context, timeout=10)
        try:
            connection.request(method, path, body)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    return ask


def test_by_https_the_same_shadows_and_what_mqtt_cannot_say(
    http: Callable[..., tuple[int, dict[str, Any]]], thing: IdentityFiles, device: Device
) -> None:
    path = f"/things/{THING}/shadow"
    status, said = http(thing, "POST", path, json.dumps({"state": {"desired": {"a": 1}}}).encode())
    assert (status, said["version"]) == (200, 1)
    came = {device.client.next().topic.removeprefix(device.base) for _ in range(2)}
    assert came == {"shadow/update/delta", "shadow/update/documents"}
    assert http(thing, "GET", path)[1]["state"] == {"desired": {"a": 1}, "delta": {"a": 1}}
    assert http(thing, "GET", f"{path}?name=config")[0] == 404
    assert http(thing, "GET", f"{path}?name=")[0] == 400
    assert http(thing, "POST", path, b"{")[0] == 400
    assert http(thing, "POST", path, b'{"state":{},"version":9}')[0] == 409
    assert http(thing, "POST", path, b'{"state":{"desired":{"a":"%s"}}}' % (b"x" * 9_000))[0] == 413
    assert http(thing, "POST", path, b"\xff")[0] == 415
    assert http(thing, "DELETE", path) == (200, {"version": 1, "timestamp": NOW})


def test_nobody_and_another_thing_are_told_so_by_https(
    http: Callable[..., tuple[int, dict[str, Any]]], authority: Authority, tmp_path: Path
) -> None:
    path = f"/things/{THING}/shadow"
    assert http(None, "GET", path) == (401, {"code": 401, "message": "Unauthorized"})
    other = authority.device("thing-2").write(tmp_path)
    assert http(other, "GET", path) == (403, {"code": 403, "message": "Forbidden"})
    assert http(other, "PUT", path)[0] == 405
    assert http(other, "GET", "/things")[0] == 404
