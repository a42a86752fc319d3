# SPDX-License-Identifier: MIT
"""The operator's side of the Jobs service: jobs are created, listed and cancelled.

Owns what a job may be made of. ``UsageFault`` says what is wrong with an order; nothing is kept then.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rig.errors import UsageFault
from rig.services.aws.fault_switches import FaultSwitches
from rig.services.aws.history import note
from rig.services.aws.job_execution import CANCELED, QUEUED, REMOVED, Execution
from rig.services.aws.job_table import JobTable, Offer
from rig.services.aws.jobs import Clock, changing, keep
from rig.services.aws.ota_database import MAX_BYTES_OF_A_FILE, OtaDatabase
from rig.services.aws.ota_document import PROTOCOLS, STREAM_PREFIX, OfferedFile, ota_document
from rig.services.aws.presigned import MAX_LIFETIME_S
from rig.services.aws.stream_table import StreamTable

_THING: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_JOB: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be created: the files with their contents by number; no ``job_id``: one is made."""

    thing: str
    protocol: str
    files: Sequence[OfferedFile]
    contents: Mapping[int, bytes]
    lifetime_s: int = 3_600
    job_id: str | None = None


class JobDesk:
    """Takes orders. Safe from any thread."""

    def __init__(self, database: OtaDatabase, switches: FaultSwitches, now: Clock = time.time) -> None:
        self._database = database
        self._switches = switches
        self._now = now

    def create(self, order: Order) -> tuple[str, str]:
        """Offers the thing a job; returns its id and its stream's name. Raises UsageFault."""
        _check(order)
        now = self._now()
        unique = secrets.token_hex(6)
        job_id, stream = order.job_id or f"{STREAM_PREFIX}job-{unique}", f"{STREAM_PREFIX}{unique}"
        document = ota_document(stream, order.protocol, order.files, order.lifetime_s)
        job = Execution(job_id, order.thing, int(now), int(now))
        with self._database.transaction() as connection, changing(connection, order.thing, now) as table:
            if (other := table.find(job_id)) is not None:
                raise UsageFault(f"a job {job_id} is there already: for {other.thing}, {other.status}")
            first = next(iter(table.pending(order.thing)), None)
            StreamTable(connection).add(stream, order.thing, job_id, order.contents)
            table.add(job, Offer(document, order.protocol, stream))
            note(connection, now, "created", job_id=job_id, thing=order.thing, stream=stream)
            if first is not None and self._switches.take("two_jobs_cancel_first") is not None:
                keep(connection, table, first.moved(CANCELED, now), now, "fault")
        return job_id, stream

    def cancel(self, job_id: str, *, force: bool = False, by: str = "operator") -> None:
        """Makes it CANCELED. One that is in progress only by ``force``, as with AWS. Raises UsageFault."""
        self._end(job_id, CANCELED, force=force, by=by)

    def remove(self, job_id: str, *, force: bool = False) -> None:
        """Makes it REMOVED, as the deletion of a job does with AWS. Raises UsageFault."""
        self._end(job_id, REMOVED, force=force, by="operator")

    def _end(self, job_id: str, status: str, *, force: bool, by: str) -> None:
        now = self._now()
        with self._database.transaction() as connection:
            job = JobTable(connection).find(job_id)
            if job is None:
                raise UsageFault(f"no job {job_id}")
            if not job.pending:
                raise UsageFault(f"job {job_id} has ended already: {job.status}")
            if job.status != QUEUED and not force:
                raise UsageFault(f"job {job_id} is {job.status}", hint="--force cancels it all the same")
            with changing(connection, job.thing, now) as table:
                keep(connection, table, job.moved(status, now), now, by)

    def cancel_next(self, thing: str) -> bool:
        """Cancels what is next for a thing, where there is something and a fault wants it; whether it did."""
        if not self._switches.on("cancel_before"):
            return False
        with self._database.reading() as connection:
            jobs = JobTable(connection).pending(thing)
        if not jobs or self._switches.take("cancel_before") is None:
            return False
        self.cancel(jobs[0].job_id, force=True, by="fault")
        return True

    def touch(self, thing: str, job_id: str) -> None:
        """Has an execution's version go on before its device's update, where a fault wants it."""
        conflict = "expected_version_conflict"
        if not self._switches.on(conflict):
            return
        now = self._now()
        with self._database.transaction() as connection:
            table = JobTable(connection)
            job = table.find(job_id, thing)
            if job is not None and job.pending and self._switches.take(conflict) is not None:
                keep(connection, table, job.moved(job.status, now), now, "fault")

    def cancel_stream(self, stream: str) -> None:
        """Cancels the job of a stream if it has not ended."""
        for job in self.jobs():
            if job["stream"] == stream and job["pending"]:
                self.cancel(job["job_id"], force=True, by="fault")

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs in the order of their creation, as plain data."""
        with self._database.reading() as connection:
            table = JobTable(connection)
            return [_told(job, table.offer(job.job_id)) for job in table.all()]


def _told(job: Execution, offer: Offer) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "thing": job.thing,
        "status": job.status,
        "pending": job.pending,
        "version": job.version,
        "details": job.details,
        "protocol": offer.protocol,
        "stream": offer.stream,
        "queued_at": job.queued_at,
        "started_at": job.started_at,
        "updated_at": job.updated_at,
    }


def _check(order: Order) -> None:
    if not _THING.fullmatch(order.thing):
        raise UsageFault(f"a thing's name is 1 to 128 letters, digits, ':', '_' and '-', not {order.thing!r}")
    if order.job_id is not None and not _JOB.fullmatch(order.job_id):
        raise UsageFault(f"a job's id is 1 to 64 letters, digits, '_' and '-', not {order.job_id!r}")
    if order.protocol not in PROTOCOLS:
        raise UsageFault(f"no protocol {order.protocol!r}; there are: {', '.join(PROTOCOLS)}")
    if not 1 <= order.lifetime_s <= MAX_LIFETIME_S:
        raise UsageFault(f"an address lasts 1 to {MAX_LIFETIME_S} s, not {order.lifetime_s}")
    if not order.files:
        raise UsageFault("a job needs a file")
    for number, content in order.contents.items():
        if len(content) > MAX_BYTES_OF_A_FILE:
            raise UsageFault(
                f"file {number} has {len(content)} bytes; at most {MAX_BYTES_OF_A_FILE} (24 MiB)"
            )
