# SPDX-License-Identifier: MIT
"""The control of an OTA service that runs, here or in another process: jobs, faults, counts, events.

What ``rig ota`` and the suites' fixture speak through; knows the socket and none of the service's code.
Finds the sockets of services that ``rig services up`` runs on this machine for this user.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from rig.deadline import Deadline
from rig.errors import LinkLost, RigFault, UsageFault

SOCKET: Final = "ota.sock"
_ANSWER_S: Final = 30.0
_GLOB: Final = f"rig-services-*/{SOCKET}"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file to offer. What is None is the service's choice; its own key signs where there is no signature.

    ``signature_name`` is the document's name of the signature, which says the algorithm.
    """

    path: Path
    signature: str | None = None
    signature_name: str | None = None
    name: str | None = None
    certificate: str | None = None


class OtaControl:
    """One service, by its socket. A connection per order. Raises LinkLost where nobody answers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(
        self,
        thing: str,
        files: Sequence[ImageFile],
        protocol: str,
        *,
        lifetime_s: int = 3_600,
        job_id: str | None = None,
    ) -> tuple[str, str]:
        """Offers a job; file n has number n. Returns its id and its stream. Raises UsageFault."""
        told = [{name: value for name, value in asdict(file).items() if value is not None} for file in files]
        for one in told:
            one["path"] = str(Path(one["path"]).resolve())
        made = self.ask(
            "create", thing=thing, files=told, protocol=protocol, lifetime_s=lifetime_s, job_id=job_id
        )
        return made["job_id"], made["stream"]

    def cancel(self, job_id: str, *, force: bool = False) -> None:
        """Cancels a job; one in progress only by force. Raises UsageFault."""
        self.ask("cancel", job_id=job_id, force=force)

    def remove(self, job_id: str, *, force: bool = False) -> None:
        """Removes a job, as its deletion would; one in progress only by force. Raises UsageFault."""
        self.ask("remove", job_id=job_id, force=force)

    def jobs(self) -> list[dict[str, Any]]:
        """Every job, as plain data: ``job_id``, ``status``, ``version``, ``details``, ``stream`` …"""
        return cast("list[dict[str, Any]]", self.ask("list"))

    def job(self, job_id: str) -> dict[str, Any]:
        """One of them. Raises UsageFault."""
        for job in self.jobs():
            if job["job_id"] == job_id:
                return job
        raise UsageFault(f"no job {job_id}")

    def fault(self, kind: str, **values: Any) -> None:
        """Switches a fault on: ``times``, ``block``, ``share``, ``seed``, and its own. Raises UsageFault."""
        self.ask("fault", kind=kind, **values)

    def clear(self, kind: str | None = None) -> None:
        """Switches one fault off, or all."""
        self.ask("clear", kind=kind)

    def acted(self, kind: str) -> int:
        """How often a fault has acted since it was switched on."""
        return int(self.ask("acted", kind=kind))

    def made(self, kind: str) -> None:
        """The fault that was another's to make has been made; what waited for that goes on."""
        self.ask("made", kind=kind)

    def counts(self) -> dict[str, Any]:
        """Requests, blocks and bytes of each stream since the service began."""
        return cast("dict[str, Any]", self.ask("counts"))

    def advance(self, seconds: float) -> None:
        """Has the service's clock go on: step timers and addresses of files end sooner."""
        self.ask("advance", seconds=seconds)

    def snapshot(self, path: Path) -> None:
        """Copies what the service keeps, whole, to a file that a service can begin with."""
        self.ask("snapshot", path=str(path.resolve()))

    def last(self) -> int:
        """The number of the last event, to watch what comes after it."""
        return int(self.ask("last"))

    def facts(self) -> dict[str, Any]:
        """The service's thing and ports."""
        return cast("dict[str, Any]", self.ask("facts"))

    def check(self) -> None:
        """Raises RigFault where a request could not be answered by a fault of ours."""
        self.ask("check")

    def watch(self, since: int = 0, deadline: Deadline | None = None) -> Iterator[dict[str, Any]]:
        """Every event after that number, as it comes, until the deadline. Raises LinkLost at the end of the
        service."""
        with self._connected() as (connection, lines):
            connection.sendall(_line({"do": "watch", "since": since}))
            for line in lines:
                if line.strip():
                    yield json.loads(line)
                if deadline is not None and deadline.expired:
                    return
        raise LinkLost(f"the OTA service at {self.path} has ended")

    def ask(self, word: str, **values: Any) -> Any:
        """One order. Raises UsageFault, RigFault, LinkLost."""
        with self._connected() as (connection, lines):
            connection.sendall(_line({"do": word, **values}))
            told: Mapping[str, Any] = json.loads(next(iter(lines), b"null")) or {}
        if "refused" in told:
            raise UsageFault(told["refused"], hint=told["hint"])
        if "done" not in told:
            raise RigFault(f"the OTA service could not do {word!r}: {told.get('broken', 'it has ended')}")
        return told["done"]

    @contextmanager
    def _connected(self) -> Iterator[tuple[socket.socket, Any]]:
        try:
            with closing(socket.socket(socket.AF_UNIX)) as connection:
                connection.settimeout(_ANSWER_S)
                connection.connect(str(self.path))
                with connection.makefile("rb") as lines:
                    yield connection, lines
        except OSError as error:
            raise LinkLost(f"no OTA service answers at {self.path}: {error}") from error


def running_services() -> list[OtaControl]:
    """The services of this user that answer now, of those which ``rig services up`` runs on this machine."""
    found = []
    for path in sorted(Path(tempfile.gettempdir()).glob(_GLOB)):
        with suppress(OSError, RigFault):
            if path.stat().st_uid == os.geteuid() and OtaControl(path).facts():
                found.append(OtaControl(path))
    return found


def _line(asked: Mapping[str, Any]) -> bytes:
    return json.dumps(asked).encode() + b"\n"
