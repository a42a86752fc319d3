# SPDX-License-Identifier: MIT
"""A job's execution on a thing: its states, and how it is shown to the device. Pure.

Source: AWS IoT Core Developer Guide, "Jobs device MQTT and HTTPS data types". A job here is for one thing and
is run once, so that the execution number is always 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from rig.services.aws.json_object import Tree

QUEUED: Final = "QUEUED"
IN_PROGRESS: Final = "IN_PROGRESS"
TIMED_OUT: Final = "TIMED_OUT"
CANCELED: Final = "CANCELED"
PENDING: Final = (IN_PROGRESS, QUEUED)
BY_DEVICE: Final = (IN_PROGRESS, "FAILED", "SUCCEEDED", "REJECTED")
"""The states that a device may set."""

STATES: Final = (QUEUED, *BY_DEVICE, CANCELED, TIMED_OUT, "REMOVED")
NUMBER: Final = 1


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution as it is kept. Times in seconds since 1970; ``place`` is its order of creation.

    ``step_ends_at``: when it becomes TIMED_OUT; None where no step timer runs.
    """

    job_id: str
    thing: str
    queued_at: int
    updated_at: int
    place: int = 0
    status: str = QUEUED
    details: dict[str, str] = field(default_factory=dict)
    version: int = 1
    started_at: int | None = None
    step_ends_at: float | None = None

    @property
    def pending(self) -> bool:
        """Whether it is still to be done."""
        return self.status in PENDING

    def moved(self, status: str, now_s: float, details: dict[str, str] | None = None) -> Execution:
        """After an update: the next version; details that are not given stay; an end stops the step timer."""
        started = self.started_at if self.started_at or status != IN_PROGRESS else int(now_s)
        return replace(
            self,
            status=status,
            details=self.details if details is None else details,
            version=self.version + 1,
            started_at=started,
            updated_at=int(now_s),
            step_ends_at=self.step_ends_at if status in PENDING else None,
        )

    def timed(self, minutes: int | None, now_s: float) -> Execution:
        """With the step timer set anew; None leaves it as it is, -1 stops it."""
        if minutes is None:
            return self
        return replace(self, step_ends_at=None if minutes < 0 else now_s + 60 * minutes)

    # --- as the device gets to see it

    def state(self) -> Tree:
        """JobExecutionState."""
        return {"status": self.status, "statusDetails": self.details, "versionNumber": self.version}

    def summary(self) -> Tree:
        """JobExecutionSummary."""
        return {
            "jobId": self.job_id,
            "queuedAt": self.queued_at,
            **({"startedAt": self.started_at} if self.started_at is not None else {}),
            "lastUpdatedAt": self.updated_at,
            "versionNumber": self.version,
            "executionNumber": NUMBER,
        }

    def whole(self, document: Tree | None) -> Tree:
        """JobExecution, with its document where one is given."""
        shown = {"thingName": self.thing, **self.state(), **self.summary()}
        return shown if document is None else {**shown, "jobDocument": document}
