# SPDX-License-Identifier: MIT
"""The board with its update agent and the operator's side of it, for tests; and who signs images for them."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rig.bench.session import BoardSession
from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.links.fields import Fields
from rig.pytest_plugin.board_mqtt import BoardMqtt
from rig.services.lab import Lab
from rig.services.ota_client import ImageFile, OtaControl

SLOT_A, SLOT_BYTES = 0x21100000, 0x80000
SIGNER = "signer"
WITHIN_S = 60.0


class Signer:
    """Who signs images: a key, and the certificate that the board is given."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def certificate(self) -> bytes:
        """Its certificate, DER."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "code signer")])
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    def sign(self, content: bytes) -> bytes:
        """The signature over a file, DER."""
        return self._key.sign(content, ec.ECDSA(hashes.SHA256()))


class Rig:
    """The board with its agent, and the operator's side."""

    def __init__(self, session: BoardSession, lab: Lab, folder: Path, signer: Signer) -> None:
        self.session, self.lab, self.folder, self.signer = session, lab, folder, signer
        self.mqtt = BoardMqtt(session.console, lab.thing)

    @property
    def control(self) -> OtaControl:
        """The service's orders."""
        return self.lab.ota().control

    def ask(self, command: str, **arguments: int | str) -> Fields:
        """A console command's answer."""
        deadline = Deadline.after(WITHIN_S)
        return self.session.console.request(command, arguments, deadline=deadline).fields

    def refused(self, command: str, **arguments: int | str) -> str:
        """The code of the refusal that must come."""
        with pytest.raises(CommandRefused) as error:
            self.ask(command, **arguments)
        return error.value.code

    def online(self, automatic: int = 0, **settings: int | str) -> None:
        """Network, broker, agent, whatever was before."""
        if self.ask("mqtt.status")["state"] != "up":
            self.ask("net.up", ms=30_000)
            broker = self.lab.services.mqtt
            assert broker is not None
            self.mqtt.connect(broker.board, reconnect=True)
        self.ask("ota.settings", automatic=automatic, wait_ms=3_000, **settings)
        self.ask("ota.start", thing=self.lab.thing, ms=10_000)

    def offer(
        self,
        content: bytes,
        protocol: str,
        *,
        signature: bytes | None = None,
        certificate: str = SIGNER,
        **other: Any,
    ) -> str:
        """A job with that file for both slots; its id."""
        file = self._file(content, signature or self.signer.sign(content), certificate)
        return self.control.create(self.lab.thing, [file, file], protocol, **other)[0]

    def offer_pair(self, slot_a: bytes, slot_b: bytes, protocol: str) -> str:
        """A job with a file for each slot; its id."""
        files = [self._file(content, self.signer.sign(content), SIGNER) for content in (slot_a, slot_b)]
        return self.control.create(self.lab.thing, files, protocol)[0]

    def _file(self, content: bytes, signature: bytes, certificate: str) -> ImageFile:
        path = self.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.bin"
        path.write_bytes(content)
        return ImageFile(path, signature=base64.b64encode(signature).decode(), certificate=certificate)

    def await_state(self, *states: str) -> Fields:
        """What the agent says once it is in one of these states."""
        said = Fields()

        def there() -> bool:
            said.update(self.ask("ota.status"))
            return said["state"] in states

        assert poll(there, Deadline.after(WITHIN_S), 0.05), said
        return said

    def await_blocks(self, count: int) -> None:
        """Until so many blocks of a new job are there."""
        self.await_state("receiving")
        assert poll(lambda: self.ask("ota.status").integer("got") >= count, Deadline.after(WITHIN_S), 0.02)

    def await_job(self, job: str, status: str) -> Mapping[str, Any]:
        """The job once the service says that of it."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.control.job(job))
            return bool(found["status"] == status)

        assert poll(there, Deadline.after(WITHIN_S), 0.05), found
        return found

    def slot(self, length: int) -> bytes:
        """What slot A begins with, read by the probe."""
        return self.session.probe.read_memory(SLOT_A, length)

    def magic(self) -> bytes:
        """The end of slot A's trailer, read by the probe."""
        return self.session.probe.read_memory(SLOT_A + SLOT_BYTES - 16, 16)

    def settle(self) -> None:
        """Ends what a test left: the job is given up, the service knows it, no fault is on."""
        self.control.clear()
        if self.ask("ota.status")["state"] in ("receiving", "suspended", "staged"):
            self.ask("ota.cancel")
        for job in self.control.jobs():
            if job["status"] == "QUEUED":
                self.control.cancel(job["job_id"], force=True)
        self.await_state("ready")
