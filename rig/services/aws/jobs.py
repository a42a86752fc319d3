# SPDX-License-Identifier: MIT
"""The Jobs service: what a device asks, and what it is told of the jobs that are to be done.

Owns the rules of executions and which notices are due; knows neither transport nor images. Source: AWS IoT
Core Developer Guide, "Jobs device MQTT API operations". Where it is silent: a job for which no update is
allowed any more is refused before its version is looked at.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rig.services.aws import outbox
from rig.services.aws.history import note
from rig.services.aws.job_execution import IN_PROGRESS, NUMBER, QUEUED, TIMED_OUT, Execution
from rig.services.aws.job_request import JobRefused, JobRequest, read_object, read_request, read_token
from rig.services.aws.job_table import JobTable
from rig.services.aws.json_object import Tree
from rig.services.aws.ota_database import OtaDatabase
from rig.services.aws.throttle import USUAL, Buckets, Throttle

NEXT: Final = "$next"

Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What is said below the topic that was asked on: ``accepted`` or ``rejected``."""

    how: str
    said: Tree


class JobsService:
    """Answers devices. For one thread at a time; the database keeps several of them apart."""

    def __init__(self, database: OtaDatabase, *, throttle: Throttle = USUAL, now: Clock = time.time) -> None:
        self._database = database
        self._buckets = Buckets(throttle)
        self._now = now

    def answer(self, thing: str, path: str, payload: bytes) -> JobAnswer:
        """The answer to a request on ``$aws/things/<thing>/jobs/<path>``. Never raises."""
        token: str | None = None
        now = self._now()
        try:
            if not self._buckets.take(thing, now):
                raise JobRefused("RequestThrottled", "Too many requests of this thing")
            asked = read_object(payload)
            token = read_token(asked)
            how, said = "accepted", self._answered(thing, path, asked, now)
        except JobRefused as refused:
            how, said = "rejected", _refusal(refused)
        except sqlite3.Error:
            how, said = "rejected", _refusal(JobRefused("InternalError", "The service could not keep it"))
        facts = {"timestamp": int(now)} if token is None else {"timestamp": int(now), "clientToken": token}
        return JobAnswer(how, {**said, **facts})

    def expire(self) -> bool:
        """Makes TIMED_OUT of every execution whose step timer has run out; whether there were any."""
        now = self._now()
        with self._database.reading() as connection:
            if not JobTable(connection).overdue(now):
                return False
        with self._database.transaction() as connection:
            late = JobTable(connection).overdue(now)
            for job in late:
                with changing(connection, job.thing, now) as table:
                    keep(connection, table, job.moved(TIMED_OUT, now), now, "timer")
        return bool(late)

    def _answered(self, thing: str, path: str, asked: Tree, now: float) -> Tree:
        job_id, _, operation = path.rpartition("/")
        if (bool(job_id), operation) not in _OPERATIONS:
            raise JobRefused("InvalidTopic", f"No operation of the Jobs service: jobs/{path}")
        request = read_request(asked, update=operation == "update")
        if operation == "get" and not job_id:
            return self._pending(thing)
        with self._database.transaction() as connection, changing(connection, thing, now) as table:
            if operation == "start-next":
                return _started(connection, table, thing, request, now)
            if operation == "get":
                return _described(table, thing, job_id, request)
            return _updated(connection, table, _found(table, thing, job_id, request), request, now)

    def _pending(self, thing: str) -> Tree:
        with self._database.reading() as connection:
            jobs = JobTable(connection).pending(thing)
        return {
            "inProgressJobs": [job.summary() for job in jobs if job.status == IN_PROGRESS],
            "queuedJobs": [job.summary() for job in jobs if job.status == QUEUED],
        }


_OPERATIONS: Final = {(False, "get"), (False, "start-next"), (True, "get"), (True, "update")}


@contextmanager
def changing(connection: sqlite3.Connection, thing: str, now: float) -> Iterator[JobTable]:
    """The jobs of a thing, to be changed within; then says what is due to be told of it.

    ``notify``: another set of jobs is pending than before. ``notify-next``: another one comes next.
    """
    table = JobTable(connection)
    before = table.pending(thing)
    yield table
    after = table.pending(thing)
    base = f"$aws/things/{thing}/jobs"
    if {job.job_id for job in before} != {job.job_id for job in after}:
        jobs: dict[str, list[Tree]] = {}
        for job in after:
            jobs.setdefault(job.status, []).append(job.summary())
        outbox.put(connection, f"{base}/notify", {"timestamp": int(now), "jobs": jobs})
    if [job.job_id for job in before[:1]] != [job.job_id for job in after[:1]]:
        said = {"timestamp": int(now), **_next(table, after)}
        outbox.put(connection, f"{base}/notify-next", said)


def keep(connection: sqlite3.Connection, table: JobTable, job: Execution, now: float, by: str) -> None:
    """Keeps an execution that has moved, and notes by whom: device, operator, timer or fault."""
    table.save(job)
    note(
        connection, now, "status", job_id=job.job_id, thing=job.thing, by=by,
        status=job.status, version=job.version, details=job.details,
    )  # fmt: skip


def _started(
    connection: sqlite3.Connection, table: JobTable, thing: str, request: JobRequest, now: float
) -> Tree:
    jobs = table.pending(thing)
    if not jobs:
        return {}
    first = jobs[0].timed(request.step_minutes, now)
    if first.status == QUEUED:
        first = first.moved(IN_PROGRESS, now, request.details)
        keep(connection, table, first, now, "device")
    else:
        table.save(first)
    return _next(table, [first])


def _described(table: JobTable, thing: str, job_id: str, request: JobRequest) -> Tree:
    if job_id == NEXT:
        return _next(table, table.pending(thing), with_document=request.with_document is not False)
    job = _found(table, thing, job_id, request)
    if not job.pending:
        raise JobRefused("TerminalStateReached", f"The job has ended: {job.status}", job.state())
    return _next(table, [job], with_document=request.with_document is not False)


def _updated(
    connection: sqlite3.Connection, table: JobTable, job: Execution, request: JobRequest, now: float
) -> Tree:
    if not job.pending:
        message = f"The job has ended: {job.status}; it cannot become {request.status}"
        raise JobRefused("InvalidStateTransition", message, job.state())
    if request.version is not None and request.version != job.version:
        message = f"Expected version {request.version}, the execution is at {job.version}"
        raise JobRefused("VersionMismatch", message, job.state())
    after = job.timed(request.step_minutes, now).moved(request.status, now, request.details)
    keep(connection, table, after, now, "device")
    state = {"executionState": after.state()} if request.with_state else {}
    document = {"jobDocument": table.offer(job.job_id).document} if request.with_document else {}
    return {**state, **document}


def _found(table: JobTable, thing: str, job_id: str, request: JobRequest) -> Execution:
    job = table.find(job_id, thing)
    if job is None or request.number not in (None, NUMBER):
        raise JobRefused("ResourceNotFound", f"No execution of job {job_id} on thing {thing}")
    return job


def _next(table: JobTable, jobs: list[Execution], *, with_document: bool = True) -> Tree:
    """The first of the jobs, whole; nothing where there is none."""
    if not jobs:
        return {}
    document = table.offer(jobs[0].job_id).document if with_document else None
    return {"execution": jobs[0].whole(document)}


def _refusal(refused: JobRefused) -> Tree:
    said: Tree = {"code": refused.code, "message": refused.message}
    return said if refused.state is None else {**said, "executionState": refused.state}
