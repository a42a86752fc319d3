# SPDX-License-Identifier: MIT
"""No tie to our broker: the suites that speak MQTT against RabbitMQ, which is given by a file and no more."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest

from rig.deadline import Deadline, poll
from rig.services.given import read_services
from rig.services.pki import Authority
from tests.e2e.bench_place import processes_of
from tests.e2e.second_broker import second_broker
from tests.services.client import PlainClient

pytestmark = pytest.mark.slow
THING = "rig-mps2"


def test_it_serves_a_plain_client_and_the_shadow_and_leaves_nothing(tmp_path: Path) -> None:
    before = _mappers()
    with second_broker(tmp_path, THING) as path:
        services = read_services(path, emulated=True)
        authority = Authority.load(tmp_path / "ca.pem", tmp_path / "ca.key.pem")
        assert services.mqtt is not None
        with (
            PlainClient(services.mqtt.host, "plain") as plain,
            PlainClient(services.mqtts.host, "tls", authority=authority, identity=services.rig) as rig,
        ):
            rig.subscribe("#", "$aws/#")
            plain.publish("thing/x", b"1", qos=0)
            assert rig.next().payload == b"1"
            rig.subscribe(f"$aws/things/{THING}/shadow/update/accepted")
            rig.publish(f"$aws/things/{THING}/shadow/update", {"state": {"reported": {"a": 1}}})
            while not (message := rig.next()).topic.endswith("accepted"):
                pass
            assert json.loads(message.payload)["version"] == 1
        assert len(processes_of(tmp_path)) >= 1
    assert poll(lambda: not processes_of(tmp_path), Deadline.after(10))
    assert _mappers() <= before


def _mappers() -> set[int]:
    """Erlang's port mappers that run as this user; it starts them by itself and leaves them behind."""
    found = psutil.process_iter(["name", "uids"])
    return {p.pid for p in found if p.info["name"] == "epmd" and p.info["uids"].real == os.getuid()}
