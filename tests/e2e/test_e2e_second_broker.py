# SPDX-License-Identifier: MIT
"""No tie to our broker: the suites that speak MQTT against RabbitMQ, which is given by a file and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psutil
import pytest

from rig.deadline import Deadline, poll
from rig.evidence.measurement import Outcome
from rig.services.given import read_services
from rig.services.pki import Authority
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, processes_of
from tests.e2e.second_broker import second_broker
from tests.e2e.secrets_of_a_run import keys_in, numbers_of
from tests.seeds import dice
from tests.services.client import PlainClient

pytestmark = pytest.mark.slow
THING = "rig-mps2"
SUITES = ("test_mqtt.py", "test_mqtt_messages.py", "test_mqtt_connections.py", "test_shadow.py")
SAMPLE = 4
LONGEST_S = 1_800.0 if EVIDENCE else 300.0


def test_it_serves_a_plain_client_and_the_shadow_and_leaves_nothing(tmp_path: Path) -> None:
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
        assert len(_mappers(tmp_path)) == 1
    assert poll(lambda: not processes_of(tmp_path), Deadline.after(10))
    assert _mappers(tmp_path) == []


@pytest.mark.emulated
def test_the_suites_that_speak_mqtt_pass_against_it(place: BenchPlace) -> None:
    """Whole with RIG_EVIDENCE=1, else some cases of it; those that control our broker are SKIPPED."""
    suites = [path for name in SUITES if (path := PROJECT / "suites" / "connectivity" / name).exists()]
    chosen = [] if EVIDENCE else ["-k", " or ".join(_some_of(suites))]
    folder = place.folder / "broker"
    folder.mkdir()
    with second_broker(folder, THING) as services:
        done = place.start_pytest(*suites, "--services", services, *chosen).finish(LONGEST_S)
    run = place.run()
    ended = {case.case: (case.outcome, case.reason) for case in run.cases}
    wrong = {name: how for name, how in ended.items() if how[0] not in (Outcome.PASS, Outcome.SKIPPED)}
    assert (done.code, wrong) == (0, {}), done.out
    skipped = {reason for outcome, reason in ended.values() if outcome is Outcome.SKIPPED}
    assert all("--services" in reason for reason in skipped), skipped
    assert keys_in(run.path, numbers_of(folder)) == []


def _some_of(suites: list[Path]) -> list[str]:
    names = re.findall(r"^def (test_\w+)", "".join(path.read_text() for path in suites), re.MULTILINE)
    return dice("second broker").sample(names, SAMPLE)


def _mappers(folder: Path) -> list[int]:
    """Erlang's port mappers with this broker's home; it starts them by itself and leaves them behind."""
    found = psutil.process_iter(["name", "environ"])  # the environment of other users' processes is None
    mappers = [p for p in found if p.info["name"] == "epmd"]
    return [p.pid for p in mappers if (p.info["environ"] or {}).get("HOME") == str(folder / "home")]
