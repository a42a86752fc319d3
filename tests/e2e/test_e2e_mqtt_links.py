# SPDX-License-Identifier: MIT
"""The capture and the proxies in a run: one of each for all cases, their events and files in the bundle."""

from __future__ import annotations

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import verify
from rig.transcript.messages import read_messages
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = """\
import socket
import ssl
import pytest
from rig.deadline import Deadline
from rig.services.network.faults import Delay

HELLO = bytes.fromhex("101000044d515454040200 3c000464756d6d".replace(" ", ""))
SECRET = b"hunter2-secret"
LOGIN = bytes.fromhex("102300044d51545404c2003c0004") + b"dumm" + b"\\0\\x01u\\0\\x0e" + SECRET
KEY = b"-----BEGIN " + b"PRIVATE KEY-----abc-----END " + b"PRIVATE KEY-----"

def connect(place, context=None):
    raw = socket.create_connection((place.host.host, place.host.port), 10)
    return context.wrap_socket(raw, server_hostname=place.board.host) if context else raw

def publish(topic, payload):
    body = len(topic).to_bytes(2, "big") + topic + payload
    return bytes([0x30, len(body) & 0x7f | 0x80, len(body) >> 7]) + body

def test_seen_on_the_wire_and_at_the_broker(mqtt_capture, mqtt_proxy, mqtt_peer):
    assert mqtt_proxy.place.board.host == "mqtt.rig.test"
    mark, since = mqtt_capture.mark(), mqtt_proxy.log.mark()
    with connect(mqtt_proxy.place) as device:
        device.sendall(LOGIN)
        assert device.recv(4)[:1] == b"\\x20"
        for topic, payload in ((b"a/b", b"{}"), (b"$aws/keys", KEY), (b"big", bytes(5000))):
            device.sendall(publish(topic, payload))
        device.sendall(b"\\xc0\\0")
        assert device.recv(2) == b"\\xd0\\0"
    mqtt_proxy.log.expect("closed", Deadline.after(5), since=since)
    mqtt_capture.settle(Deadline.after(5))
    assert [m.topic for m in mqtt_capture.messages(since=mark)] == ["a/b", "$aws/keys", "big"]

def test_withheld_under_tls(mqtt_proxy_tls, services):
    context = ssl.create_default_context(cadata=services.ca)
    context.load_cert_chain(services.rig.certificate, services.rig.private_key)
    with mqtt_proxy_tls.withhold("CONNACK", count=1):
        with connect(mqtt_proxy_tls.place, context) as device:
            device.sendall(HELLO)
            device.settimeout(0.3)
            with pytest.raises(TimeoutError):
                device.recv(1)
    with connect(mqtt_proxy_tls.place, context) as device:
        device.sendall(HELLO)
        assert device.recv(4) == bytes.fromhex("20020000")

def test_broken_on_purpose(byte_proxy, services):
    proxy = byte_proxy(services.mqtt)
    assert byte_proxy(services.mqtt) is proxy
    with proxy.fault(Delay(delay_s=0.05)), connect(proxy.place) as device:
        device.sendall(HELLO)
        assert device.recv(4) == bytes.fromhex("20020000")
"""

FLOOD = """\
import socket
from rig.deadline import Deadline

def test_quiet(mqtt_capture):
    pass

def test_flooded(mqtt_capture, services, monkeypatch):
    monkeypatch.setattr("rig.links.mqtt_capture._QUEUE_MOST", 50)
    where = services.mqtt.host
    with socket.create_connection((where.host, where.port), 10) as device:
        device.sendall(bytes.fromhex("101000044d5154540402003c000464756d6d"))
        assert device.recv(4) == bytes.fromhex("20020000")
        device.sendall(b"\\x30\\x04\\0\\x01a!" * 20000)
        device.sendall(b"\\xc0\\0")
        device.recv(2)
    mqtt_capture.settle(Deadline.after(20))

def test_after(mqtt_capture):
    pass
"""


def test_everything_is_in_the_bundle(place: BenchPlace) -> None:
    done = place.pytest(place.suite("net", CASES))
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert {case.outcome for case in run.cases} == {Outcome.PASS}
    messages = run.path / "artifacts" / "mps2" / "mqtt.messages"
    assert [m.topic for m in read_messages(messages)] == ["a/b", "$aws/keys", "big"]
    kinds = {(event.source, event.kind) for event in run.events}
    assert {("mqtt", "message"), ("mqtt", "packet"), ("mqtt", "connection")} <= kinds
    assert {("fault", "begin"), ("fault", "end")} <= kinds
    assert {event.data["what"] for event in run.events if event.source == "fault"} == {"withhold", "delay"}
    assert {event.board for event in run.events if event.source in ("mqtt", "fault")} == {"mps2"}
    assert messages in run.sensitive
    assert all(path in run.sensitive for path in messages.with_name("mqtt.messages.payloads").iterdir())
    assert verify(run) == ()
    kept = b"".join(
        path.read_bytes() for path in place.folder.rglob("*") if path.is_file() and "runs" in path.parts
    )
    assert b"hunter2-secret" not in kept
    assert b"BEGIN PRIVATE" + b" KEY-----" not in kept


def test_a_loss_is_an_error_of_the_case_and_ends_nothing_else(place: BenchPlace) -> None:
    done = place.pytest(place.suite("net", FLOOD))
    assert done.code == 3, done.out + done.err
    run = place.run()
    assert {name: case.outcome for name, case in cases_of(run).items()} == {
        "quiet": Outcome.PASS,
        "flooded": Outcome.ERROR,
        "after": Outcome.PASS,
    }
    assert "messages lost" in cases_of(run)["flooded"].reason
    assert any(event.kind == "lost" for event in run.events)
