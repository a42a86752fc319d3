# SPDX-License-Identifier: MIT
"""What passed the MQTT proxy, as facts: for the events of a run, and for suites to look through.

Owns the shape of a sighting, that of its event, and how one is searched for; its order and its bound are
``Sightings``'.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rig.deadline import Deadline
from rig.errors import BoardSilent, ToolFault
from rig.events import Event, EventSink, Scalar
from rig.links.event_budget import EventBudget
from rig.links.sightings import Sightings
from rig.services.network.mqtt_rules import Sender

OPENED: Final = "opened"
CLOSED: Final = "closed"
"""Kinds of sightings that are no packets: the connection began, and the first side ended it."""
_HEAD: Final = ("type", "sender", "client")
_BESIDE: Final = (*_HEAD, "where", "connection", "withheld")
"""What an event says of a sighting beside its fields."""
PACKETS_PER_S: Final = 2000
"""Packets beyond this are told as one count (``packets_skipped``); they are seen all the same."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet, or the begin or end of a connection. ``fields``: what ``mqtt_words.py`` says of it.

    ``sender`` of an end is whoever ended first, ``proxy`` included. ``client`` is empty before a CONNECT.
    """

    t_ns: int
    connection: int
    sender: Sender | str
    kind: str
    client: str
    fields: Mapping[str, Scalar]
    withheld: bool = False

    def __str__(self) -> str:
        what = json.dumps({"client": self.client, **self.fields})  # escaped: it is an attacker's text
        return f"{self.kind} of the {self.sender} {what}{' (withheld)' if self.withheld else ''}"


def seen_of(event: Event) -> Seen:
    """The sighting that an event tells of."""
    connection, kind, sender, client = (event.data[key] for key in ("connection", *_HEAD))
    fields = {key: value for key, value in event.data.items() if key not in _BESIDE}
    withheld = event.data.get("withheld") is True
    number = int(str(connection))
    return Seen(event.t_ns, number, str(sender), str(kind), str(client), fields, withheld)


class PacketLog:
    """Every sighting of one proxy. ``add`` is the proxy's loop's; all else is for any thread.

    ``patience_s``: longer than that nothing is waited for, whatever a deadline says.
    """

    def __init__(self, sink: EventSink, where: str, board: str | None, patience_s: float = math.inf) -> None:
        self._seen: Sightings[Seen] = Sightings()
        self._sink = sink
        self._budget = EventBudget(sink, PACKETS_PER_S, "packets_skipped")
        self._where, self._board, self._patience_s = where, board, patience_s

    def add(self, seen: Seen) -> None:
        """Keeps it and tells the run."""
        self._seen.add(seen)
        head: dict[str, Scalar] = {
            "type": seen.kind, "where": self._where, "sender": seen.sender, "client": seen.client,
            "connection": seen.connection,
        }  # fmt: skip
        withheld = {"withheld": True} if seen.withheld else {}
        data = {**head, **seen.fields, **withheld}
        if seen.kind in (OPENED, CLOSED):
            self._sink(Event(seen.t_ns, "mqtt", "connection", self._board, data))
        else:
            self._budget.put(Event(seen.t_ns, "mqtt", "packet", self._board, data))

    def close(self) -> None:
        """Tells what is still untold."""
        self._budget.close()

    def mark(self) -> int:
        """The place where the log ends now."""
        return self._seen.mark()

    def all(
        self, kind: str, *, since: int = 0, client: str | None = None, sender: str | None = None
    ) -> list[Seen]:
        """Those of a kind, in order."""
        return [seen for seen in self._seen.since(since) if _is(seen, kind, client, sender)]

    def expect(
        self,
        kind: str,
        deadline: Deadline,
        *,
        since: int,
        client: str | None = None,
        sender: str | None = "board",
        where: Callable[[Seen], bool] = lambda _: True,
    ) -> Seen:
        """Blocks until one was seen after the mark. Raises BoardSilent, or ToolFault of a silent broker."""
        deadline = deadline.sooner(self._patience_s)
        found = self._seen.wait(
            lambda seen: _is(seen, kind, client, sender) and where(seen), deadline, since=since
        )
        if found is None:
            raise self._silent(kind, sender, deadline, self._seen.since(since))
        return found

    def _silent(self, kind: str, sender: str | None, deadline: Deadline, since: list[Seen]) -> Exception:
        last = f"; last seen: {since[-1]}" if since else "; nothing was seen"
        message = (
            f"no {kind} of the {sender or 'connection'} in {deadline.timeout_s:.1f} s at {self._where}{last}"
        )
        if sender in ("board", None):
            return BoardSilent(message, board=self._board)
        return ToolFault(message, board=self._board)


def _is(seen: Seen, kind: str, client: str | None, sender: str | None) -> bool:
    return seen.kind == kind and client in (None, seen.client) and sender in (None, seen.sender)


def expect_connected(log: PacketLog, client: str | None, deadline: Deadline, *, since: int) -> Seen:
    """Blocks until a CONNACK with code 0 has reached the board. Raises BoardSilent, ToolFault."""
    log.expect("CONNECT", deadline, since=since, client=client)
    return log.expect(
        "CONNACK", deadline, since=since, client=client, sender="broker",
        where=lambda seen: seen.fields.get("code") == 0 and not seen.withheld,
    )  # fmt: skip
