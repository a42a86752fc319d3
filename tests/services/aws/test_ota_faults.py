# SPDX-License-Identifier: MIT
"""Each fault switch does what it says, seen by a plain client, and what comes after it is good again."""

from __future__ import annotations

import json
import socket
import time
from http.client import BadStatusLine, HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from rig.errors import UsageFault
from rig.services.aws.fault_switches import KINDS, FaultSwitches
from rig.services.aws.image_server import ImageServer
from tests.services.aws.ota_bench import Cloud, Device
from tests.services.aws.test_image_server import Shop

IMAGE = bytes(value * 7 % 251 for value in range(4_000))
ASK = {"f": 0, "l": 1_000, "n": 4}
PARTS = [IMAGE[first : first + 1_000] for first in range(0, 4_000, 1_000)]


@pytest.fixture
def stream(ota: Cloud, thing_device: Device) -> str:
    """A stream of four blocks."""
    name = ota.offer(IMAGE)[1]
    thing_device.heard(2)
    return name


def _sent(device: Device, stream: str, count: int) -> list[tuple[int, bytes]]:
    came = device.blocks(stream, ASK, count)
    assert device.quiet()
    return [(said["i"], said["p"]) for said in came]


GOOD = list(enumerate(PARTS))


@pytest.mark.parametrize(
    ("kind", "indexes"),
    [
        ("block_lost", [0, 2, 3]),
        ("block_duplicate", [0, 1, 1, 2, 3]),
        ("block_reordered", [0, 2, 1, 3]),
    ],
)
def test_faults_of_the_order_of_blocks(
    ota: Cloud, thing_device: Device, stream: str, kind: str, indexes: list[int]
) -> None:
    ota.service.switches.set(kind, block=1)
    assert _sent(thing_device, stream, len(indexes)) == [GOOD[index] for index in indexes]
    assert ota.service.switches.acted(kind) == 1
    assert _sent(thing_device, stream, 4) == GOOD


def test_a_block_that_is_held_back_comes_after_the_next_of_another_request(
    ota: Cloud, thing_device: Device, stream: str
) -> None:
    ota.service.switches.set("block_reordered", block=3)
    assert _sent(thing_device, stream, 3) == GOOD[:3]
    came = thing_device.blocks(stream, {"f": 0, "l": 1_000, "n": 1}, 2)
    assert [said["i"] for said in came] == [0, 3]


def test_faults_of_a_block(ota: Cloud, thing_device: Device, stream: str) -> None:
    def changed(kind: str, **values: Any) -> dict[str, Any]:
        ota.service.switches.set(kind, block=2, **values)
        came = thing_device.blocks(stream, ASK, 4)
        assert [said for place, said in enumerate(came) if place != 2] == [
            {"f": 0, "l": 1_000, "i": place, "p": PARTS[place]} for place in (0, 1, 3)
        ]
        return came[2]

    good = {"f": 0, "l": 1_000, "i": 2, "p": PARTS[2]}
    corrupt = changed("block_corrupt")
    differing = [a ^ b for a, b in zip(corrupt["p"], PARTS[2], strict=True) if a != b]
    assert len(differing) == 1
    assert differing[0].bit_count() == 1
    assert {**corrupt, "p": PARTS[2]} == good
    assert changed("block_wrong_size") == {**good, "l": 999, "p": PARTS[2][:-1]}
    assert changed("block_wrong_size", by=2) == {**good, "l": 1_002, "p": PARTS[2] + b"\xff\xff"}
    assert changed("block_wrong_file") == {**good, "f": 1, "p": bytes(len(PARTS[2]))}
    assert changed("block_out_of_range") == {**good, "i": 6}
    assert _sent(thing_device, stream, 4) == GOOD


def _rejection(device: Device, stream: str) -> str:
    ((topic, said),) = device.ask(f"streams/{stream}/get/json", ASK).items()
    assert topic == f"streams/{stream}/rejected/json"
    return str(said["o"])


def test_faults_of_a_request(ota: Cloud, thing_device: Device, stream: str) -> None:
    switches = ota.service.switches
    switches.set("stream_version_mismatch", times=2)
    assert [_rejection(thing_device, stream) for _ in range(2)] == ["VersionMismatch"] * 2
    assert _sent(thing_device, stream, 4) == GOOD
    for code in ("InternalError", "ETagMismatch", "Unauthorized"):
        switches.set("stream_rejected", code=code)
        assert _rejection(thing_device, stream) == code
    switches.set("silent_server")
    for _ in range(3):
        thing_device.client.publish(f"{thing_device.base}streams/{stream}/get/json", ASK)
    assert thing_device.quiet()
    assert switches.acted("silent_server") == 3
    switches.clear("silent_server")
    assert _sent(thing_device, stream, 4) == GOOD


