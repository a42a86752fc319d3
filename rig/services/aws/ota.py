# SPDX-License-Identifier: MIT
"""Jobs, Streams and images as one service: what comes on which topic goes where, and what leaves it.

Owns the topics and the order of things: a fault that comes before a request, the answer, the faults of the
answer. Knows no connection; ``ota_process.py`` brings one.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rig.services.aws.fault_switches import BY_OTHERS, FaultSwitches
from rig.services.aws.held import Held
from rig.services.aws.history import History, note
from rig.services.aws.image_answers import ImageAnswers
from rig.services.aws.job_desk import JobDesk
from rig.services.aws.job_faults import disturbed
from rig.services.aws.jobs import NEXT, Clock, JobsService
from rig.services.aws.json_object import compact
from rig.services.aws.message import Message
from rig.services.aws.ota_database import OtaDatabase
from rig.services.aws.ota_document import with_addresses
from rig.services.aws.presigned import secret_of, signed_path
from rig.services.aws.stream_counts import StreamCounts
from rig.services.aws.stream_faults import StreamFaults
from rig.services.aws.streams import StreamService
from rig.services.aws.throttle import USUAL, Throttle

FILTERS: Final = (
    "$aws/things/+/jobs/+",
    "$aws/things/+/jobs/+/+",
    "$aws/things/+/streams/+/get/+",
    "$aws/things/+/streams/+/describe/+",
)
DATABASE: Final = "ota.sqlite"

_JOBS: Final = re.compile(r"\$aws/things/(?P<thing>[^/]+)/jobs/(?P<path>.+)")
_STREAMS: Final = re.compile(
    r"\$aws/things/(?P<thing>[^/]+)/streams/(?P<name>[^/]+)/(?P<verb>get|describe)/(?P<how>[^/]+)"
)
_OURS: Final = re.compile(r"notify|notify-next|.*/(?:accepted|rejected)")


class OtaService:
    """The service on what ``folder`` keeps. ``places``: host and port in the addresses of files, by protocol.
    ``held_s``: how long no block is sent at most while another makes a fault that is due at it.

    ``answer`` is for one thread at a time and takes care of it; the rest is safe from any thread.
    """

    def __init__(
        self,
        folder: Path,
        places: Mapping[str, str],
        *,
        throttle: Throttle = USUAL,
        now: Clock = time.time,
        held_s: float = 0.0,
    ) -> None:
        self.database = OtaDatabase(folder / DATABASE)
        self.switches = FaultSwitches()
        self.held = Held(held_s)
        self.counts = StreamCounts()
        self.history = History(self.database)
        self.desk = JobDesk(self.database, self.switches, now)
        self.jobs = JobsService(self.database, throttle=throttle, now=now)
        faults = StreamFaults(self.switches, self._moment)
        self.streams = StreamService(self.database, faults, self.counts)
        self.images = ImageAnswers(self.database, self.switches, faults, self.counts, now)
        self._places = places
        self._now = now
        self._lock = threading.Lock()
        with self.database.transaction() as connection:
            self._secret = secret_of(connection)

    def answer(self, topic: str, payload: bytes) -> list[Message]:
        """All that is said on a message that came."""
        with self._lock:
            if (asked := _STREAMS.fullmatch(topic)) is not None:
                return self.streams.answer(
                    asked["thing"], asked["name"], asked["verb"], asked["how"], payload
                )
            asked = _JOBS.fullmatch(topic)
            if asked is None or _OURS.fullmatch(asked["path"]):
                return []
            return self._job_answer(topic, asked["thing"], asked["path"], payload)

    def expire(self) -> bool:
        """Ends what its step timer ends; whether there was something. Raises sqlite3.Error."""
        return self.jobs.expire()

    def finished(self, payload: bytes) -> list[bytes]:
        """A message of the Jobs service as it is to be said: with files' addresses, and the faults in it."""
        return [with_addresses(said, self._address) for said in disturbed(payload, self.switches)]

    def _job_answer(self, topic: str, thing: str, path: str, payload: bytes) -> list[Message]:
        job_id, _, operation = path.rpartition("/")
        asks_for_next = path in ("start-next", f"{NEXT}/get")
        if asks_for_next:
            self.desk.cancel_next(thing)
        if operation == "update":
            self.desk.touch(thing, job_id)
        answer = self.jobs.answer(thing, path, payload)
        if asks_for_next and answer.said.get("execution") and self.desk.cancel_next(thing):
            answer = self.jobs.answer(thing, path, payload)  # that job and the fault came in between
        self.history.wake()
        return [Message(f"{topic}/{answer.how}", said) for said in self.finished(compact(answer.said))]

    def _address(self, protocol: str, stream: str, file: int, lifetime_s: int) -> str:
        path = signed_path(self._secret, stream, file, self._now(), lifetime_s)
        return f"{protocol}://{self._places[protocol]}{path}"

    def _moment(self, kind: str, stream: str, block: int) -> None:
        """Makes the fault, or waits until it has been made: the block must not come before it."""
        if kind in BY_OTHERS:
            self.held.begin(kind)
        with self.database.transaction() as connection:
            note(connection, self._now(), "moment", fault=kind, stream=stream, block=block)
        if kind == "cancel_during":
            self.desk.cancel_stream(stream)
        self.history.wake()
        self.held.wait(kind)
