# SPDX-License-Identifier: MIT
"""MQTT cases on the transcripts of a run, without board and broker: the same verdicts, or the reason.

A transcript in which the board did something else is judged as a board that did: by the very case that looks
at it, and by no other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.evidence import bundle, journal
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, Done, cases_of

pytestmark = pytest.mark.emulated

FILES = [
    PROJECT / "suites" / "connectivity" / name
    for name in (
        *("test_mqtt.py", "test_mqtt_messages.py", "test_mqtt_connections.py"),
        *("test_device_advisor_mqtt.py", "test_shadow.py", "test_tls.py"),
    )
]
SAMPLE = (
    "subscribe_publish_with_qos_1[plain]",
    "sub_unsub_multiple_topics[plain]",
    "message_that_was_not_handed_on_is_not_acknowledged[plain]",
    "taken_over_by_another_client_of_its_name[plain]",
    "test_publish[plain-1]",
    "test_client_puback_qos1[plain]",
    "test_publish_retry_no_puback[plain]",
    "test_no_ack_pingresp[plain]",
    "test_persistent_session_happy_case[plain]",
    "test_subscribe_publish_with_qos_0[tls]",
    "test_delta_callback[classic-plain]",
    "test_without_a_certificate",
)
"""Of each kind one: console, host's client, its rival, proxy, rule, TLS, shadow; what cannot be played."""
RECORDED_S = 1_800.0 if EVIDENCE else 400.0
NO_PROGRAMS = {"PATH": "/nonexistent"}
"""Neither QEMU nor mosquitto is found then."""

Record = dict[str, Any]


@pytest.fixture(scope="module")
def network_run(module_place: BenchPlace) -> BenchPlace:
    """A bench with a run of MQTT cases on the emulated board, a broker and proxies beside it."""
    chosen = [] if EVIDENCE else ["-k", " or ".join(SAMPLE)]
    done = module_place.start_pytest(*FILES, *chosen).finish(RECORDED_S)
    assert done.code == 0, done.out + done.err
    return module_place


def _played(place: BenchPlace, run: Path, chosen: tuple[str, ...]) -> tuple[Done, Run]:
    """The suites on a run, with no program to be found and so with nothing but that run."""
    selection = [] if EVIDENCE and chosen is SAMPLE else ["-k", " or ".join(chosen)]
    done = place.pytest("--played", run, *FILES, *selection, env=NO_PROGRAMS)
    return done, load_run(place.run_folders()[-1])


def _outcomes(run: Run) -> Mapping[str, Outcome]:
    return {name: case.outcome for name, case in cases_of(run).items()}


def test_the_same_verdicts_without_board_and_broker(network_run: BenchPlace) -> None:
    before = load_run(network_run.run_folders()[0])
    done, after = _played(network_run, before.path, SAMPLE)
    assert done.code == 0, done.out + done.err
    skipped = {name: case.reason for name, case in cases_of(after).items() if case.outcome is Outcome.SKIPPED}
    assert EVIDENCE or set(skipped) == {"without_a_certificate"}
    assert all(reason.startswith("a played transcript has no ") for reason in skipped.values()), skipped
    there = {name: outcome for name, outcome in _outcomes(after).items() if name not in skipped}
    assert there == {name: outcome for name, outcome in _outcomes(before).items() if name in there}
    assert len(there) >= len(SAMPLE) - 1
    figures = [
        [(row.case, row.name, row.p50, row.outcome) for row in run.measurements if row.case in there]
        for run in (before, after)
    ]
    assert figures[0] == figures[1] != []
    assert {event.data["type"] for event in after.events if event.kind == "packet"} >= {"PUBLISH", "PUBACK"}
    assert "probe" not in {event.source for event in after.events}


RETRY, PUBLISHED, ACKNOWLEDGED = (
    "publish_retry_no_puback[plain]", "publish[plain-1]", "client_puback_qos1[plain]",
)  # fmt: skip


def _without_dup(record: Record) -> Record:
    """The board had sent the message again as if it were a new one."""
    if record.get("kind") == "packet" and record["data"].get("dup") is True:
        return {**record, "data": {**record["data"], "dup": False}}
    return record


def _without_publish(record: Record) -> Record | None:
    return None if _is_packet(record, "PUBLISH", "board") else record


def _without_puback(record: Record) -> Record | None:
    return None if _is_packet(record, "PUBACK", "board") else record


def _without_message(record: Record) -> Record | None:
    """The broker had not got it: nobody else did."""
    return None if record.get("kind") == "peer" and record["data"].get("does") == "got" else record


def _is_packet(record: Record, kind: str, sender: str) -> bool:
    said = record.get("data", {})
    return record.get("kind") == "packet" and (said.get("type"), said.get("sender")) == (kind, sender)


CHANGES: Mapping[str, tuple[Callable[[Record], Record | None], str]] = {
    "no DUP flag": (_without_dup, RETRY),
    "no PUBLISH": (_without_publish, PUBLISHED),
    "no PUBACK": (_without_puback, ACKNOWLEDGED),
    "no message": (_without_message, PUBLISHED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_transcript_fails_the_case_that_looks_at_it(change: str, network_run: BenchPlace) -> None:
    how, hit = CHANGES[change]
    run = network_run.run_folders()[0]
    other = _changed(run, network_run.folder / change.replace(" ", "-"), how, hit)
    three = tuple(f"test_{name}" for name in (RETRY, PUBLISHED, ACKNOWLEDGED))
    done, after = _played(network_run, other, three)
    assert done.code == 1, done.out + done.err
    outcomes = _outcomes(after)
    assert outcomes == {
        name: Outcome.FAIL if name == hit else Outcome.PASS for name in (RETRY, PUBLISHED, ACKNOWLEDGED)
    }


def _changed(run: Path, into: Path, how: Callable[[Record], Record | None], hit: str) -> Path:
    """A copy of a run in which the events of one case are changed."""
    shutil.copytree(run, into)
    case = cases_of(load_run(run))[hit]
    end_ns = case.started_ns + case.duration_s * 1e9
    path = into / bundle.JOURNAL
    kept: list[Record] = []
    changed = 0
    for line in path.read_bytes().splitlines():
        record = journal.decode(line)
        assert record is not None
        within = record["type"] == "event" and case.started_ns <= record["t"] <= end_ns
        now = how(record) if within else record
        changed += now is not record
        kept += [now] if now is not None else []
    assert changed, "nothing was changed"
    numbered = ((number, {**record}) for number, record in enumerate(kept))
    path.write_bytes(b"".join(_line(number, record) for number, record in numbered))
    return into


def _line(number: int, record: Record) -> bytes:
    del record["seq"]
    record.pop("crc", None)
    return journal.encode(number, record)


def test_what_no_transcript_has_is_skipped(network_run: BenchPlace) -> None:
    """Control of the broker, servers, a case that is new: each says what is missing."""
    suite = network_run.suite(
        "beyond",
        "def test_broker(board_mqtt, local_broker):\n    pass\n"
        "def test_servers(board, request):\n    request.getfixturevalue('echo')\n"
        "def test_new(board_mqtt, mqtt_peer):\n    pass\n",
    )
    done = network_run.pytest("--played", network_run.run_folders()[0], suite, env=NO_PROGRAMS)
    assert done.code == 3
    reasons = {case.case: case.reason for case in load_run(network_run.run_folders()[-1]).cases}
    assert "has no local_broker" in reasons["broker"]
    assert "has no transcript of this case" in reasons["new"]
    assert "has no transcript of this case" in reasons["servers"]
