# SPDX-License-Identifier: MIT
"""The bytes of MQTT packets of 3.1.1 and 5, both ways.

Pure. ``decode`` takes one whole packet (``mqtt_frames.py`` cuts a stream into them) and never raises: what
breaks the rules of the protocol comes back as ``Malformed`` with the reason. ``encode`` is its inverse.
Sources: MQTT 3.1.1 and MQTT 5.0, chapters 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from rig.services.network.mqtt_packets import (
    KINDS,
    V5,
    V31,
    V311,
    Ack,
    AckKind,
    Connack,
    Connect,
    End,
    EndKind,
    Grant,
    GrantKind,
    Malformed,
    Packet,
    Ping,
    PingKind,
    Publish,
    Sound,
    Subscribe,
    Unsubscribe,
    Will,
)
from rig.services.network.mqtt_wire import (
    MalformedError,
    Properties,
    Reader,
    blob_bytes,
    length_bytes,
    properties_bytes,
    text_bytes,
    u16_bytes,
)

_FLAGS: Final = {"PUBREL": 2, "SUBSCRIBE": 2, "UNSUBSCRIBE": 2}
_NAMES: Final = {V31: "MQIsdp", V311: "MQTT", V5: "MQTT"}


def decode(raw: bytes, level: int = V311) -> Packet:
    """The packet in these bytes, by the rules of the protocol level that its connection speaks."""
    if not raw:
        return Malformed(KINDS[0], "no bytes", 0)
    kind, flags = KINDS[raw[0] >> 4], raw[0] & 0x0F
    reader = Reader(raw, 1)
    try:
        size = reader.length()
        if size != reader.left:
            raise MalformedError(f"says {size} bytes, has {reader.left}")
        packet = _body(kind, flags, reader, level)
        reader.end()
    except MalformedError as error:
        return Malformed(kind, str(error), len(raw))
    return packet


def _body(kind: str, flags: int, reader: Reader, level: int) -> Sound:
    if kind == "PUBLISH":
        return _publish(flags, reader, level)
    if flags != _FLAGS.get(kind, 0):
        raise MalformedError(f"flags {flags:04b}, must be {_FLAGS.get(kind, 0):04b}")
    if kind == "CONNECT":
        return _connect(reader)
    if kind == "CONNACK":
        return _connack(reader, level)
    if kind in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
        return Ack(cast(AckKind, kind), _packet_id(reader), *_code_and_properties(reader, level))
    if kind == "SUBSCRIBE":
        return _subscribe(reader, level)
    if kind == "UNSUBSCRIBE":
        return _unsubscribe(reader, level)
    if kind in ("SUBACK", "UNSUBACK"):
        return _grant(cast(GrantKind, kind), reader, level)
    if kind in ("PINGREQ", "PINGRESP"):
        return Ping(cast(PingKind, kind))
    if kind == "DISCONNECT" or (kind == "AUTH" and level == V5):
        return End(cast(EndKind, kind), *_code_and_properties(reader, level))
    raise MalformedError(f"packet type {kind} does not exist in this version")


def _connect(reader: Reader) -> Connect:
    name, level = reader.text("protocol name"), reader.u8()
    if _NAMES.get(level) != name:
        raise MalformedError(f"protocol {name!r} of level {level} is not known")
    flags, keep_alive_s = reader.u8(), reader.u16()
    if flags & 0x01:
        raise MalformedError("the reserved flag is set")
    properties = _properties(reader, level)
    client = reader.text("client identifier")
    will = _will(flags, reader, level)
    username = reader.text("user name") if flags & 0x80 else None
    password = reader.blob() if flags & 0x40 else None
    return Connect(client, level, bool(flags & 0x02), keep_alive_s, will, username, password, properties)


def _will(flags: int, reader: Reader, level: int) -> Will | None:
    qos, retain = _qos(flags >> 3), bool(flags & 0x20)
    if not flags & 0x04:
        if qos or retain:
            raise MalformedError("QoS or retain of a will, without a will")
        return None
    properties = _properties(reader, level)
    return Will(reader.text("topic of the will"), reader.blob(), qos, retain, properties)


def _connack(reader: Reader, level: int) -> Connack:
    flags, code = reader.u8(), reader.u8()
    if flags > 1:
        raise MalformedError(f"acknowledge flags {flags:08b}")
    # A broker that refuses a version 5 client by an answer of version 3 sends no properties.
    properties = _properties(reader, level) if reader.left else ()
    return Connack(code, bool(flags), properties)


def _publish(flags: int, reader: Reader, level: int) -> Publish:
    qos, dup = _qos(flags >> 1), bool(flags & 0x08)
    if dup and not qos:
        raise MalformedError("DUP with QoS 0")
    topic = reader.text("topic")
    if "#" in topic or "+" in topic:
        raise MalformedError("a topic name with a wildcard")
    packet_id = _packet_id(reader) if qos else 0
    properties = _properties(reader, level)
    if not topic and level < V5:
        raise MalformedError("an empty topic")
    return Publish(topic, reader.rest(), qos, bool(flags & 0x01), dup, packet_id, properties)


def _subscribe(reader: Reader, level: int) -> Subscribe:
    packet_id, properties = _packet_id(reader), _properties(reader, level)
    filters: list[tuple[str, int]] = []
    while reader.left:
        topic_filter, options = reader.text("topic filter"), reader.u8()
        _qos(options)
        if options & (0xC0 if level == V5 else 0xFC):
            raise MalformedError(f"reserved options of a subscription: {options:08b}")
        filters.append((topic_filter, options))
    _not_empty(filters)
    return Subscribe(packet_id, tuple(filters), properties)


def _unsubscribe(reader: Reader, level: int) -> Unsubscribe:
    packet_id, properties = _packet_id(reader), _properties(reader, level)
    filters: list[str] = []
    while reader.left:
        filters.append(reader.text("topic filter"))
    _not_empty(filters)
    return Unsubscribe(packet_id, tuple(filters), properties)


def _not_empty(filters: Sequence[object]) -> None:
    if not filters:
        raise MalformedError("no topic filter")


def _grant(kind: GrantKind, reader: Reader, level: int) -> Grant:
    packet_id, properties = _packet_id(reader), _properties(reader, level)
    codes = tuple(reader.rest())
    if kind == "UNSUBACK" and level < V5 and codes:
        raise MalformedError("codes that this version does not have")
    return Grant(kind, packet_id, codes, properties)


def _code_and_properties(reader: Reader, level: int) -> tuple[int, Properties]:
    """Both may be left out, and are absent before version 5."""
    if level < V5 or not reader.left:
        return 0, ()
    code = reader.u8()
    return code, reader.properties() if reader.left else ()


def _properties(reader: Reader, level: int) -> Properties:
    return reader.properties() if level == V5 else ()


def _qos(bits: int) -> int:
    if bits & 3 == 3:
        raise MalformedError("QoS 3")
    return bits & 3


def _packet_id(reader: Reader) -> int:
    number = reader.u16()
    if not number:
        raise MalformedError("packet identifier 0")
    return number


def encode(packet: Sound, level: int = V311) -> bytes:
    """The packet's bytes for a connection of that level; a CONNECT is of its own.

    Raises ValueError, OverflowError or struct.error for a field outside of its range.
    """
    flags = _FLAGS.get(packet.kind, 0)
    if isinstance(packet, Publish):
        flags = packet.dup << 3 | packet.qos << 1 | packet.retain
    body = _bytes_of(packet, level)
    return bytes([KINDS.index(packet.kind) << 4 | flags]) + length_bytes(len(body)) + body


def _bytes_of(packet: Sound, level: int) -> bytes:
    if isinstance(packet, Connect):
        return _connect_bytes(packet)
    if isinstance(packet, Connack):
        return bytes([packet.session_present, packet.code]) + _properties_bytes(packet.properties, level)
    if isinstance(packet, Publish):
        number = u16_bytes(packet.packet_id) if packet.qos else b""
        return (
            text_bytes(packet.topic) + number + _properties_bytes(packet.properties, level) + packet.payload
        )
    if isinstance(packet, Ping):
        return b""
    if isinstance(packet, End):
        return _code_bytes(packet, level)
    if isinstance(packet, Ack):
        return u16_bytes(packet.packet_id) + _code_bytes(packet, level)
    head = u16_bytes(packet.packet_id) + _properties_bytes(packet.properties, level)
    if isinstance(packet, Subscribe):
        return head + b"".join(text_bytes(name) + bytes([options]) for name, options in packet.filters)
    if isinstance(packet, Unsubscribe):
        return head + b"".join(map(text_bytes, packet.filters))
    return head + bytes(packet.codes)


def _connect_bytes(packet: Connect) -> bytes:
    flags, tail = packet.clean << 1, b""
    if will := packet.will:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        tail += _properties_bytes(will.properties, packet.level)
        tail += text_bytes(will.topic) + blob_bytes(will.payload)
    if packet.username is not None:
        flags |= 0x80
        tail += text_bytes(packet.username)
    if packet.password is not None:
        flags |= 0x40
        tail += blob_bytes(packet.password)
    head = text_bytes(_NAMES[packet.level]) + bytes([packet.level, flags]) + u16_bytes(packet.keep_alive_s)
    return head + _properties_bytes(packet.properties, packet.level) + text_bytes(packet.client) + tail


def _properties_bytes(properties: Properties, level: int) -> bytes:
    return properties_bytes(properties) if level == V5 else b""


def _code_bytes(packet: Ack | End, level: int) -> bytes:
    """Left out where the protocol lets them be, so that there is one form of every packet."""
    if level < V5 or not (packet.code or packet.properties):
        return b""
    return bytes([packet.code]) + (properties_bytes(packet.properties) if packet.properties else b"")
