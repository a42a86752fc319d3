# SPDX-License-Identifier: MIT
"""MQTT packets of 3.1.1 and 5 as facts: one class per shape of packet.

Owns names and fields. Their bytes are ``mqtt_codec.py``'s; who may send what, and when, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from rig.services.network.mqtt_wire import Properties

V31, V311, V5 = 3, 4, 5
"""Protocol levels as a CONNECT says them: MQTT 3.1, 3.1.1 and 5."""

KINDS: Final = (
    *("RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"),
    *("SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"),
)
"""Packet types by the number in the upper half of the first byte (MQTT 5.0, table 2-1)."""

AckKind = Literal["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"]
GrantKind = Literal["SUBACK", "UNSUBACK"]
PingKind = Literal["PINGREQ", "PINGRESP"]
EndKind = Literal["DISCONNECT", "AUTH"]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the client is lost."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT. The password is left out of every text that is made of it."""

    client: str
    level: int = V311
    clean: bool = True
    keep_alive_s: int = 0
    will: Will | None = None
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    properties: Properties = ()
    kind: Literal["CONNECT"] = "CONNECT"


@dataclass(frozen=True, slots=True)
class Connack:
    """CONNACK; code 0 means accepted."""

    code: int = 0
    session_present: bool = False
    properties: Properties = ()
    kind: Literal["CONNACK"] = "CONNACK"


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH. ``packet_id`` is 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties = ()
    kind: Literal["PUBLISH"] = "PUBLISH"


@dataclass(frozen=True, slots=True)
class Ack:
    """PUBACK, PUBREC, PUBREL or PUBCOMP; ``code`` and ``properties`` only in version 5."""

    kind: AckKind
    packet_id: int
    code: int = 0
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE: topic filters, each with its options (the lowest two bits are the QoS)."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]
    properties: Properties = ()
    kind: Literal["SUBSCRIBE"] = "SUBSCRIBE"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE."""

    packet_id: int
    filters: tuple[str, ...]
    properties: Properties = ()
    kind: Literal["UNSUBSCRIBE"] = "UNSUBSCRIBE"


@dataclass(frozen=True, slots=True)
class Grant:
    """SUBACK or UNSUBACK: one code per filter; an UNSUBACK of 3.1.1 has none."""

    kind: GrantKind
    packet_id: int
    codes: tuple[int, ...] = ()
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ or PINGRESP."""

    kind: PingKind


@dataclass(frozen=True, slots=True)
class End:
    """DISCONNECT, or the AUTH of version 5."""

    kind: EndKind
    code: int = 0
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no packet. ``kind`` is what the first byte says it should have been."""

    kind: str
    why: str
    size: int


Sound = Connect | Connack | Publish | Ack | Subscribe | Unsubscribe | Grant | Ping | End
"""A packet that keeps the rules."""
Packet = Sound | Malformed
