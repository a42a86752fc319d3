# SPDX-License-Identifier: MIT
"""The OTA service killed at seeded moments while two rigs offer jobs to one thing, which works them off.

The thing is a plain client that behaves as the agent does: it takes jobs up, fetches the image by a bitmap of
what is missing, tells how far it came, and asks again when nothing comes. No job is lost, none is done twice.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rig.deadline import Deadline, poll
from rig.services.lab import Lab
from rig.services.ota_client import ImageFile, OtaControl
from tests.seeds import SEED, dice
from tests.services.aws.ota_bench import BASE, JOBS, STREAMS
from tests.services.client import PlainClient
from tests.services.conftest import THING

pytestmark = pytest.mark.slow

IMAGE = bytes(value * 13 % 253 for value in range(50_000))
BLOCK, WINDOW = 1_000, 16
TOTAL = len(IMAGE) // BLOCK
KILLS = 50 if os.environ.get("RIG_EVIDENCE", "0") not in ("", "0") else 6
_ANSWER_S = 0.3
_MOMENTS = 24
"""The service is killed after up to so many more questions: a job is about twelve."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Services of a lab of its own."""
    with Lab(THING) as running:
        yield running


class Worker:
    """The thing, at work while the context is entered."""

    def __init__(self, client: PlainClient) -> None:
        self.client = client
        self.ended = threading.Event()
        self.versions: dict[str, int] = {}
        self.succeeded: list[str] = []
        self.wrong: list[str] = []
        self.asked = 0
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._thread.join()

    def has_asked(self, times: int) -> bool:
        """Whether it has asked so often, answered or not."""
        return self.asked >= times

    def _work(self) -> None:
        while not self.ended.is_set():
            said = self._ask("jobs/start-next", {})
            if said is not None and "execution" in said[1]:
                self._job(said[1]["execution"])

    def _job(self, execution: dict[str, Any]) -> None:
        job, stream = execution["jobId"], execution["jobDocument"]["afr_ota"]["streamname"]
        if job in self.succeeded:
            self.wrong.append(f"{job} was offered again")
        self._heard(job, execution["versionNumber"])
        got: dict[int, bytes] = {}
        while len(got) < TOTAL and not self.ended.is_set():
            self._fetch(stream, got)
            self._update(job, {"status": "IN_PROGRESS", "statusDetails": {"receive": f"{len(got)}/{TOTAL}"}})
        if b"".join(data for _, data in sorted(got.items())) != IMAGE:
            self.wrong.append(f"{job}: another image came")
        while not self.ended.is_set() and self._update(job, {"status": "SUCCEEDED"}) != "SUCCEEDED":
            pass
        self.succeeded.append(job)

    def _fetch(self, stream: str, got: dict[int, bytes]) -> None:
        """Asks once for the first blocks that are missing, and takes what comes."""
        missing = [block for block in range(TOTAL) if block not in got][:WINDOW]
        bits = sum(1 << (block - missing[0]) for block in missing)
        bitmap = bits.to_bytes((bits.bit_length() + 7) // 8, "little").hex()
        request = {"f": 0, "l": BLOCK, "o": missing[0], "b": bitmap}
        for topic, said in self._answers(f"streams/{stream}/get/json", request, "c", len(missing)):
            if not topic.endswith("/data/json"):
                self.wrong.append(str(said))
                return
            got[said["i"]] = base64.b64decode(said["p"])

    def _update(self, job: str, update: dict[str, Any]) -> str:
        """One update; the status that the service has then, "" where it did not answer."""
        version = self.versions[job]
        asked = {**update, "expectedVersion": version, "includeJobExecutionState": True}
        said = self._ask(f"jobs/{job}/update", asked)
        if said is None:
            return ""
        topic, told = said
        state = told["executionState"]
        if topic.endswith("/accepted") and state["versionNumber"] != version + 1:
            self.wrong.append(f"{version} became {state}")
        if topic.endswith("/rejected") and told["code"] not in ("VersionMismatch", "InvalidStateTransition"):
            self.wrong.append(str(told))
        self._heard(job, state["versionNumber"])
        return str(state["status"])

    def _heard(self, job: str, version: int) -> None:
        if version < self.versions.get(job, 0):
            self.wrong.append(f"{job}: version {version} after {self.versions[job]}")
        self.versions[job] = version

    def _ask(self, topic: str, payload: dict[str, Any]) -> tuple[str, Any] | None:
        """Asks, and the answer to this very question; None where none comes."""
        return next(self._answers(topic, payload, "clientToken", 1), None)

    def _answers(
        self, topic: str, payload: dict[str, Any], name: str, count: int
    ) -> Iterator[tuple[str, Any]]:
        """Asks, and up to so many answers, until none comes for a while. Other questions' are let by."""
        self.asked += 1
        token = str(self.asked)
        self.client.publish(BASE + topic, {**payload, name: token}, qos=0)
        try:
            while count > 0:
                message = self.client.next(_ANSWER_S)
                said = json.loads(message.payload)
                if said.get(name) == token:
                    count -= 1
                    yield message.topic, said
        except queue.Empty:
            return


def test_no_job_is_lost_and_none_is_done_twice(lab: Lab, tmp_path: Path) -> None:
    print(f"RIG_TEST_SEED={SEED}: {KILLS} kills")
    chance, cloud = dice("killed"), lab.ota()
    path = tmp_path / "image.bin"
    path.write_bytes(IMAGE)
    identity = lab.identity(THING)
    jobs: list[str] = []
    with (
        PlainClient(lab.broker.tls, THING, authority=lab.authority, identity=identity) as client,
        ThreadPoolExecutor(2) as rigs,
    ):
        client.subscribe(*JOBS, *STREAMS)
        with Worker(client) as worker:
            for _ in range(KILLS):
                offer = partial(cloud.control.create, THING, [ImageFile(path)], "mqtt-json")
                jobs += [made.result()[0] for made in (rigs.submit(offer), rigs.submit(offer))]
                moment = partial(worker.has_asked, worker.asked + chance.randrange(1, _MOMENTS))
                assert poll(moment, Deadline.after(60), 0.0005)
                cloud.kill()
                cloud.start()
            assert poll(lambda: len(worker.succeeded) >= len(jobs), Deadline.after(30 + 6 * KILLS))
        assert worker.wrong == []
    assert sorted(worker.succeeded) == sorted(jobs)
    kept = {job["job_id"]: job for job in cloud.control.jobs()}
    assert {job["status"] for job in kept.values()} == {"SUCCEEDED"}
    assert {job: told["version"] for job, told in kept.items()} == worker.versions
    ends = [event for event in _history(cloud.control) if event.get("status") == "SUCCEEDED"]
    assert sorted(event["job_id"] for event in ends) == sorted(jobs)


def _history(control: OtaControl) -> list[dict[str, Any]]:
    last = control.last()
    events = []
    for event in control.watch():
        events.append(event)
        if event["number"] == last:
            break
    return events
