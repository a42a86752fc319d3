# SPDX-License-Identifier: MIT
"""The Jobs service topic by topic and code by code, through a plain client of a real broker.

The client connects with mutual TLS and under the broker's access rules; what is expected stands here as the
developer guide of AWS IoT says it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rig.deadline import Deadline, poll
from rig.errors import UsageFault
from rig.services.aws.ota import DATABASE
from rig.services.aws.throttle import Throttle
from rig.services.broker import Broker
from rig.services.pki import Authority, IdentityFiles
from tests.services.aws.ota_bench import JOBS, NOW, PLACES, Cloud, Device, device_client
from tests.services.conftest import THING

IMAGE = bytes(range(256)) * 40


def _states(cloud: Cloud) -> list[str]:
    return [job["status"] for job in cloud.service.desk.jobs()]


def _refused(answer: dict[str, Any]) -> tuple[str, str]:
    ((topic, said),) = answer.items()
    assert topic.endswith("/rejected")
    assert said["message"]
    assert said["timestamp"] == NOW
    return topic.removesuffix("/rejected"), said["code"]


def test_the_life_of_a_job(ota: Cloud, thing_device: Device) -> None:
    device = thing_device
    assert device.ask("jobs/get", {"clientToken": "t0"}) == {
        "jobs/get/accepted": {
            "inProgressJobs": [], "queuedJobs": [], "timestamp": NOW, "clientToken": "t0",
        }
    }  # fmt: skip
    assert device.ask("jobs/start-next", b"") == {"jobs/start-next/accepted": {"timestamp": NOW}}
    assert device.ask("jobs/$next/get", b"{}") == {"jobs/$next/get/accepted": {"timestamp": NOW}}

    job, stream = ota.offer(IMAGE)
    summary = {
        "jobId": job, "queuedAt": NOW, "lastUpdatedAt": NOW, "versionNumber": 1, "executionNumber": 1,
    }  # fmt: skip
    document = {
        "afr_ota": {
            "protocols": ["MQTT"],
            "streamname": stream,
            "files": [
                {
                    "filepath": "/image", "filesize": len(IMAGE), "fileid": 0, "certfile": "/signer.pem",
                    "fileType": 0, "sig-sha256-ecdsa": "c2ln",
                }
            ],
        }
    }  # fmt: skip
    execution = {"thingName": THING, "status": "QUEUED", "statusDetails": {}, **summary}
    assert device.heard(2) == [
        ("jobs/notify", {"timestamp": NOW, "jobs": {"QUEUED": [summary]}}),
        ("jobs/notify-next", {"timestamp": NOW, "execution": {**execution, "jobDocument": document}}),
    ]
    assert device.ask("jobs/get")["jobs/get/accepted"]["queuedJobs"] == [summary]
    for name in (job, "$next"):
        with_document = device.ask(f"jobs/{name}/get")[f"jobs/{name}/get/accepted"]
        assert with_document == {"timestamp": NOW, "execution": {**execution, "jobDocument": document}}
        asked = {"includeJobDocument": False, "executionNumber": 1, "clientToken": "x"}
        without = device.ask(f"jobs/{name}/get", asked)[f"jobs/{name}/get/accepted"]
        assert without == {"timestamp": NOW, "execution": execution, "clientToken": "x"}

    ota.now += 3
    started = device.ask("jobs/start-next", {"statusDetails": {"a": "1"}, "clientToken": "t1"})
    running = {
        **execution, "status": "IN_PROGRESS", "statusDetails": {"a": "1"}, "startedAt": NOW + 3,
        "lastUpdatedAt": NOW + 3, "versionNumber": 2,
    }  # fmt: skip
    assert started == {
        "jobs/start-next/accepted": {
            "execution": {**running, "jobDocument": document}, "timestamp": NOW + 3, "clientToken": "t1",
        }
    }  # fmt: skip
    again = device.ask("jobs/start-next", {"statusDetails": {"a": "2"}})
    assert again["jobs/start-next/accepted"]["execution"] == {**running, "jobDocument": document}
    assert len(device.ask("jobs/get")["jobs/get/accepted"]["inProgressJobs"]) == 1

    asked = {"status": "IN_PROGRESS", "statusDetails": {"receive": "1/3"}, "expectedVersion": 2}
    asked |= {"includeJobExecutionState": True, "includeJobDocument": True, "clientToken": "t2"}
    state = {"status": "IN_PROGRESS", "statusDetails": {"receive": "1/3"}, "versionNumber": 3}
    assert device.ask(f"jobs/{job}/update", asked) == {
        f"jobs/{job}/update/accepted": {
            "executionState": state, "jobDocument": document, "timestamp": NOW + 3, "clientToken": "t2",
        }
    }  # fmt: skip
    bare = device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS"})  # details stay as they are
    assert bare == {f"jobs/{job}/update/accepted": {"timestamp": NOW + 3}}
    assert ota.service.desk.jobs()[0]["details"] == {"receive": "1/3"}
    assert device.quiet()  # nothing of all this changes which jobs are pending

    done = {"status": "SUCCEEDED", "statusDetails": {"reason": "accepted v1"}, "expectedVersion": "4"}
    ended = device.after(lambda: device.client.publish(f"{device.base}jobs/{job}/update", done))
    assert ended == [
        (f"jobs/{job}/update/accepted", {"timestamp": NOW + 3}),
        ("jobs/notify", {"timestamp": NOW + 3, "jobs": {}}),
        ("jobs/notify-next", {"timestamp": NOW + 3}),
    ]
    assert _states(ota) == ["SUCCEEDED"]
    assert device.ask("jobs/get")["jobs/get/accepted"]["inProgressJobs"] == []


@pytest.mark.parametrize("status", ["FAILED", "REJECTED", "SUCCEEDED"])
@pytest.mark.parametrize("from_queued", [True, False])
def test_a_device_may_end_a_job_from_either_state(
    ota: Cloud, thing_device: Device, status: str, from_queued: bool
) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    if not from_queued:
        thing_device.start()
    thing_device.ask(f"jobs/{job}/update", {"status": status}, answers=3)
    assert _states(ota) == [status]
    after = thing_device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS", "clientToken": "t"})
    said = after[f"jobs/{job}/update/rejected"]
    assert said["code"] == "InvalidStateTransition"
    assert said["clientToken"] == "t"
    assert said["executionState"]["status"] == status
    assert thing_device.ask(f"jobs/{job}/get")[f"jobs/{job}/get/rejected"]["code"] == "TerminalStateReached"
    assert _states(ota) == [status]


@pytest.mark.parametrize("version", [1, 3, "1", "3", 0, 10**17])
def test_a_stale_version_is_refused_with_the_state(
    ota: Cloud, thing_device: Device, version: int | str
) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    thing_device.start()
    asked = {"status": "SUCCEEDED", "expectedVersion": version}
    said = thing_device.ask(f"jobs/{job}/update", asked)[f"jobs/{job}/update/rejected"]
    assert said["code"] == "VersionMismatch"
    assert said["executionState"] == {"status": "IN_PROGRESS", "statusDetails": {}, "versionNumber": 2}
    asked["expectedVersion"] = 2 if isinstance(version, int) else "2"
    assert f"jobs/{job}/update/accepted" in thing_device.ask(f"jobs/{job}/update", asked)


BAD: list[tuple[str, Any, str]] = [
    ("jobs/get", b"{", "InvalidJson"),
    ("jobs/get", b"[1]", "InvalidJson"),
    ("jobs/get", b"\xff", "InvalidJson"),
    ("jobs/get", b"[" * 5_000, "InvalidJson"),
    ("jobs/get", b'{"clientToken":NaN}', "InvalidJson"),
    ("jobs/get", {"clientToken": "t" * 65}, "InvalidRequest"),
    ("jobs/get", {"clientToken": "é" * 33}, "InvalidRequest"),
    ("jobs/get", {"clientToken": ""}, "InvalidRequest"),
    ("jobs/get", {"clientToken": 7}, "InvalidRequest"),
    ("jobs/start-next", {"statusDetails": "x"}, "InvalidRequest"),
    ("jobs/start-next", {"statusDetails": {"a": 1}}, "InvalidRequest"),
    ("jobs/start-next", {"stepTimeoutInMinutes": 0}, "InvalidRequest"),
    ("jobs/start-next", {"stepTimeoutInMinutes": -1}, "InvalidRequest"),
    ("jobs/start-next", {"stepTimeoutInMinutes": 10_081}, "InvalidRequest"),
    ("jobs/JOB/get", {"includeJobDocument": "yes"}, "InvalidRequest"),
    ("jobs/JOB/get", {"executionNumber": "1"}, "InvalidRequest"),
    ("jobs/JOB/get", {"executionNumber": 2}, "ResourceNotFound"),
    ("jobs/none/get", b"", "ResourceNotFound"),
    ("jobs/none/update", {"status": "FAILED"}, "ResourceNotFound"),
    ("jobs/$next/update", {"status": "FAILED"}, "ResourceNotFound"),
    ("jobs/JOB/update", b"", "InvalidRequest"),
    ("jobs/JOB/update", b"no", "InvalidJson"),
    ("jobs/JOB/update", {"status": "SUCCESS"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "QUEUED"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "CANCELED"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "TIMED_OUT"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "REMOVED"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": ["FAILED"]}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "expectedVersion": "x"}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "expectedVersion": 1.5}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "expectedVersion": -1}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "expectedVersion": True}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "executionNumber": 3}, "ResourceNotFound"),
    ("jobs/JOB/update", {"status": "FAILED", "includeJobExecutionState": 1}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "statusDetails": {"a b": "1"}}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "statusDetails": {"a": ""}}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "statusDetails": {"a": "\n"}}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "statusDetails": {"a": "x" * 1_025}}, "InvalidRequest"),
    (
        "jobs/JOB/update",
        {"status": "FAILED", "statusDetails": {str(n): "x" for n in range(11)}},
        "InvalidRequest",
    ),
    ("jobs/JOB/update", {"status": "FAILED", "stepTimeoutInMinutes": -2}, "InvalidRequest"),
    ("jobs/JOB/update", {"status": "FAILED", "stepTimeoutInMinutes": "5"}, "InvalidRequest"),
    ("jobs/JOB/delete", b"", "InvalidTopic"),
    ("jobs/gets", b"", "InvalidTopic"),
    ("jobs/update", {"status": "FAILED"}, "InvalidTopic"),
]


def test_each_bad_request_is_refused_with_its_code_and_changes_nothing(
    ota: Cloud, thing_device: Device
) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    before = ota.service.desk.jobs()
    for topic, payload, code in BAD:
        topic = topic.replace("JOB", job)
        assert _refused(thing_device.ask(topic, payload)) == (topic, code), payload
    assert thing_device.quiet()
    assert ota.service.desk.jobs() == before


def test_a_refusal_carries_the_token(ota: Cloud, thing_device: Device) -> None:
    del ota
    said = thing_device.ask("jobs/x/update", {"status": "no", "clientToken": "t" * 64})
    assert said["jobs/x/update/rejected"]["clientToken"] == "t" * 64


def test_in_progress_comes_first_then_the_order_of_creation(ota: Cloud, thing_device: Device) -> None:
    jobs = [ota.offer(IMAGE)[0] for _ in range(4)]
    assert [topic for topic, _ in thing_device.heard(5)].count("jobs/notify-next") == 1
    third = jobs[2]
    came = thing_device.after(
        lambda: thing_device.client.publish(
            f"{thing_device.base}jobs/{third}/update", {"status": "IN_PROGRESS"}
        )
    )
    assert [topic for topic, _ in came] == [f"jobs/{third}/update/accepted", "jobs/notify-next"]
    assert came[1][1]["execution"]["jobId"] == third
    pending = thing_device.ask("jobs/get")["jobs/get/accepted"]
    assert [job["jobId"] for job in pending["inProgressJobs"]] == [third]
    assert [job["jobId"] for job in pending["queuedJobs"]] == [jobs[0], jobs[1], jobs[3]]
    done = []
    while (execution := thing_device.start()) is not None:
        done.append(execution["jobId"])
        thing_device.ask(f"jobs/{done[-1]}/update", {"status": "SUCCEEDED"}, answers=3)
    assert done == [third, jobs[0], jobs[1], jobs[3]]


def test_notices_come_exactly_when_due(ota: Cloud, thing_device: Device) -> None:
    def topics(change: Any) -> list[str]:
        return [topic for topic, _ in thing_device.after(lambda: ota.told(change))]

    desk = ota.service.desk
    first, second = ota.offer(IMAGE)[0], ota.offer(IMAGE)[0]
    heard = thing_device.heard(3)
    assert [topic for topic, _ in heard] == ["jobs/notify", "jobs/notify-next", "jobs/notify"]
    assert [job["jobId"] for job in heard[2][1]["jobs"]["QUEUED"]] == [first, second]
    assert topics(lambda: desk.cancel(second)) == ["jobs/notify"]  # another set, the same next one
    third = ota.offer(IMAGE)[0]
    assert thing_device.heard(1)[0][0] == "jobs/notify"
    came = thing_device.after(lambda: ota.told(lambda: desk.cancel(first)))
    assert [topic for topic, _ in came] == ["jobs/notify", "jobs/notify-next"]
    assert came[1][1]["execution"]["jobId"] == third
    thing_device.start()
    assert thing_device.quiet()
    with pytest.raises(UsageFault, match="is IN_PROGRESS"):
        desk.cancel(third)
    assert topics(lambda: desk.cancel(third, force=True)) == ["jobs/notify", "jobs/notify-next"]
    assert _states(ota) == ["CANCELED"] * 3
    with pytest.raises(UsageFault, match="has ended already: CANCELED"):
        desk.cancel(third, force=True)


@pytest.mark.parametrize("end", ["CANCELED", "REMOVED"])
def test_what_an_operator_ends_is_over_for_the_device(ota: Cloud, thing_device: Device, end: str) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    ota.told(lambda: (ota.service.desk.cancel if end == "CANCELED" else ota.service.desk.remove)(job))
    assert [topic for topic, _ in thing_device.heard(2)] == ["jobs/notify", "jobs/notify-next"]
    said = thing_device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS"})[f"jobs/{job}/update/rejected"]
    assert said["code"] == "InvalidStateTransition"
    assert said["executionState"] == {"status": end, "statusDetails": {}, "versionNumber": 2}


def test_a_step_that_takes_too_long_is_timed_out(ota: Cloud, thing_device: Device) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    thing_device.ask("jobs/start-next", {"stepTimeoutInMinutes": 1})
    ota.now += 59
    assert not ota.service.expire()
    thing_device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS", "stepTimeoutInMinutes": 2})
    ota.now += 119
    assert not ota.service.expire()
    ota.now += 1
    assert ota.service.expire()
    ota.outbox.look()
    assert [topic for topic, _ in thing_device.heard(2)] == ["jobs/notify", "jobs/notify-next"]
    assert _states(ota) == ["TIMED_OUT"]
    assert not ota.service.expire()
    late = thing_device.ask(f"jobs/{job}/update", {"status": "SUCCEEDED"})
    assert late[f"jobs/{job}/update/rejected"]["code"] == "InvalidStateTransition"


@pytest.mark.parametrize(
    "update", [{"status": "IN_PROGRESS", "stepTimeoutInMinutes": -1}, {"status": "SUCCEEDED"}]
)
def test_a_step_timer_ends_by_word_and_with_the_job(
    ota: Cloud, thing_device: Device, update: dict[str, Any]
) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    thing_device.ask("jobs/start-next", {"stepTimeoutInMinutes": 1})
    thing_device.client.publish(f"{thing_device.base}jobs/{job}/update", update)
    assert thing_device.heard(1)[0][0] == f"jobs/{job}/update/accepted"
    ota.now += 3_600
    assert not ota.service.expire()
    assert _states(ota) == [update["status"]]


def test_a_step_timer_that_is_not_named_again_goes_on(ota: Cloud, thing_device: Device) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    thing_device.ask("jobs/start-next", {"stepTimeoutInMinutes": 1})
    thing_device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS"})
    ota.now += 60
    assert ota.service.expire()


def test_two_operators_cannot_offer_one_job_twice(ota: Cloud, thing_device: Device) -> None:
    ota.offer(IMAGE, job_id="job-1")
    thing_device.heard(2)
    for thing in (THING, "thing-2"):
        with pytest.raises(UsageFault, match="a job job-1 is there already: for thing-1, QUEUED"):
            ota.offer(IMAGE, job_id="job-1", thing=thing)
    assert thing_device.quiet()
    assert len(ota.service.desk.jobs()) == 1


def test_two_operators_at_once_lose_no_job(ota: Cloud, thing_device: Device) -> None:
    with ThreadPoolExecutor(2) as operators:
        made = list(operators.map(lambda _: ota.offer(IMAGE)[0], range(20)))
    done = []
    thing_device.after(lambda: None)
    while (execution := thing_device.start()) is not None:
        done.append(execution["jobId"])
        thing_device.ask(f"jobs/{done[-1]}/update", {"status": "SUCCEEDED"}, answers=3)
    assert sorted(done) == sorted(made)
    assert done == [job["job_id"] for job in ota.service.desk.jobs()]


def test_things_do_not_see_each_other(
    ota: Cloud, thing_device: Device, broker: Broker, authority: Authority, keys: Path
) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    other = authority.device("thing-2").write(keys)
    with device_client(broker, authority, other) as client:
        stranger = Device(client, "$aws/things/thing-2/", ota.nothing_left)
        client.subscribe(*(topic.replace(THING, "thing-2") for topic in JOBS))
        client.subscribe(*JOBS)  # the broker lets it subscribe, and delivers nothing
        assert stranger.start() is None
        said = stranger.ask(f"jobs/{job}/update", {"status": "FAILED"})
        assert said[f"jobs/{job}/update/rejected"]["code"] == "ResourceNotFound"
        client.publish(f"{thing_device.base}jobs/{job}/update", {"status": "FAILED"})  # the rules drop it
        assert stranger.quiet()
    assert thing_device.quiet()
    assert _states(ota) == ["QUEUED"]


def test_too_many_requests_are_throttled(
    tmp_path: Path, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    throttle = Throttle(1.0, 3)
    with (
        Cloud(tmp_path, broker, authority, throttle=throttle) as cloud,
        device_client(broker, authority, thing) as client,
    ):
        client.subscribe(*JOBS)
        device = Device(client)
        answers = [device.ask("jobs/get") for _ in range(4)]
        assert [list(answer) for answer in answers[:3]] == [["jobs/get/accepted"]] * 3
        assert answers[3]["jobs/get/rejected"]["code"] == "RequestThrottled"
        cloud.now += 1
        assert "jobs/get/accepted" in device.ask("jobs/get")


def test_what_cannot_be_kept_is_an_internal_error(ota: Cloud, thing_device: Device) -> None:
    job, _ = ota.offer(IMAGE)
    thing_device.heard(2)
    assert poll(ota.nothing_left, Deadline.after(10))
    kept = ota.folder / DATABASE
    kept.rename(ota.folder / "away")
    kept.mkdir()
    said = thing_device.ask(f"jobs/{job}/update", {"status": "FAILED", "clientToken": "t"})
    assert said[f"jobs/{job}/update/rejected"]["code"] == "InternalError"
    assert said[f"jobs/{job}/update/rejected"]["clientToken"] == "t"
    kept.rmdir()
    (ota.folder / "away").rename(kept)
    ota.client.check()
    assert _states(ota) == ["QUEUED"]


def test_what_is_kept_outlives_the_service(
    tmp_path: Path, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    with Cloud(tmp_path, broker, authority) as cloud:
        first, second = cloud.offer(IMAGE)[0], cloud.offer(IMAGE)[0]
    with (
        Cloud(tmp_path, broker, authority),
        device_client(broker, authority, thing) as client,
    ):
        client.subscribe(*JOBS)
        device = Device(client)
        assert device.start()["jobId"] == first
        asked = {"status": "IN_PROGRESS", "statusDetails": {"receive": "64/128"}}
        device.ask(f"jobs/{first}/update", asked)
    with (
        Cloud(tmp_path, broker, authority) as cloud,
        device_client(broker, authority, thing) as client,
    ):
        client.subscribe(*JOBS)
        execution = Device(client).start()
        assert (execution["jobId"], execution["versionNumber"]) == (first, 3)
        assert execution["statusDetails"] == {"receive": "64/128"}
        assert [job["job_id"] for job in cloud.service.desk.jobs()] == [first, second]


def test_a_notice_that_could_not_be_said_is_said_by_the_next(
    tmp_path: Path, broker: Broker, authority: Authority, thing: IdentityFiles
) -> None:
    cloud = Cloud(tmp_path, broker, authority)
    job, _ = cloud.offer(IMAGE)  # kept, and killed before anything was said
    with device_client(broker, authority, thing) as client:
        client.subscribe(*JOBS)
        device = Device(client)
        with Cloud(tmp_path, broker, authority) as back:
            came = device.heard(2)
            assert poll(back.nothing_left, Deadline.after(10))
            assert device.quiet()
        assert [topic for topic, _ in came] == ["jobs/notify", "jobs/notify-next"]
        assert came[1][1]["execution"]["jobId"] == job
        with Cloud(tmp_path, broker, authority):
            assert device.quiet()  # and not again


def test_what_the_desk_refuses(ota: Cloud) -> None:
    for said, wrong in {
        "a thing's name is": {"thing": "a/b"},
        "a job's id is": {"job_id": "a b"},
        "no protocol 'ftp'": {"protocol": "ftp"},
    }.items():
        with pytest.raises(UsageFault, match=said):
            ota.offer(IMAGE, **wrong)
    with pytest.raises(UsageFault, match="a job needs a file"):
        ota.offer()
    with pytest.raises(UsageFault, match="no job none"):
        ota.service.desk.cancel("none")
    assert ota.service.desk.jobs() == []


@pytest.mark.parametrize("protocol", PLACES)
def test_an_offer_by_http_has_fresh_addresses(ota: Cloud, thing_device: Device, protocol: str) -> None:
    ota.offer(IMAGE, b"b", protocol=protocol)
    (_, (_, said)) = thing_device.heard(2)
    document = said["execution"]["jobDocument"]["afr_ota"]
    assert document["protocols"] == ["HTTP"]
    assert [file["fileid"] for file in document["files"]] == [0, 1]
    assert all(file["auth_scheme"] == "aws.s3.presigned" for file in document["files"])
    ota.now += 10
    later = thing_device.start()["jobDocument"]["afr_ota"]["files"][0]["update_data_url"]
    assert later.startswith(f"{protocol}://{PLACES[protocol]}/AFR_OTA-")
    assert later != document["files"][0]["update_data_url"]