def test_a_slow_link_keeps_to_its_speed(ota: Cloud, stream: str) -> None:
    ota.service.switches.set("slow_link", bytes_per_s=10_000)
    topic = f"$aws/things/thing-1/streams/{stream}/get/json"
    messages = ota.service.answer(topic, json.dumps(ASK).encode())
    delays = [message.after_s for message in messages]
    sent = 0
    for message, delay in zip(messages, delays, strict=True):
        sent += len(message.payload)
        assert delay == pytest.approx(sent / 10_000, abs=0.05)
    (more, *_) = ota.service.answer(topic, json.dumps(ASK).encode())
    assert more.after_s > delays[-1]  # what is asked for now comes after what is still under way
    ota.service.switches.clear()
    assert [message.after_s for message in ota.service.answer(topic, json.dumps(ASK).encode())] == [0.0] * 4


def test_faults_of_the_job_document(ota: Cloud, thing_device: Device, stream: str) -> None:
    del stream
    switches = ota.service.switches

    def document() -> Any:
        return thing_device.ask("jobs/$next/get")["jobs/$next/get/accepted"]["execution"]["jobDocument"]

    good = document()
    switches.set("missing_field")
    assert "filesize" not in document()["afr_ota"]["files"][0]
    switches.set("missing_field", field="afr_ota")
    assert document() == {}
    switches.clear()
    for blocks in (1, -1):
        switches.set("filesize_lies", blocks=blocks)
        lie = max(0, len(IMAGE) + blocks * 4_096)
        assert document()["afr_ota"]["files"][0]["filesize"] == lie
    switches.clear()
    switches.set("huge_doc")
    huge = document()
    assert len(json.dumps(huge)) > 1_000_000
    assert huge["afr_ota"] == good["afr_ota"]
    switches.clear()
    assert document() == good


def test_an_offer_that_is_no_json(ota: Cloud, thing_device: Device, stream: str) -> None:
    del stream
    ota.service.switches.set("bad_json", times=1)
    thing_device.client.publish(f"{thing_device.base}jobs/start-next", b"")
    payload = thing_device.client.next().payload
    with pytest.raises(json.JSONDecodeError):
        json.loads(payload)
    assert thing_device.start() is not None


def test_an_offer_that_is_said_twice_also_as_a_notice(ota: Cloud, thing_device: Device) -> None:
    ota.service.switches.set("duplicate_job")
    came = thing_device.after(lambda: ota.offer(IMAGE))
    assert [topic for topic, _ in came] == ["jobs/notify", "jobs/notify-next", "jobs/notify-next"]
    assert came[1] == came[2]
    (one, other) = thing_device.after(
        lambda: thing_device.client.publish(f"{thing_device.base}jobs/start-next", b"")
    )
    assert one == other
    assert ota.service.desk.jobs()[0]["version"] == 2  # said twice, done once


def test_a_job_that_is_cancelled_before_it_is_taken_up(ota: Cloud, thing_device: Device) -> None:
    ota.service.switches.set("cancel_before")
    assert thing_device.start() is None  # nothing to cancel: the switch stays on
    first, second = ota.offer(IMAGE)[0], ota.offer(IMAGE)[0]
    thing_device.heard(3)
    thing_device.client.publish(f"{thing_device.base}jobs/start-next", b"")
    ((topic, said), *notices) = thing_device.heard(3)
    assert topic == "jobs/start-next/accepted"
    assert said["execution"]["jobId"] == second
    assert [where for where, _ in notices] == ["jobs/notify", "jobs/notify-next"]
    states = {job["job_id"]: job["status"] for job in ota.service.desk.jobs()}
    assert states == {first: "CANCELED", second: "IN_PROGRESS"}


