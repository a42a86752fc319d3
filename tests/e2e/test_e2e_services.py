# SPDX-License-Identifier: MIT
"""Services in a run: started when a case asks, one set for all cases, log kept, no key left anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import verify
from rig.services.lab import Lab
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = """\
import socket
import ssl
import pytest

@pytest.mark.requirement("MqttTest", "MQTT_Connect_LWT")
@pytest.mark.local
def test_one(services, local_broker, echo):
    assert services.mqtt.host == local_broker.plain
    assert services.mqtts.board.host == "mqtt.rig.test"
    assert services.thing == "rig-mps2"
    context = ssl.create_default_context(cadata=services.ca)
    context.load_cert_chain(services.rig.certificate, services.rig.private_key)
    where = services.mqtts.host
    with socket.create_connection((where.host, where.port)) as raw:
        context.wrap_socket(raw, server_hostname=services.mqtts.board.host).close()
    where = echo.plain().place.host
    with socket.create_connection((where.host, where.port)) as stream:
        stream.sendall(b"x")
        assert stream.recv(1) == b"x"

def test_two(services, local_broker, board):
    print("broker", local_broker.plain)
    local_broker.restart()
"""

GIVEN = """\
import pytest

def test_given(services, board):
    assert services.mqtts.board.host == "mqtt.rig.test"
    assert services.mqtt is None
    assert services.thing == "kettle"

@pytest.mark.local
def test_marked(services):
    raise AssertionError

def test_control(local_broker):
    raise AssertionError

def test_echo(echo):
    raise AssertionError
"""


def test_a_run_starts_them_once_and_leaves_nothing(place: BenchPlace) -> None:
    done = place.pytest(place.suite("net", CASES))
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert {name: case.outcome for name, case in cases_of(run).items()} == {
        "one": Outcome.PASS,
        "two": Outcome.PASS,
    }
    assert cases_of(run)["one"].requirements == ("MqttTest/MQTT_Connect_LWT",)
    log = run.path / "artifacts" / "mps2" / "broker.log"
    assert log.read_text().count(" running") == 2  # one broker, restarted once
    assert verify(run) == ()
    assert _private_keys_in(place.folder) == []


def test_with_services_given_none_are_started_and_local_cases_are_skipped(place: BenchPlace) -> None:
    with Lab("kettle") as lab:
        known = lab.services
        device = lab.identity("kettle")
        told = {
            "mqtts": {"host": known.mqtts.host.host, "port": known.mqtts.host.port},
            "ca": str(known.ca_file),
            "thing": "kettle",
            "certificate": str(device.certificate),
            "private_key": str(device.private_key),
        }
        (place.folder / "services.json").write_text(json.dumps(told))
        suite = place.suite("net", GIVEN)
        done = place.pytest(suite, "--services", place.folder / "services.json")
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert {name: case.outcome for name, case in cases_of(run).items()} == {
        "given": Outcome.PASS,
        "marked": Outcome.SKIPPED,
        "control": Outcome.SKIPPED,
        "echo": Outcome.SKIPPED,
    }
    assert "--services was given" in cases_of(run)["marked"].reason
    assert "no ca_private_key" in cases_of(run)["echo"].reason
    assert not list(run.path.glob("artifacts/**/broker.log"))


def test_a_bad_file_of_services_is_wrong_usage(place: BenchPlace) -> None:
    (place.folder / "services.json").write_text("{}")
    done = place.rig("qualify", "--suite", "boot", "--services", place.folder / "services.json")
    assert done.code == 2
    assert "services.json: mqtts: missing" in done.err
    assert place.run_folders() == []


def _private_keys_in(folder: Path) -> list[Path]:
    mark = b"PRIVATE" + b" KEY-----"
    return [path for path in folder.rglob("*") if path.is_file() and mark in path.read_bytes()]
