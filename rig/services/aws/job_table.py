# SPDX-License-Identifier: MIT
"""Jobs and their executions within one transaction. Knows no rules but the order in which they are done."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Final, cast

from rig.services.aws.job_execution import PENDING, Execution
from rig.services.aws.json_object import Tree

_COLUMNS: Final = (
    "job_id, thing, queued_at, updated_at, place, status, details, version, started_at, step_ends_at"
)
_NAMES: Final = _COLUMNS.split(", ")
# IN_PROGRESS first, then in the order of their creation
_ORDER: Final = "ORDER BY status = 'QUEUED', place"
_OPEN: Final = f"status IN ({', '.join(repr(state) for state in PENDING)})"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a job is about: ``protocol`` is the operator's word for how the image is to come."""

    document: Tree
    protocol: str
    stream: str


class JobTable:
    """The jobs as the transaction of ``connection`` sees them. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def pending(self, thing: str) -> list[Execution]:
        """What is still to be done by a thing, the next one first."""
        return self._select(f"WHERE thing = ? AND {_OPEN} {_ORDER}", thing)

    def find(self, job_id: str, thing: str | None = None) -> Execution | None:
        """The execution of a job; None where there is none of the thing."""
        found = self._select("WHERE job_id = ? AND (? IS NULL OR thing = ?)", job_id, thing, thing)
        return found[0] if found else None

    def all(self) -> list[Execution]:
        """Every job there has been, in the order of creation."""
        return self._select("ORDER BY place")

    def overdue(self, now_s: float) -> list[Execution]:
        """Those whose step timer has run out."""
        return self._select(f"WHERE {_OPEN} AND step_ends_at <= ? ORDER BY place", now_s)

    def offer(self, job_id: str) -> Offer:
        """What the job is about. Raises KeyError where there is none."""
        query = "SELECT document, protocol, stream FROM jobs WHERE job_id = ?"
        row = self._connection.execute(query, (job_id,)).fetchone()
        if row is None:
            raise KeyError(job_id)
        return Offer(json.loads(row[0]), row[1], row[2])

    def add(self, job: Execution, offer: Offer) -> None:
        """A new job, after all others. Raises sqlite3.IntegrityError where one has its id."""
        self._connection.execute(
            "INSERT INTO jobs (job_id, thing, document, protocol, stream, status, details, version,"
            " queued_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (job.job_id, job.thing, json.dumps(offer.document), offer.protocol, offer.stream, job.status,
             json.dumps(job.details), job.version, job.queued_at, job.updated_at),
        )  # fmt: skip

    def save(self, job: Execution) -> None:
        """The execution as it is now."""
        self._connection.execute(
            "UPDATE jobs SET status = ?, details = ?, version = ?, started_at = ?, updated_at = ?,"
            " step_ends_at = ? WHERE job_id = ?",
            (job.status, json.dumps(job.details), job.version, job.started_at, job.updated_at,
             job.step_ends_at, job.job_id),
        )  # fmt: skip

    def _select(self, rest: str, *values: object) -> list[Execution]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", cast(Any, values))
        return [
            Execution(**{**dict(zip(_NAMES, row, strict=True)), "details": json.loads(row[6])})
            for row in rows
        ]
