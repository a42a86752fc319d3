# SPDX-License-Identifier: MIT
"""The OTA service as a process: killed and back, what it asks others to do (broker, network), its clock, and
a copy of its state that another begins with. Killed at many moments: ``test_ota_kills.py``.
"""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.deadline import Deadline, poll
from rig.errors import LinkLost, RigFault, ToolFault, UsageFault
from rig.events import RunClock
from rig.services.broker import CLOUD
from rig.services.lab import Lab
from rig.services.network.byte_proxy import ByteProxy
from rig.services.network.faults import HalfOpen
from rig.services.ota_client import ImageFile
from rig.services.ota_cloud import OtaCloud, OtaPlace
from rig.services.pki import IdentityFiles
from tests.services.aws.ota_bench import BASE, JOBS, STREAMS, Device
from tests.services.client import PlainClient
from tests.services.conftest import THING

pytestmark = pytest.mark.slow

IMAGE = bytes(value * 13 % 253 for value in range(50_000))
BLOCK = 1_000


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Services of a lab of its own: faults here end the broker."""
    with Lab(THING) as running:
        yield running


@pytest.fixture
def cloud(lab: Lab) -> OtaCloud:
    """Its OTA service."""
    return lab.ota()


@pytest.fixture
def image(tmp_path: Path) -> ImageFile:
    """A file to offer."""
    path = tmp_path / "image.bin"
    path.write_bytes(IMAGE)
    return ImageFile(path)


@pytest.fixture
def identity(lab: Lab) -> IdentityFiles:
    """The device's."""
    return lab.identity(THING)


@pytest.fixture
def device(lab: Lab, cloud: OtaCloud, identity: IdentityFiles) -> Iterator[Device]:
    """A thing that hears everything."""
    del cloud
    with PlainClient(lab.broker.tls, THING, authority=lab.authority, identity=identity) as client:
        client.subscribe(*JOBS, *STREAMS)
        yield Device(client)


def _download(device: Device, stream: str, blocks: list[int]) -> dict[int, bytes]:
    got = {}
    for block in blocks:
        ((said),) = device.blocks(stream, {"f": 0, "l": BLOCK, "o": block, "n": 1}, 1)
        got[said["i"]] = said["p"]
    return got


def test_it_is_killed_in_the_middle_of_a_stream_and_goes_on(
    cloud: OtaCloud, device: Device, image: ImageFile
) -> None:
    job, stream = cloud.control.create(THING, [image], "mqtt-json")
    device.heard(2)
    assert device.start()["jobId"] == job
    got = _download(device, stream, list(range(25)))
    device.ask(f"jobs/{job}/update", {"status": "IN_PROGRESS", "statusDetails": {"receive": "25/50"}})
    cloud.kill()
    with pytest.raises(LinkLost, match="no OTA service answers"):
        cloud.control.jobs()
    cloud.start()
    execution = device.start()
    assert (execution["jobId"], execution["versionNumber"]) == (job, 3)
    assert execution["statusDetails"] == {"receive": "25/50"}
    got |= _download(device, stream, list(range(25, 50)))
    assert b"".join(got[place] for place in range(50)) == IMAGE
    device.ask(f"jobs/{job}/update", {"status": "SUCCEEDED", "expectedVersion": 3}, answers=3)
    assert cloud.control.job(job)["status"] == "SUCCEEDED"
    assert cloud.control.counts()[stream]["blocks"] == 25  # of this life
    cloud.check()


def test_a_notice_survives_that_it_is_killed_while_the_broker_is_away(
    lab: Lab, cloud: OtaCloud, identity: IdentityFiles, image: ImageFile
) -> None:
    lab.broker.stop()
    job, _ = cloud.control.create(THING, [image], "mqtt-json")
    cloud.kill()
    lab.broker.start()
    with PlainClient(lab.broker.tls, authority=lab.authority, identity=identity) as client:
        client.subscribe(*JOBS)
        cloud.start()
        came = Device(client).heard(2)
    assert [topic for topic, _ in came] == ["jobs/notify", "jobs/notify-next"]
    assert came[1][1]["execution"]["jobId"] == job


