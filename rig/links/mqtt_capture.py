# SPDX-License-Identifier: MIT
"""Every message that a broker carries: on disk, as events of the run, and for suites to look through.

Owns what is subscribed to, the thread that keeps what the reader thread queued, and the finding of losses:
the broker's own counter of dropped messages, a queue that overflowed, marks of the capture's own that are
missing in their sequence. What was lost marks the run: ``losses``, events ``lost``. Time without a connection
is told by the events ``capture_gone`` and ``capture_back``.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from rig.deadline import Deadline, gather
from rig.errors import EvidenceFault, LinkLost
from rig.events import Event, EventSink, RunClock, Scalar
from rig.links.event_budget import EventBudget
from rig.links.mqtt import MqttConnection, MqttPlace, matches
from rig.links.mqtt_marks import Marks
from rig.links.sightings import Sightings
from rig.transcript.messages import INLINE, Message, MessageWriter
from rig.transcript.payload import shown, without_keys

FILTERS: Final = ("#", "$aws/#")
"""A subscription to ``#`` does not get topics that begin with ``$``."""
EVENTS_PER_S: Final = 10_000
"""Messages beyond this are events only as one count (``messages_skipped``); the file has them all."""

_DROPPED: Final = "$SYS/broker/publish/messages/dropped"
_ALIVE: Final = "$SYS/broker/uptime"
_QUEUE_MOST: Final = 200_000
_QUEUE_BYTES: Final = 256 * 1024 * 1024
_GATHER_S: Final = 0.0005
_MARK_S: Final = 1.0
_SETTLE_S: Final = 10.0
_RETRY_S: Final = 0.5
_COUNTER_S: Final = 4.0  # mosquitto with sys_interval 1 says its counters every two seconds
_BUSY: Final = 100


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that the capture does not have. ``count`` 0: how many is not known."""

    t_ns: int
    count: int
    why: str

    def __str__(self) -> str:
        return f"{self.count or 'unknown number of'} messages lost: {self.why}"


class MqttCapture:
    """Keeps what the broker carries while the context is entered; on leaving, all that came before is kept.

    ``path`` is the file (``rig/transcript/messages.py``). Methods may be called from any thread.
    """

    def __init__(
        self,
        place: MqttPlace,
        clock: RunClock,
        sink: EventSink,
        path: Path,
        *,
        board: str | None = None,
        filters: tuple[str, ...] = FILTERS,
    ) -> None:
        self.path = path
        self.fault: EvidenceFault | None = None
        """Why messages are no longer kept on disk, if so."""
        self._clock, self._sink, self._board, self._filters = clock, sink, board, filters
        self._own = f"rig/capture/{secrets.token_hex(4)}"
        self._connection = MqttConnection(
            place, clock, self._enqueue, client=self._own.replace("/", "-"), on_link=self._on_link
        )
        self._seen: Sightings[Message] = Sightings(size_of=lambda message: len(message.payload))
        self._losses: list[Loss] = []
        self._budget = EventBudget(sink, EVENTS_PER_S, "messages_skipped")
        self._queue: deque[Message] = deque()
        self._overflow = 0
        self._overflow_told = 0
        self._bytes_in, self._bytes_out = 0, 0  # each is written by one thread only
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt-capture")
        self._writer: MessageWriter | None = None
        self._settle = f"{self._own}/settle"
        self._marks, self._settles = Marks(), Marks()
        self._dropped: int | None = None
        self._alive = 0
        self._since_mark = 0
        self._busy_ns: int | None = None

    def __enter__(self) -> MqttCapture:
        self._writer = MessageWriter(self.path)
        self._thread.start()
        try:
            self._connection.__enter__()
            self._connection.subscribe([(name, 2) for name in self._filters])
            self._watch_counter()
            self.settle(Deadline.after(_SETTLE_S))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection.connected and not self._settled(Deadline.after(_SETTLE_S)):
            self._lose(0, "the broker did not return the capture's last mark")
        self._await_counter()
        self._stop()

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the capture is known to lack."""
        return tuple(self._losses)

    @property
    def counts_drops(self) -> bool:
        """Whether the broker says how many messages it dropped."""
        return self._dropped is not None

    def mark(self) -> int:
        """The place where the messages kept so far end."""
        return self._seen.mark()

    def messages(self, topic_filter: str = "#", *, since: int = 0) -> list[Message]:
        """Those after the mark, in order; of very many, the last. All are in the file."""
        return [m for m in self._seen.since(since) if topic_filter == "#" or matches(topic_filter, m.topic)]

    def settle(self, deadline: Deadline) -> None:
        """Blocks until all that the broker carried before is kept. Raises LinkLost.

        By a message of its own: a broker keeps the order of what it sends to one client.
        """
        if not self._settled(deadline):
            raise LinkLost(f"{self._connection.place} did not return the capture's mark in time")

    def wait(self, wanted: Callable[[Message], bool], deadline: Deadline, *, since: int) -> Message | None:
        """Blocks until a message after the mark is wanted; None when the time is over."""
        return self._seen.wait(wanted, deadline, since=since)

    def _settled(self, deadline: Deadline) -> bool:
        """By the first mark from now on that comes back: a broker under a flood drops marks too.

        With QoS 2, so that it queues behind messages whose acknowledgements are on their way.
        """
        first = self._settles.sent + 1
        while True:
            try:
                number = b"%d" % self._settles.next()
                self._connection.publish(self._settle, number, qos=2, wait=False)
            except LinkLost:
                return False
            if self._settles.await_number(first, deadline.sooner(_RETRY_S)) or deadline.expired:
                return self._settles.await_number(first, Deadline.after(0))

    def _publish_mark(self) -> None:
        try:
            self._connection.publish(self._own, b"%d" % self._marks.next())
        except LinkLost:
            self._marks.forget()
            raise

    def _watch_counter(self) -> None:
        try:
            self._connection.subscribe([(_DROPPED, 0), (_ALIVE, 0)])
        except LinkLost:
            if not self._connection.connected:
                raise

    def _await_counter(self) -> None:
        """After a flood the broker's next count may still tell of drops.

        It tells a count only when that changes, and may have dropped that very message; but it retains it.
        """
        if self._connection.connected and self.counts_drops and self._was_busy():
            before, deadline = self._alive, Deadline.after(_COUNTER_S)
            self._marks.wait_for(lambda: self._alive > before, deadline)
            self._connection.ask_again(_DROPPED)
            self._settled(Deadline.after(_COUNTER_S))

    def _was_busy(self) -> bool:
        """Whether the broker's last count may be older than the last flood."""
        if self._since_mark > _BUSY:
            return True
        return self._busy_ns is not None and self._clock.now_ns() - self._busy_ns < _COUNTER_S * 1e9

    def _stop(self) -> None:
        self._connection.__exit__(None, None, None)
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._budget.close()
        if self._writer is not None:
            self._writer.close()

    # --- the reader thread

    def _enqueue(self, message: Message) -> None:
        waiting = self._bytes_in - self._bytes_out
        if len(self._queue) >= _QUEUE_MOST or waiting > _QUEUE_BYTES:
            self._overflow += 1
        else:
            self._bytes_in += len(message.payload)
            self._queue.append(message)
        if not self._wake.is_set():
            self._wake.set()

    def _on_link(self, back: bool) -> None:
        kind = "capture_back" if back else "capture_gone"
        self._sink(Event(self._clock.now_ns(), "mqtt", kind, self._board, {}))
        self._marks.forget()

    # --- the keeping thread

    def _run(self) -> None:
        try:
            self._keep()
        except Exception as error:
            self._lose(0, f"the capture broke down: {type(error).__name__}")
            raise

    def _keep(self) -> None:
        marked_ns = self._clock.now_ns()
        while not (self._closing.is_set() and not self._queue):
            self._wake.wait(_MARK_S)
            self._wake.clear()
            gather(_GATHER_S)
            self._since_mark += self._keep_queued()
            now = self._clock.now_ns()
            if self._since_mark and now - marked_ns > _MARK_S * 1e9:
                marked_ns = now
                self._mark_now(now)

    def _mark_now(self, now_ns: int) -> None:
        busy = self._since_mark > _BUSY
        self._busy_ns = now_ns if busy else self._busy_ns
        self._since_mark = 0
        if self._connection.connected and not self._closing.is_set():
            try:
                self._publish_mark()
                if busy:
                    self._connection.ask_again(_DROPPED)
            except LinkLost:
                return

    def _keep_queued(self) -> int:
        batch = [self._queue.popleft() for _ in range(len(self._queue))]
        messages = [self._masked(message) for message in batch if not self._is_own(message)]
        self._write(messages)
        for message in messages:
            self._tell(message)
        self._seen.add(*messages)
        for message in batch:
            if message.topic in (self._own, self._settle):
                self._returned(message)
        self._bytes_out += sum(len(message.payload) for message in batch)
        overflow = self._overflow - self._overflow_told
        if overflow:
            self._overflow_told += overflow
            self._lose(overflow, "they came faster than the rig could keep them")
        return len(messages)

    def _is_own(self, message: Message) -> bool:
        """A mark of ours, or a word of the broker's on its counters."""
        if message.topic == _DROPPED:
            self._counted(_number(message) or 0)
        elif message.topic == _ALIVE:
            with self._marks.changed:
                self._alive += 1
                self._marks.changed.notify_all()
        return message.topic in (self._own, self._settle, _DROPPED, _ALIVE)

    def _counted(self, dropped: int) -> None:
        before, self._dropped = self._dropped, dropped
        if before is not None and dropped > before:
            self._lose(dropped - before, "the broker dropped them, for the capture or for another client")

    def _returned(self, message: Message) -> None:
        number = _number(message)
        if number is None:
            return
        if message.topic == self._settle:
            self._settles.returned(number)
        elif missing := self._marks.returned(number):
            self._lose(0, f"{missing} of the capture's own marks are missing in their sequence")

    @staticmethod
    def _masked(message: Message) -> Message:
        payload = without_keys(message.payload)
        return message if payload is message.payload else replace(message, payload=payload)

    def _write(self, messages: list[Message]) -> None:
        if self.fault is not None or self._writer is None:
            return
        try:
            kept = self._writer.append(messages)
        except EvidenceFault as fault:
            self.fault = fault
            self._lose(len(messages), str(fault))
            return
        if kept < len(messages):
            self.fault = EvidenceFault("the file of messages is full", evidence=str(self.path))
            self._lose(len(messages) - kept, "the file is full; later ones are not kept")

    def _tell(self, message: Message) -> None:
        form, text = shown(message.payload)
        data: dict[str, Scalar] = {
            "topic": message.topic.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
            "qos": message.qos, "retain": message.retain, "bytes": len(message.payload),
            "form": form, "payload": text,
        }  # fmt: skip
        if len(message.payload) > INLINE:
            data["sha256"] = hashlib.sha256(message.payload).hexdigest()
        self._budget.put(Event(message.t_ns, "mqtt", "message", self._board, data))

    def _lose(self, count: int, why: str) -> None:
        loss = Loss(self._clock.now_ns(), count, why)
        self._losses.append(loss)
        self._sink(Event(loss.t_ns, "mqtt", "lost", self._board, {"count": count, "why": why}))


def _number(message: Message) -> int | None:
    return int(message.payload) if message.payload.isdigit() and len(message.payload) < 20 else None
