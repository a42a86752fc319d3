# SPDX-License-Identifier: MIT
"""The MQTT link and the proxy at a broker that is not ours: 3.1.1 only, and without a counter of drops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.deadline import Deadline
from rig.events import RunClock, discard
from rig.links.mqtt import MqttPlace, MqttTls
from rig.links.mqtt_capture import MqttCapture
from rig.links.mqtt_peer import MqttPeer
from rig.services.endpoint import LOOPBACK
from rig.services.network.mqtt_identity import lab_termination
from rig.services.network.mqtt_proxy import MqttProxy
from rig.services.pki import Authority
from rig.transcript.messages import read_messages
from tests.e2e.second_broker import second_broker

pytestmark = pytest.mark.slow


def test_capture_peer_and_proxy(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with second_broker(tmp_path, "kettle") as told:
        services = json.loads(told.read_text())
        authority = Authority.load(tmp_path / "ca.pem", tmp_path / "ca.key.pem")
        rig = authority.device("rig").write(own)
        kettle = authority.device("kettle").write(own)
        port = services["mqtts"]["port"]
        termination = lab_termination(authority, own, "localhost")
        with (
            MqttProxy((LOOPBACK, port), RunClock(), discard, tls=termination) as proxy,
            MqttCapture(
                MqttPlace("localhost", port, MqttTls(tmp_path / "ca.pem", rig.certificate, rig.private_key)),
                RunClock(), discard, tmp_path / "mqtt.messages",
            ) as capture,
            MqttPeer(
                MqttPlace(
                    "localhost", proxy.port,
                    MqttTls(tmp_path / "ca.pem", kettle.certificate, kettle.private_key),
                ),
                RunClock(), client="kettle",
            ) as device,
        ):  # fmt: skip
            device.subscribe("kettle/#")
            device.publish("kettle/hot", b"1", qos=1)
            device.publish("$aws/things/kettle/x", b"2", qos=1)
            assert device.expect("kettle/hot", Deadline.after(10), since=0).payload == b"1"
            capture.settle(Deadline.after(10))
            assert {"kettle/hot", "$aws/things/kettle/x"} <= {m.topic for m in capture.messages()}
            assert not capture.counts_drops
            assert capture.losses == ()
            (publish, _) = proxy.log.all("PUBLISH", sender="board")
            assert publish.client == "kettle"
            with proxy.withhold("PINGRESP"):
                assert proxy.reset("kettle") == 1
    assert "kettle/hot" in {m.topic for m in read_messages(tmp_path / "mqtt.messages")}
