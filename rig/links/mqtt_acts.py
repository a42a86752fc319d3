# SPDX-License-Identifier: MIT
"""What the rig does to a board's MQTT, and what it sees of it, as events by which a run can be played. Pure.

An *act* changes what comes next: a client of the host connects, subscribes, publishes, leaves; a rule of the
MQTT proxy begins or ends, a connection is struck. What is *seen* follows from acts and from the console's
requests: packets at the proxy, messages that a client of the host got. Payloads are told by their SHA-256.
Owns the shape of these events and the text by which an act is found again on a tape (``tape.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from rig.events import Event, Scalar
from rig.transcript.messages import Message

PEER: Final = "peer"
"""The kind of an event of a client of the host; ``does`` says what."""
PROXIES: Final = ("mqtt proxy", "mqtts proxy")
"""The names of the proxies whose faults are acts."""
GOT: Final = "got"
_COUNTED: Final = ("fault", "hits")
"""Of a fault's event: which it was of the run and how often it hit, which another run need not repeat."""


def act_of(event: Event) -> str | None:
    """The text of an act; None for any other event."""
    match event.source, event.kind:
        case "mqtt", kind if kind == PEER and event.data.get("does") != GOT:
            return peer_act(event.data)
        case "fault", ("begin" | "end") if event.data.get("where") in PROXIES:
            return proxy_act(event.kind, event.data)
    return None


def is_seen(event: Event) -> bool:
    """Whether it tells of a packet, the begin or end of a connection, or a message that a client got."""
    if event.source != "mqtt":
        return False
    return event.kind in ("packet", "connection") or (event.kind, event.data.get("does")) == (PEER, GOT)


def peer_act(data: Mapping[str, Scalar]) -> str:
    """The text of what a client of the host does, by its event's data."""
    return _text(f"peer/{data['client']}/{data['does']}", data, ("client", "does"))


def proxy_act(kind: str, data: Mapping[str, Scalar]) -> str:
    """The text of a fault's ``begin`` or ``end``."""
    return _text(f"{data['where']}/{kind}/{data['what']}", data, ("where", "what", *_COUNTED))


def _text(name: str, data: Mapping[str, Scalar], but: Sequence[str]) -> str:
    rest = {key: value for key, value in sorted(data.items()) if key not in but}
    return f"mqtt:{quote(name)} {json.dumps(rest)}"  # up to the blank: as with a console's command


def as_subscribe(filters: Sequence[tuple[str, int]]) -> dict[str, Scalar]:
    """A client subscribes to (filter, QoS) pairs."""
    return {"does": "subscribe", "filters": json.dumps(filters)}


def as_publish(topic: str, payload: bytes, qos: int, retain: bool) -> dict[str, Scalar]:
    """A client publishes."""
    return {"does": "publish", "topic": _plain(topic), "qos": qos, "retain": retain, **_content(payload)}


def as_got(message: Message) -> dict[str, Scalar]:
    """A client got a message."""
    head: dict[str, Scalar] = {"does": GOT, "topic": _plain(message.topic), "qos": message.qos}
    return {**head, "retain": message.retain, "dup": message.dup, **_content(message.payload)}


def _content(payload: bytes) -> dict[str, Scalar]:
    return {"bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}


def _plain(topic: str) -> str:
    """A topic that is no UTF-8 is shown, and can then not be played as it was."""
    return topic.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
