# SPDX-License-Identifier: MIT
"""What the tests of OTA share: the service behind a broker with its clock in the test's hand, and a plain
client as its device. The client knows nothing of the service's code.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rig.deadline import Deadline, poll
from rig.services.aws.cloud_client import CloudClient
from rig.services.aws.job_desk import Order
from rig.services.aws.ota import FILTERS, OtaService
from rig.services.aws.ota_document import OfferedFile
from rig.services.aws.outbox import Outbox
from rig.services.aws.throttle import Throttle
from rig.services.broker import CLOUD, Broker
from rig.services.pki import Authority, IdentityFiles
from tests.services.client import WAIT_S, PlainClient
from tests.services.conftest import THING

NOW = 1_700_000_000
PLACES = {"http": "ota.rig.test:80", "https": "ota.rig.test:443"}
PLENTY = Throttle(10_000, 10_000)
BASE = f"$aws/things/{THING}/"

JOBS = [f"{BASE}jobs/{end}" for end in ("notify", "notify-next", "+/accepted", "+/rejected", "+/+/+")]
STREAMS = [f"{BASE}streams/+/{kind}/+" for kind in ("description", "data", "rejected")]


class Cloud:
    """The service on MQTT while the context is entered."""

    def __init__(
        self, folder: Path, broker: Broker, authority: Authority, *, throttle: Throttle = PLENTY
    ) -> None:
        self.now = float(NOW)
        self.folder = folder
        self.service = OtaService(folder, PLACES, throttle=throttle, now=lambda: self.now)
        ca = folder / "ca.pem"
        ca.write_text(authority.certificate)
        identity = authority.device(CLOUD).write(folder)
        where = broker.tls
        self.client = CloudClient(
            "the OTA service", where, ca, identity, CLOUD, filters=FILTERS, handle=self._handle
        )
        self.outbox = Outbox(self.service.database, self._notice)
        self._stack = ExitStack()

    def __enter__(self) -> Cloud:
        self._stack.enter_context(self.client)
        self._stack.enter_context(self.outbox)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def offer(
        self, *contents: bytes, thing: str = THING, job_id: str | None = None, protocol: str = "mqtt-json"
    ) -> tuple[str, str]:
        """Creates a job of these files; its id and stream."""
        files = [OfferedFile(number, len(content), "c2ln") for number, content in enumerate(contents)]
        made = self.service.desk.create(
            Order(thing, protocol, files, dict(enumerate(contents)), job_id=job_id)
        )
        self.outbox.look()
        return made

    def told(self, change: Callable[[], object]) -> None:
        """Does something on the operator's side, and has said what is due."""
        change()
        self.outbox.look()

    def nothing_left(self) -> bool:
        """Whether all that is due has been said."""
        with self.service.database.reading() as connection:
            return not connection.execute("SELECT id FROM outbox").fetchall()

    def _handle(self, topic: str, payload: bytes) -> None:
        for message in self.service.answer(topic, payload):
            self.client.publish(message.topic, message.payload)
        self.outbox.look()

    def _notice(self, topic: str, payload: bytes) -> Callable[[float], bool]:
        sent = [self.client.publish_surely(topic, said) for said in self.service.finished(payload)]
        return lambda timeout_s: all(arrived(timeout_s) for arrived in sent)


class Device:
    """A thing that asks, and takes the answers apart."""

    def __init__(
        self, client: PlainClient, base: str = BASE, said: Callable[[], bool] = lambda: True
    ) -> None:
        """``said``: whether nothing that the service is to say by itself is left."""
        self.client = client
        self.base = base
        self._said = said

    def ask(self, topic: str, payload: object = b"", answers: int = 1) -> dict[str, Any]:
        """Asks, and returns what came on each topic below the thing."""
        self.client.publish(self.base + topic, payload)
        return dict(self.heard(answers))

    def heard(self, count: int) -> list[tuple[str, Any]]:
        """The next messages: topic below the thing, and the JSON."""
        came = [self.client.next() for _ in range(count)]
        return [(message.topic.removeprefix(self.base), json.loads(message.payload)) for message in came]

    def quiet(self) -> bool:
        """Nothing more comes: what is asked now is answered first."""
        return [topic for topic, _ in self.after(lambda: None)] == []

    def after(self, change: Callable[[], object]) -> list[tuple[str, Any]]:
        """What comes because of a change, up to the answer to a question asked after it."""
        change()
        came = self._until_answered()
        assert poll(self._said, Deadline.after(WAIT_S))
        return came + self._until_answered()

    def _until_answered(self) -> list[tuple[str, Any]]:
        self.client.publish(f"{self.base}jobs/get", {"clientToken": "the end"})
        came: list[tuple[str, Any]] = []
        while not came or came[-1][1].get("clientToken") != "the end":
            came += self.heard(1)
        return came[:-1]

    def start(self) -> Any:
        """Takes the next job up; its execution, or None. Notices that come before the answer are let pass."""
        self.client.publish(f"{self.base}jobs/start-next", b"")
        while True:
            ((topic, said),) = self.heard(1)
            if topic == "jobs/start-next/accepted":
                return said.get("execution")

    def blocks(self, stream: str, request: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """Asks for blocks in JSON; the messages that came, with payloads as bytes."""
        self.client.publish(f"{self.base}streams/{stream}/get/json", request)
        came = self.heard(count)
        assert {topic for topic, _ in came} == {f"streams/{stream}/data/json"}
        return [{**said, "p": base64.b64decode(said["p"])} for _, said in came]


def device_client(broker: Broker, authority: Authority, identity: IdentityFiles) -> PlainClient:
    """A thing's connection with mutual TLS, not entered yet."""
    return PlainClient(broker.tls, authority=authority, identity=identity)
