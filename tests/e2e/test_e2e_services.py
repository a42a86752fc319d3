# SPDX-License-Identifier: MIT
"""Services in a run: started when a case asks, one set for all cases, log kept, no key left anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import verify
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = """\
import socket
import ssl

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


def test_a_run_starts_them_once_and_leaves_nothing(place: BenchPlace) -> None:
    done = place.pytest(place.suite("net", CASES))
    assert done.code == 0, done.out + done.err
    run = place.run()
    assert {name: case.outcome for name, case in cases_of(run).items()} == {
        "one": Outcome.PASS,
        "two": Outcome.PASS,
    }
    log = run.path / "artifacts" / "mps2" / "broker.log"
    assert log.read_text().count(" running") == 2  # one broker, restarted once
    assert verify(run) == ()
    assert _private_keys_in(place.folder) == []


def _private_keys_in(folder: Path) -> list[Path]:
    mark = b"PRIVATE" + b" KEY-----"
    return [path for path in folder.rglob("*") if path.is_file() and mark in path.read_bytes()]
