# SPDX-License-Identifier: MIT
"""``rig services up``: one line when all is ready, what it says is true, and nothing of it is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from rig.deadline import Deadline, poll
from rig.services.endpoint import Endpoint
from rig.services.given import read_services
from rig.services.pki import Authority, IdentityFiles
from tests.services.client import PlainClient

RIG = [sys.executable, "-c", "from rig.cli import main; main()"]

pytestmark = pytest.mark.slow


@contextmanager
def _up(*args: str) -> Iterator[subprocess.Popen[str]]:
    argv = [*RIG, "services", "up", *args]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


def _broker_of(process: subprocess.Popen[str]) -> psutil.Process:
    (broker,) = (p for p in psutil.Process(process.pid).children(recursive=True) if p.name() == "mosquitto")
    return broker


def test_what_it_tells_is_what_qualify_reads_and_it_works(tmp_path: Path) -> None:
    with _up("--json", "--thing", "kettle") as process:
        told = _told(process)
        path = tmp_path / "services.json"
        path.write_text(json.dumps(told))
        services = read_services(path, emulated=True)
        authority = Authority.load(Path(told["ca"]), Path(told["ca_private_key"]))
        where = Endpoint(told["mqtts"]["host"], told["mqtts"]["port"])
        device = IdentityFiles(Path(told["certificate"]), Path(told["private_key"]))
        with (
            PlainClient(where, authority=authority, identity=services.rig) as host,
            PlainClient(where, authority=authority, identity=device) as thing,
        ):
            host.subscribe("#")
            thing.publish("kettle/boils", b"1")
            assert host.next().topic == "kettle/boils"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not Path(told["private_key"]).exists()


def test_its_broker_dies_with_it_also_when_it_is_killed() -> None:
    with _up("--json") as process:
        folder = Path(_told(process)["private_key"]).parent
        broker = _broker_of(process)
        process.kill()
        assert poll(lambda: not broker.is_running() or broker.status() == "zombie", Deadline.after(10))
    with _up("--json") as process:  # the next one clears away what the killed one left
        _told(process)
        assert not folder.exists()


def test_it_ends_when_its_broker_does() -> None:
    with _up("--json") as process:
        _told(process)
        _broker_of(process).kill()
        _, said = process.communicate(timeout=10)
        assert process.returncode == 3
        assert "the broker has ended by itself" in said


@pytest.mark.parametrize("anonymous", [False, True])
def test_others_get_in_without_a_certificate_only_where_that_was_asked_for(anonymous: bool) -> None:
    """The broker's own sockets are asked: what listens beyond this machine, and what is told of it."""
    with _up("--json", "--host", "0.0.0.0", *(["--anonymous"] if anonymous else [])) as process:
        told = _told(process)
        sockets = _broker_of(process).net_connections("tcp")
        beyond = {
            each.laddr.port for each in sockets if each.status == "LISTEN" and each.laddr.ip == "0.0.0.0"
        }
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    ports = {told[name]["port"] for name in ("mqtt", "mqtts") if name in told}
    assert beyond == ports
    assert ("mqtt" in told, "no MQTT without TLS on 0.0.0.0" in said) == (anonymous, not anonymous)


def test_people_get_a_table_without_a_key() -> None:
    with _up() as process:
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "Ready. Ctrl-C ends them.\n"))
        assert [line.split()[0] for line in lines if line.strip()] == [
            *("mqtt", "mqtts", "https", "ca", "thing", "certificate", "private_key")
        ]
        assert "BEGIN" not in "".join(lines)


def test_a_missing_broker_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with _up("--json") as process:
        _, said = process.communicate(timeout=10)
    assert process.returncode == 3
    assert "the program 'mosquitto' is missing. Install it: apt-get install mosquitto" in said
