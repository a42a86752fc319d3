# SPDX-License-Identifier: MIT
"""Services in a run: started when a case asks, one set for all cases, log kept, no key left anywhere."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rig.evidence.measurement import Outcome
from rig.evidence.reader import verify
from rig.services.lab import Lab
from rig.services.pki import Authority
from tests.e2e.bench_place import BenchPlace, cases_of
from tests.e2e.secrets_of_a_run import COLLECT, keys_in, numbers_of

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

DYING = """\
import os
import signal
import psutil
import socket

def test_stops_it(services, local_broker, board):
    local_broker.stop()
    assert False, "before it started it again"

def test_runs_again(services):
    where = services.mqtt.host
    socket.create_connection((where.host, where.port)).close()

def test_loses_it(services, board):
    (broker,) = (p for p in psutil.Process().children(recursive=True) if p.name() == "mosquitto")
    broker.send_signal(signal.SIGKILL)
    while broker.status() != psutil.STATUS_ZOMBIE:
        pass
    assert not "the broker"

def test_later(board):
    pass
"""


def test_a_run_starts_them_once_and_leaves_nothing(place: BenchPlace) -> None:
    suite = place.suite("net", CASES)
    (suite / "conftest.py").write_text(COLLECT)
    secrets = place.folder / "secrets"
    secrets.mkdir()
    done = place.pytest(suite, env={"RIG_TEST_SECRETS": str(secrets)})
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert {name: case.outcome for name, case in cases_of(run).items()} == {
        "one": Outcome.PASS,
        "two": Outcome.PASS,
    }
    assert cases_of(run)["one"].requirements == ("MqttTest/MQTT_Connect_LWT",)
    assert [(e.kind, e.data) for e in run.events if e.source == "fault"] == [
        ("begin", {"what": "down", "where": "broker", "how": "stop"}),
        ("end", {"what": "down", "where": "broker"}),
    ]
    log = run.path / "artifacts" / "mps2" / "broker.log"
    assert log.read_text().count(" running") == 2  # one broker, restarted once
    assert verify(run) == ()
    for kind in ("html", "junit", "csv"):
        assert place.rig("report", run.path, "--format", kind).code == 0
    numbers = numbers_of(secrets)
    assert {"ca.key.pem", "rig.key.pem", "rig-cloud.key.pem", "server-none.key.pem"} <= set(numbers)
    assert keys_in(run.path, numbers) == []
    assert keys_in(place.folder / ".rig", numbers) == []


def test_a_key_is_found_in_whatever_form(tmp_path: Path) -> None:
    authority = Authority.create()
    files = authority.device("a").write(tmp_path)
    numbers = numbers_of(tmp_path)
    key = serialization.load_pem_private_key(files.private_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    number = key.private_numbers().private_value.to_bytes(32, "big")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    forms = {
        "pem": files.private_key.read_bytes(),
        "der": der,
        "hex": b"data=" + der.hex().encode(),
        "HEX": number.hex().upper().encode(),
        "base64": b"x" + base64.encodebytes(b"?" + der),
        "gzip": gzip.compress(b"log " + der),
    }
    for name, content in forms.items():
        (hidden / name).write_bytes(content)
    (hidden / "harmless").write_text(authority.certificate)
    assert {line.split(":")[0] for line in keys_in(hidden, numbers)} == set(forms)


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


def test_a_broker_that_dies_is_no_failure_of_the_board(place: BenchPlace) -> None:
    done = place.pytest(place.suite("net", DYING))
    assert done.code == 3
    ended = cases_of(place.run())
    outcomes = [ended[name].outcome for name in ("stops_it", "runs_again", "loses_it", "later")]
    assert outcomes == [Outcome.FAIL, Outcome.PASS, Outcome.ERROR, Outcome.SKIPPED]
    assert "the broker was ended by signal 9" in ended["loses_it"].reason
    assert "first cause: the broker was ended by signal 9" in ended["later"].reason


def test_a_missing_broker_is_an_error_with_its_package(place: BenchPlace) -> None:
    folders = os.environ["PATH"].split(os.pathsep)
    without = os.pathsep.join(folder for folder in folders if not (Path(folder) / "mosquitto").exists())
    assert shutil.which("qemu-system-arm", path=without)
    done = place.pytest(place.suite("net", CASES), env={"PATH": without})
    assert done.code == 3
    ended = cases_of(place.run())
    assert (ended["one"].outcome, ended["two"].outcome) == (Outcome.ERROR, Outcome.SKIPPED)
    for case in ended.values():
        assert "'mosquitto' is missing. Install it: apt-get install mosquitto" in case.reason


def test_a_bad_file_of_services_is_wrong_usage(place: BenchPlace) -> None:
    (place.folder / "services.json").write_text("{}")
    done = place.rig("qualify", "--suite", "boot", "--services", place.folder / "services.json")
    assert done.code == 2
    assert "services.json: mqtts: missing" in done.err
    assert place.run_folders() == []
