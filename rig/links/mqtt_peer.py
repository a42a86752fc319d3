# SPDX-License-Identifier: MIT
"""The other end of a board's MQTT: a client that suites publish with, and wait for messages with.

Owns the searching, the words when nothing came, and that the run knows what it did and got
(``mqtt_acts.py``). The connection is ``mqtt.py``'s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Protocol

from rig.deadline import Deadline
from rig.errors import BoardSilent, LinkLost
from rig.events import Event, EventSink, RunClock, Scalar, discard
from rig.links.mqtt import MqttConnection, MqttPlace, matches
from rig.links.mqtt_acts import PEER, as_got, as_publish, as_subscribe
from rig.links.sightings import Sightings
from rig.transcript.messages import Message
from rig.transcript.payload import shown

_SHOWN: Final = 3


class Connection(Protocol):
    """What a peer needs of its connection; ``mqtt.py`` has the real one, ``mqtt_player.py`` a played one."""

    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def connected(self) -> bool:
        """Whether the broker is reached now."""
        ...

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """Blocks for the answer. Raises LinkLost."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """With QoS above 0 blocks for the acknowledgement. Raises LinkLost."""
        ...


Connect = Callable[[Callable[[Message], None]], Connection]
"""Makes a connection, not entered yet, that hands each message on to what is given."""


class MqttPeer:
    """A client of the broker while the context is entered. Methods may be called from any thread.

    ``sink`` is told what it does and gets. ``connect`` None: a connection of ``mqtt.py``. ``patience_s``:
    longer than that no message is waited for, whatever a deadline says.
    """

    def __init__(
        self,
        place: MqttPlace,
        clock: RunClock,
        *,
        client: str = "",
        board: str | None = None,
        sink: EventSink = discard,
        connect: Connect | None = None,
        patience_s: float = math.inf,
    ) -> None:
        self._place, self._clock, self._client, self._board = place, clock, client, board
        self._sink, self._patience_s = sink, patience_s
        self._seen: Sightings[Message] = Sightings(size_of=lambda message: len(message.payload))
        self._losses = 0
        self._losses_by_mark: dict[int, int] = {}
        self._connection: Connection = (
            connect(self._got)
            if connect
            else MqttConnection(place, clock, self._got, client=client, on_link=self._linked)
        )

    def __enter__(self) -> MqttPeer:
        self._tell({"does": "connect"})
        self._connection.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell({"does": "leave"})
        self._connection.__exit__(kind, error, trace)

    def subscribe(self, *filters: str, qos: int = 1) -> None:
        """Subscribes; blocks for the answer. Raises LinkLost, also where the broker refuses."""
        wanted = [(name, qos) for name in filters]
        self._tell(as_subscribe(wanted))
        self._connection.subscribe(wanted)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publishes; with QoS above 0 blocks for the acknowledgement. Raises LinkLost."""
        if self._sink is not discard:
            self._tell(as_publish(topic, payload, qos, retain))
        self._connection.publish(topic, payload, qos=qos, retain=retain)

    def _got(self, message: Message) -> None:
        """In the reader thread; told with the time at which it came, which is before anybody sees it."""
        if self._sink is not discard:
            self._tell(as_got(message), message.t_ns)
        self._seen.add(message)

    def _tell(self, data: Mapping[str, Scalar], t_ns: int | None = None) -> None:
        now = self._clock.now_ns() if t_ns is None else t_ns
        self._sink(Event(now, "mqtt", PEER, self._board, {"client": self._client, **data}))

    def mark(self) -> int:
        """The place where the messages received so far end."""
        mark = self._seen.mark()
        if self._losses:  # those before the mark are no matter of what is waited for after it
            self._losses_by_mark[mark] = self._losses
        return mark

    def messages(self, topic_filter: str = "#", *, since: int = 0) -> list[Message]:
        """Those after the mark, in order."""
        return [message for message in self._seen.since(since) if _fits(topic_filter, message)]

    def expect(
        self,
        topic_filter: str,
        deadline: Deadline,
        *,
        since: int,
        where: Callable[[Message], bool] = lambda _: True,
    ) -> Message:
        """Blocks until a message came after the mark. Raises BoardSilent.

        Raises LinkLost if the broker is gone, or was for a while since the mark: what came then is lost here,
        whoever sent it.
        """
        deadline = deadline.sooner(self._patience_s)
        found = self._seen.wait(
            lambda message: _fits(topic_filter, message) and where(message), deadline, since=since
        )
        if found is not None:
            return found
        if not self._connection.connected:
            raise LinkLost(f"{self._place} was lost while a message was waited for")
        if (losses := self._losses - self._losses_by_mark.get(since, 0)) > 0:
            raise LinkLost(
                f"no message on {json.dumps(topic_filter)} in {deadline.timeout_s:.1f} s; the connection to "
                f"{self._place} was lost {losses} times since, and a message may have gone with it"
            )
        raise BoardSilent(
            f"no message on {json.dumps(topic_filter)} that was waited for in {deadline.timeout_s:.1f} s; "
            f"{self._last(since)}",
            board=self._board,
        )

    def _linked(self, up: bool) -> None:
        """Told by the reader's thread."""
        if not up:
            self._losses += 1

    def _last(self, since: int) -> str:
        last = self._seen.since(since)[-_SHOWN:]
        return "last came " + ", ".join(map(told, last)) if last else "none came"


def told(message: Message) -> str:
    """A message for a person: escaped, for topic and payload are an attacker's."""
    form, text = shown(message.payload)
    return f"{json.dumps(message.topic)}: {form} {json.dumps(text)}"


def _fits(topic_filter: str, message: Message) -> bool:
    return topic_filter in ("#", message.topic) or matches(topic_filter, message.topic)
