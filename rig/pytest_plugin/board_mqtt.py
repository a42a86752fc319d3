# SPDX-License-Identifier: MIT
"""The MQTT client of the board, by its console commands (``mqtt.*``), and the fixture ``board_mqtt``.

Owns the words of those commands, so that suites read as what they do. Brings the network up; judges nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.errors import BoardGarbled, BoardSilent

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.links.interfaces import Mark, WireEvent
    from rig.services.endpoint import Endpoint
    from rig.services.service_set import ServiceSet

ANSWER_MS: Final = 10_000
ARRIVES_MS: Final = 60_000
"""For a message that must come; on a busy host it takes the board long to say so."""
CONNECT_MS: Final = 30_000
_MARGIN_S: Final = 30.0
"""More than the board's own time-outs, which a host under load stretches."""


@dataclass(frozen=True, slots=True)
class BoardMessage:
    """A message that the board says it got; ``packet``: its identifier, ``crc``: CRC-32 of its payload."""

    number: int
    packet: int
    topic: str
    qos: int
    retain: bool
    dup: bool
    length: int
    crc: int

    @classmethod
    def of_fields(cls, fields: Fields) -> BoardMessage:
        """As ``mqtt.messages`` and the event ``mqtt.message`` say it."""
        numbers = {key: fields.integer(key) for key in ("number", "qos", "length")}
        numbers["packet"] = fields.integer("id")
        return cls(
            topic=fields["topic"],
            retain=fields.flag("retain"),
            dup=fields.flag("dup"),
            crc=fields.integer("crc", 16),
            **numbers,
        )

    def holds(self, payload: bytes) -> bool:
        """Whether this is its payload."""
        return (self.length, self.crc) == (len(payload), zlib.crc32(payload))


