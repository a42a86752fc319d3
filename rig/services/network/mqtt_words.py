# SPDX-License-Identifier: MIT
"""What a run keeps of an MQTT packet: its facts as plain values, and no secret.

Pure. Passwords and authentication data are said to be there and never shown; of a malformed CONNECT no byte
is shown, for a password may be among them. Topics and names are an attacker's: who prints them escapes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from rig.events import Scalar
from rig.services.network.mqtt_packets import (
    Ack,
    Connack,
    Connect,
    End,
    Grant,
    Malformed,
    Packet,
    Publish,
    Subscribe,
    Unsubscribe,
)
from rig.services.network.mqtt_wire import PROPERTIES, Properties

MASKED: Final = "(masked)"
_SECRET = ("authentication_data",)
_HEAD_BYTES = 32


def facts_of(packet: Packet, raw: bytes = b"") -> dict[str, Scalar]:
    """The packet's fields by name. ``raw``: its bytes, of which a malformed one shows the first."""
    facts = _BY_CLASS[type(packet)](packet) if type(packet) in _BY_CLASS else {}
    if isinstance(packet, Malformed) and packet.kind != "CONNECT":
        facts["head"] = raw[:_HEAD_BYTES].hex()
    properties = getattr(packet, "properties", ())
    if properties:
        facts["properties"] = _properties(properties)
    return facts


def _connect(packet: Connect) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {
        "level": packet.level,
        "clean": packet.clean,
        "keep_alive_s": packet.keep_alive_s,
    }
    if packet.username is not None:
        name, query, _ = packet.username.partition("?")  # what follows it carries tokens at AWS IoT Core
        facts["username"] = name + (query and f"?{MASKED}")
    if packet.password is not None:
        facts["password"] = MASKED
    if will := packet.will:
        facts |= {"will_topic": will.topic, "will_qos": will.qos, "will_retain": will.retain}
        facts["will_bytes"] = len(will.payload)
    return facts


def _publish(packet: Publish) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {"topic": packet.topic, "qos": packet.qos, "bytes": len(packet.payload)}
    facts |= {"retain": packet.retain, "dup": packet.dup}
    return facts | ({"packet_id": packet.packet_id} if packet.qos else {})


def _codes(codes: tuple[int, ...]) -> str:
    return " ".join(f"{code:#04x}" for code in codes)


_BY_CLASS: Mapping[type, Callable[[Any], dict[str, Scalar]]] = {
    Connect: _connect,
    Connack: lambda packet: {"code": packet.code, "session_present": packet.session_present},
    Publish: _publish,
    Ack: lambda packet: {"packet_id": packet.packet_id, "code": packet.code},
    Subscribe: lambda packet: {"packet_id": packet.packet_id, "filters": json.dumps(packet.filters)},
    Unsubscribe: lambda packet: {"packet_id": packet.packet_id, "filters": json.dumps(packet.filters)},
    Grant: lambda packet: {"packet_id": packet.packet_id, "codes": _codes(packet.codes)},
    End: lambda packet: {"code": packet.code},
    Malformed: lambda packet: {"malformed": packet.why, "bytes": packet.size},
}


def _properties(properties: Properties) -> str:
    named = [
        (name, MASKED if name in _SECRET else value.hex() if isinstance(value, bytes) else value)
        for number, value in properties
        for name in (PROPERTIES[number][0],)
    ]
    return json.dumps(named)