def test_the_broker_restarts_at_a_block_and_the_service_comes_back(
    lab: Lab, cloud: OtaCloud, identity: IdentityFiles, image: ImageFile
) -> None:
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    cloud.fault("broker_restart", block=3)
    with PlainClient(lab.broker.tls, THING, authority=lab.authority, identity=identity) as client:
        client.subscribe(*STREAMS)
        client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 3, "n": 1})
        assert client.gone.wait(10)
    assert lab.broker.running  # waits for the restart
    lab.check()
    with PlainClient(lab.broker.tls, THING, authority=lab.authority, identity=identity) as client:
        client.subscribe(*STREAMS)

        def answered() -> bool:
            client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 4, "n": 1})
            try:
                return client.next(0.2).topic.endswith("/data/json")
            except queue.Empty:
                return False

        assert poll(answered, Deadline.after(15))


def test_the_device_is_thrown_out_at_a_block(cloud: OtaCloud, device: Device, image: ImageFile) -> None:
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    cloud.fault("client_id_takeover", block=2)
    device.client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 2, "n": 1})
    assert device.client.gone.wait(10)
    cloud.check()


def test_the_network_goes_half_open_at_a_block(
    lab: Lab, cloud: OtaCloud, identity: IdentityFiles, image: ImageFile
) -> None:
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    with pytest.raises(UsageFault, match="nobody can make the fault half_open_tcp here"):
        cloud.fault("half_open_tcp")
    where = lab.broker.tls
    with ExitStack() as stack:
        proxy = stack.enter_context(ByteProxy((where.host, where.port), RunClock(), lambda _: None))
        done = threading.Event()

        def half_open() -> None:
            stack.enter_context(proxy.fault(HalfOpen()))
            done.set()

        cloud.actions["half_open_tcp"] = half_open
        cloud.fault("half_open_tcp", block=1)
        with PlainClient(proxy.place.host, authority=lab.authority, identity=identity) as client:
            client.subscribe(*STREAMS)
            client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 0, "n": 1})
            assert client.next().topic.endswith("/data/json")
            client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 1, "n": 1})
            assert done.wait(10)
            client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "o": 9, "n": 1}, qos=0)
            indexes = []
            while client.messages.qsize():
                indexes.append(client.next().payload)
            with pytest.raises(queue.Empty):
                client.next(0.5)
            assert not client.gone.is_set()
            assert len(indexes) <= 1
    cloud.check()


def test_no_block_comes_before_the_fault_that_is_due_at_it(
    cloud: OtaCloud, device: Device, image: ImageFile
) -> None:
    """However long the fault takes to be made: a device must not be done with the file before it."""
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    device.heard(2)
    silent = threading.Event()

    def slow() -> None:
        with pytest.raises(queue.Empty):
            device.client.next(0.5)
        silent.set()

    cloud.actions["half_open_tcp"] = slow
    cloud.fault("half_open_tcp", block=2)
    (said,) = device.blocks(stream, {"f": 0, "l": BLOCK, "o": 2, "n": 1}, 1)
    assert silent.is_set()
    assert said["i"] == 2
    cloud.check()


def test_an_action_that_fails_is_the_rigs_trouble(cloud: OtaCloud, device: Device, image: ImageFile) -> None:
    def fail() -> None:
        raise ToolFault("no broker")

    cloud.actions["broker_restart"] = fail
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    cloud.fault("broker_restart")
    device.client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": BLOCK, "n": 1})
    assert poll(lambda: cloud.control.acted("broker_restart") == 1, Deadline.after(10))

    def broken() -> bool:
        try:
            cloud.check()
        except ToolFault as fault:
            return fault.message == "no broker"
        return False

    assert poll(broken, Deadline.after(10))