class BoardMqtt:
    """The board's client. ``thing`` is its client identifier, and the first level of its own topics."""

    def __init__(self, console: ConsoleLink, thing: str) -> None:
        self.console = console
        self.thing = thing

    def topic(self, name: str) -> str:
        """A topic that the board may use."""
        return f"{self.thing}/{name}"

    def ask(self, command: str, wait_ms: int | None = None, **arguments: int | str) -> Fields:
        """A command's reply; ``wait_ms`` is also how long the board may take. Raises CommandRefused."""
        if wait_ms is not None:
            arguments["ms"] = wait_ms
        allowed_s = (wait_ms or 0) / 1000 + _MARGIN_S
        deadline = Deadline.after(allowed_s)
        return self.console.request(command, arguments, deadline=deadline, repeat_s=allowed_s).fields

    # --- connection

    def connect(
        self,
        endpoint: Endpoint,
        *,
        tls: bool = False,
        clean: bool = True,
        reconnect: bool = False,
        keepalive_s: int = 60,
        client: str | None = None,
        wait_ms: int = CONNECT_MS,
    ) -> bool:
        """Connects; returns whether the broker had a session of this client."""
        said = self.ask(
            "mqtt.connect",
            wait_ms,
            host=endpoint.host,
            port=endpoint.port,
            tls=int(tls),
            client=client or self.thing,
            keepalive=keepalive_s,
            clean=int(clean),
            reconnect=int(reconnect),
        )
        return said.flag("session")

    def disconnect(self) -> None:
        """In good order; what is in flight and subscribed is kept on the board."""
        self.ask("mqtt.disconnect", ANSWER_MS)

    def forget(self) -> None:
        """Ends the session's history on the board, with the connection where there is one."""
        self.disconnect()
        self.ask("mqtt.forget")

    def cut(self, where: str) -> None:
        """Breaks the connection: ``now``, after a ``publish``, instead of a ``puback`` or a ``message``."""
        self.ask("mqtt.cut", where=where)

    # --- messages

    def subscribe(self, filters: Sequence[str], qos: str = "1", wait_ms: int = ANSWER_MS) -> list[int]:
        """Subscribes in one packet; returns the codes of SUBACK."""
        said = self.ask("mqtt.subscribe", wait_ms, topics="\n".join(filters), qos=qos)
        return said.listed("codes")

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribes in one packet."""
        self.ask("mqtt.unsubscribe", ANSWER_MS, topics="\n".join(filters))

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, wait_ms: int = ANSWER_MS
    ) -> int:
        """Publishes bytes, at most 128; returns the packet identifier."""
        said = self.ask(
            "mqtt.publish", wait_ms, topic=topic, qos=qos, retain=int(retain), hex=payload.hex().upper()
        )
        return said.integer("id")

    def publish_pattern(self, topic: str, length: int, seed: int, *, qos: int = 0) -> int:
        """Publishes ``pattern(length, seed)``; returns the packet identifier."""
        said = self.ask("mqtt.publish", 2 * ANSWER_MS, topic=topic, qos=qos, length=length, seed=seed)
        return said.integer("id")

    def expect_message(self, topic: str, since: Mark, wait_ms: int = ARRIVES_MS) -> BoardMessage:
        """The first message on a topic after a mark. Raises BoardSilent."""
        deadline = Deadline.after(wait_ms / 1000)
        while True:
            message, since = self._next_message(since, deadline)
            if message.topic == topic:
                return message

    def _next_message(self, since: Mark, deadline: Deadline) -> tuple[BoardMessage, Mark]:
        event = self.console.wait_event("mqtt.message", deadline, since=since)
        return BoardMessage.of_fields(event.fields), event.after

    def messages(self, since: int = 0) -> list[BoardMessage]:
        """Those that the board kept, from a number on."""
        reply = self.console.request("mqtt.messages", {"from": since}, deadline=Deadline.after(_MARGIN_S))
        return [BoardMessage.of_fields(row) for row in reply.rows]

    def payload(self, number: int) -> bytes:
        """What the board kept of a message's payload, read piece by piece. Raises BoardGarbled."""
        data = b""
        while True:
            said = self.ask("mqtt.payload", number=number, offset=len(data))
            piece, kept = said.octets("data"), said.integer("kept")
            data += piece
            if len(data) == kept:
                return data
            if not piece or len(data) > kept:
                raise BoardGarbled(
                    f"message {number}: it kept {kept} bytes and gave {len(data)}", board=self.console.board
                )

    # --- what it says of itself

    def wait_state(self, state: str, since: Mark, wait_ms: int = CONNECT_MS) -> WireEvent:
        """The next change to a state. Raises BoardSilent that says in which state the board is."""
        deadline = Deadline.after(wait_ms / 1000)
        try:
            while True:
                event = self.console.wait_event("mqtt.state", deadline, since=since)
                if event.fields["state"] == state:
                    return event
                since = event.after
        except BoardSilent as error:
            now = self.ask("mqtt.status")
            raise BoardSilent(
                f"expected the MQTT client to be {state!r} in {wait_ms / 1000:g} s, it is {dict(now)}",
                board=self.console.board,
                evidence=self.console.evidence(since),
            ) from error

    def counters(self) -> dict[str, int]:
        """What the client did since boot."""
        return self.ask("mqtt.counters").integers()

    def status(self) -> Fields:
        """What it does now."""
        return self.ask("mqtt.status")


@pytest.fixture
def board_mqtt(console: ConsoleLink, services: ServiceSet) -> Iterator[BoardMqtt]:
    """The board's MQTT client, idle and without history, its settings as after boot; so it is left, too.

    Only that it offers the last TLS session when it connects: no case here is about handshakes.
    """
    client = BoardMqtt(console, services.thing)
    client.ask("net.up", 30_000)
    _settle(client)
    yield client
    _settle(client)


def _settle(client: BoardMqtt) -> None:
    client.forget()
    client.cut("none")
    client.ask("mqtt.will")
    client.ask("mqtt.login", resume=1)
    client.ask("mqtt.timing", connack_ms=10_000, ack_ms=5_000, pingresp_ms=5_000, resends=3)
    client.ask("mqtt.retry", base_ms=1_000, cap_ms=60_000, attempts=0, stable_ms=10_000, jitter="full")
