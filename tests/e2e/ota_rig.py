# SPDX-License-Identifier: MIT
"""The board with its update agent and the operator's side of it, for tests that need no run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.bench.session import BoardSession
from rig.deadline import Deadline, poll
from rig.errors import CommandRefused
from rig.pytest_plugin.board_ota import SIGNER, WITHIN_S, BoardOta
from rig.services.code_signer import CodeSigner
from rig.services.lab import Lab
from rig.services.ota_client import ImageFile, OtaControl

SLOT_A, SLOT_BYTES = 0x21100000, 0x80000


class Rig:
    """The board with its agent, and the operator's side."""

    def __init__(self, session: BoardSession, lab: Lab, folder: Path) -> None:
        self.session, self.lab, self.folder, self.signer = session, lab, folder, CodeSigner()
        broker = lab.services.mqtt
        assert broker is not None
        self.agent = BoardOta(session, lab.thing, broker.board)
        self.ask = self.agent.ask
        self.await_state = self.agent.await_state
        self.await_blocks = self.agent.await_blocks

    @property
    def control(self) -> OtaControl:
        """The service's orders."""
        return self.lab.ota().control

    def refused(self, command: str, **arguments: int | str) -> str:
        """The code of the refusal that must come."""
        with pytest.raises(CommandRefused) as error:
            self.ask(command, **arguments)
        return error.value.code

    def online(self, automatic: int = 0, **settings: int | str) -> None:
        """Network, broker, agent, whatever was before."""
        self.agent.online(automatic=automatic, **settings)

    def offer(
        self,
        content: bytes,
        protocol: str,
        *,
        signature: str | None = None,
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

    def _file(self, content: bytes, signature: str, certificate: str) -> ImageFile:
        path = self.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.bin"
        path.write_bytes(content)
        return ImageFile(path, signature=signature, certificate=certificate)

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