def test_its_clock_goes_on_by_word(cloud: OtaCloud, device: Device, image: ImageFile) -> None:
    job, _ = cloud.control.create(THING, [image], "mqtt-json")
    device.heard(2)
    device.ask("jobs/start-next", {"stepTimeoutInMinutes": 5})
    cloud.control.advance(5 * 60)
    assert [topic for topic, _ in device.heard(2)] == ["jobs/notify", "jobs/notify-next"]
    assert cloud.control.job(job)["status"] == "TIMED_OUT"


def test_a_slow_link_is_slow(cloud: OtaCloud, device: Device, image: ImageFile) -> None:
    _, stream = cloud.control.create(THING, [image], "mqtt-json")
    device.heard(2)
    cloud.control.fault("slow_link", bytes_per_s=10_000)
    device.client.publish(f"{BASE}streams/{stream}/get/json", {"f": 0, "l": 4_000, "n": 2})
    with pytest.raises(queue.Empty):
        device.client.next(0.25)  # 5,400 bytes each in base64: half a second
    assert [said["i"] for _, said in device.heard(2)] == [0, 1]


def test_another_service_begins_with_a_copy_of_its_state(
    cloud: OtaCloud, device: Device, image: ImageFile, tmp_path: Path
) -> None:
    job, stream = cloud.control.create(THING, [image], "mqtt-json")
    device.heard(2)
    device.start()
    state = tmp_path / "copy"
    shutil.copytree(cloud.state, state, ignore=shutil.ignore_patterns("*.sock", "lock", "broker", "echo"))
    cloud.control.snapshot(state / "ota.sqlite")
    device.ask(f"jobs/{job}/update", {"status": "SUCCEEDED"}, answers=3)
    with Lab(THING, state=state) as other:
        (told,) = other.ota().control.jobs()
        assert (told["job_id"], told["status"], told["version"]) == (job, "IN_PROGRESS", 2)
        assert told["stream"] == stream


def test_that_it_ended_by_itself_is_said(lab: Lab, cloud: OtaCloud) -> None:
    assert cloud._child is not None
    cloud._child.kill()
    with pytest.raises(LinkLost, match="the OTA service was ended by signal 9"):
        lab.check()


def test_a_state_that_is_none_is_said(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "ota.sqlite").write_text("no database at all, but long enough to be looked at" * 20)
    place = OtaPlace(lab.broker.tls, lab.services.ca_file, lab.identity(CLOUD), CLOUD, lab.identity("x"))
    with (
        pytest.raises(ToolFault, match=r"the OTA service ended with status 1: .*file is not a database"),
        OtaCloud(THING, place, tmp_path),
    ):
        pass


def test_two_services_do_not_share_a_state(lab: Lab, cloud: OtaCloud, tmp_path: Path) -> None:
    place = OtaPlace(lab.broker.tls, lab.services.ca_file, lab.identity(CLOUD), CLOUD, lab.identity("x"))
    with (
        pytest.raises(ToolFault, match="another OTA service runs on"),
        OtaCloud(THING, place, tmp_path, cloud.state),
    ):
        pass
    cloud.check()


def test_its_socket_refuses_what_it_does_not_know(cloud: OtaCloud, tmp_path: Path) -> None:
    control = cloud.control
    with pytest.raises(UsageFault, match="no order 'dance'; there are: facts, create"):
        control.ask("dance")
    with pytest.raises(RigFault, match="unexpected keyword argument"):
        control.ask("list", all=True)
    with pytest.raises(UsageFault, match="cannot read the image"):
        control.create(THING, [ImageFile(tmp_path / "none")], "http")
    with pytest.raises(UsageFault, match="no job x"):
        control.cancel("x")
    with pytest.raises(UsageFault, match="no fault 'x'"):
        control.fault("x")
    assert oct(control.path.stat().st_mode & 0o777) == "0o600"
    control.check()