def test_a_job_that_comes_with_the_fault_while_the_device_asks(
    ota: Cloud, thing_device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for a job to cancel and the answer."""
    answer = ota.service.jobs.answer
    offered: list[str] = []

    def late(*asked: Any) -> Any:
        if not offered:
            ota.service.switches.set("cancel_before")
            offered.extend(ota.offer(IMAGE)[:1])
        return answer(*asked)

    monkeypatch.setattr(ota.service.jobs, "answer", late)
    assert thing_device.start() is None
    assert {job["job_id"]: job["status"] for job in ota.service.desk.jobs()} == {offered[0]: "CANCELED"}


def test_a_job_that_is_cancelled_at_a_block(ota: Cloud, thing_device: Device, stream: str) -> None:
    execution = thing_device.start()
    ota.service.switches.set("cancel_during", block=2)
    thing_device.blocks(stream, {**ASK, "n": 2}, 2)
    assert ota.service.desk.jobs()[0]["status"] == "IN_PROGRESS"
    thing_device.client.publish(f"{thing_device.base}streams/{stream}/get/json", {**ASK, "o": 2, "n": 1})
    assert {topic for topic, _ in thing_device.heard(3)} == {
        "jobs/notify", "jobs/notify-next", f"streams/{stream}/data/json",
    }  # fmt: skip
    late = thing_device.ask(f"jobs/{execution['jobId']}/update", {"status": "SUCCEEDED"})
    ((_, said),) = late.items()
    assert said["code"] == "InvalidStateTransition"
    assert said["executionState"]["status"] == "CANCELED"


def test_the_first_of_two_jobs_is_cancelled(ota: Cloud, thing_device: Device) -> None:
    ota.service.switches.set("two_jobs_cancel_first")
    first = ota.offer(IMAGE)[0]
    second = ota.offer(IMAGE)[0]
    came = thing_device.heard(4)
    assert came[-1][0] == "jobs/notify-next"
    assert came[-1][1]["execution"]["jobId"] == second
    assert [job["status"] for job in ota.service.desk.jobs()] == ["CANCELED", "QUEUED"]
    assert first != second


def test_a_version_that_goes_on_behind_the_devices_back(
    ota: Cloud, thing_device: Device, stream: str
) -> None:
    del stream
    job = thing_device.start()["jobId"]
    ota.service.switches.set("expected_version_conflict")
    asked = {"status": "IN_PROGRESS", "expectedVersion": 2}
    said = thing_device.ask(f"jobs/{job}/update", asked)[f"jobs/{job}/update/rejected"]
    assert (said["code"], said["executionState"]["versionNumber"]) == ("VersionMismatch", 3)
    asked["expectedVersion"] = 3
    assert f"jobs/{job}/update/accepted" in thing_device.ask(f"jobs/{job}/update", asked)


@pytest.mark.parametrize("kind", ["broker_restart", "client_id_takeover", "half_open_tcp"])
def test_a_fault_of_others_is_told_when_its_block_comes(
    ota: Cloud, thing_device: Device, stream: str, kind: str
) -> None:
    ota.service.switches.set(kind, block=1)
    since = ota.service.history.last()
    thing_device.blocks(stream, {**ASK, "n": 1}, 1)
    assert ota.service.history.since(since) == []
    thing_device.blocks(stream, ASK, 4)
    (event,) = ota.service.history.since(since)
    assert (event["event"], event["fault"], event["block"]) == ("moment", kind, 1)
    thing_device.blocks(stream, ASK, 4)
    assert len(ota.service.history.since(since)) == 1


# --- by HTTP


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A service with images of ten blocks."""
    return Shop(tmp_path)


def _range(server: ImageServer, shop: Shop, block: int) -> tuple[int, bytes, str | None]:
    where = server.endpoint
    connection = HTTPConnection(where.host, where.port, timeout=10)
    try:
        first = 1_000 * block
        connection.request("GET", shop.path(), headers={"Range": f"bytes={first}-{first + 999}"})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("content-range")
    finally:
        connection.close()


def test_faults_over_http(shop: Shop) -> None:
    switches = shop.service.switches
    with ImageServer(shop.service.images.answer) as server:

        def got(kind: str, **values: Any) -> tuple[int, bytes, str | None]:
            switches.set(kind, block=2, **values)
            assert _range(server, shop, 1) == one
            return _range(server, shop, 2)

        one, good = _range(server, shop, 1), _range(server, shop, 2)
        assert good[0] == 206
        with pytest.raises((RemoteDisconnected, BadStatusLine, ConnectionResetError)):
            got("block_lost")
        status, body, where = got("block_corrupt")
        assert (status, where) == (206, good[2])
        assert sum(a != b for a, b in zip(body, good[1], strict=True)) == 1
        assert got("block_wrong_size")[1] == good[1][:-1]
        assert got("block_wrong_file")[1] != good[1]
        assert got("block_reordered") == _range(server, shop, 3)
        assert got("block_out_of_range") == (206, good[1], "bytes 12000-12999/10000")
        assert _range(server, shop, 2) == good
        switches.set("stream_rejected", code="AccessDenied")
        assert _range(server, shop, 2)[0] == 403
        switches.set("stream_version_mismatch")
        assert _range(server, shop, 2)[0] == 412
        assert _range(server, shop, 2) == good


def test_a_job_is_cancelled_at_a_range_too(shop: Shop) -> None:
    shop.service.switches.set("cancel_during", block=2)
    with ImageServer(shop.service.images.answer) as server:
        _range(server, shop, 1)
        assert [job["status"] for job in shop.service.desk.jobs()] == ["QUEUED"]
        assert _range(server, shop, 2)[0] == 206
        assert [job["status"] for job in shop.service.desk.jobs()] == ["CANCELED"]


def test_a_response_that_comes_twice(shop: Shop) -> None:
    shop.service.switches.set("block_duplicate")
    with ImageServer(shop.service.images.answer) as server:
        where = server.endpoint
        with socket.create_connection((where.host, where.port), 10) as raw:
            raw.sendall(f"GET {shop.path(1)} HTTP/1.1\r\nconnection: close\r\n\r\n".encode())
            assert raw.makefile("rb").read().count(b"\r\n\r\nslot b") == 2


def test_a_server_that_says_nothing(shop: Shop) -> None:
    shop.service.switches.set("silent_server")
    with ImageServer(shop.service.images.answer) as server:
        where = server.endpoint
        with socket.create_connection((where.host, where.port), 10) as raw:
            raw.sendall(f"GET {shop.path()} HTTP/1.1\r\n\r\n".encode())
            raw.settimeout(0.3)
            with pytest.raises(TimeoutError):
                raw.recv(1)


def test_a_slow_response(shop: Shop) -> None:
    with ImageServer(shop.service.images.answer) as server:
        shop.service.switches.set("slow_link", bytes_per_s=2_000)
        began = time.monotonic()
        assert _range(server, shop, 0)[0] == 206
        assert time.monotonic() - began > 0.4


def test_a_slow_response_ends_with_the_server(shop: Shop) -> None:
    shop.service.switches.set("slow_link", bytes_per_s=100)
    with ImageServer(shop.service.images.answer) as server:
        where = server.endpoint
        connection = HTTPConnection(where.host, where.port, timeout=10)
        connection.request("GET", shop.path())
        response = connection.getresponse()
    with pytest.raises(IncompleteRead):
        response.read()
    connection.close()


# --- the switches themselves


def test_a_switch_counts_and_goes_off() -> None:
    switches = FaultSwitches()
    assert switches.take("block_lost") is None
    switches.set("block_lost", times=2, block=5)
    assert [switches.take("block_lost", block) is not None for block in (4, 5, 5, 5)] == [
        False,
        True,
        True,
        False,
    ]
    assert switches.acted("block_lost") == 2
    switches.set("slow_link")
    assert all(switches.take("slow_link") == {"bytes_per_s": 4_096} for _ in range(10))
    switches.clear()
    assert switches.take("slow_link") is None


def test_chance_is_of_the_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        switches = FaultSwitches()
        switches.set("block_lost", times=None, share=0.25, seed=seed)
        return [switches.take("block_lost", block) is not None for block in range(400)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 < sum(drawn(1)) < 140


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("block_gone", {}, "no fault 'block_gone'; there are: block_lost, "),
        ("block_lost", {"by": 1}, "fault block_lost has no 'by'; there are: times, block, share, seed"),
        ("block_lost", {"times": 0}, "times must be 1 or more"),
        ("slow_link", {"bytes_per_s": 0}, "bytes_per_s"),
        ("block_lost", {"share": 2}, "share"),
        ("block_lost", {"block": "x"}, "block"),
    ],
)
def test_a_switch_that_there_is_not_is_refused(kind: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        FaultSwitches().set(kind, **values)


def test_every_fault_of_the_list_has_a_switch_here_or_is_named() -> None:
    listed = """block_lost block_duplicate block_reordered block_corrupt block_wrong_size block_wrong_file
        block_out_of_range stream_rejected stream_version_mismatch broker_restart client_id_takeover slow_link
        silent_server half_open_tcp missing_field bad_json huge_doc duplicate_job cancel_before cancel_during
        two_jobs_cancel_first expected_version_conflict filesize_lies"""
    assert set(listed.split()) == set(KINDS)
