# SPDX-License-Identifier: MIT
"""The codec of MQTT packets: what goes in comes out, cut anywhere, and no bytes upset it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.services.network.mqtt_codec import decode, encode
from rig.services.network.mqtt_frames import Framer
from rig.services.network.mqtt_packets import (
    V5,
    V31,
    V311,
    Ack,
    Connack,
    Connect,
    End,
    Grant,
    Malformed,
    Ping,
    Publish,
    Sound,
    Subscribe,
    Will,
)
from rig.services.network.mqtt_wire import MalformedError, Reader, length_bytes
from tests.services.mqtt_strategies import levels, packets

FEW = settings(max_examples=60)
PACKETS = levels.flatmap(lambda level: st.tuples(st.just(level), packets(level)))
STREAMS = levels.flatmap(lambda level: st.tuples(st.just(level), st.lists(packets(level), max_size=6)))


@FEW
@given(PACKETS)
def test_a_packet_survives_its_bytes(pair: tuple[int, Sound]) -> None:
    level, packet = pair
    assert decode(encode(packet, level), level) == packet


@FEW
@given(st.binary(max_size=80), levels)
def test_any_bytes_are_a_packet_or_said_to_be_malformed(raw: bytes, level: int) -> None:
    packet = decode(raw, level)
    if isinstance(packet, Malformed):
        assert packet.why
        assert packet.size == len(raw)
    else:
        assert decode(encode(packet, level), level) == packet


@FEW
@given(PACKETS, st.data())
def test_a_damaged_packet_upsets_nothing(pair: tuple[int, Sound], data: st.DataObject) -> None:
    level, packet = pair
    raw = bytearray(encode(packet, level))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    del raw[len(raw) - data.draw(st.integers(0, len(raw) - 1)) :]
    decode(bytes(raw), level)


@FEW
@given(STREAMS, st.data())
def test_a_stream_cut_anywhere_gives_the_same_packets(
    stream: tuple[int, list[Sound]], data: st.DataObject
) -> None:
    level, sent = stream
    raw = b"".join(encode(packet, level) for packet in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    framer = Framer()
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert framer.flush() == []
    assert [decode(frame.raw, level) for frame in frames] == sent


@FEW
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_the_framer_loses_no_byte_of_whatever_comes(pieces: list[bytes]) -> None:
    framer = Framer(most_bytes=50)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert b"".join(frame.raw for frame in [*frames, *framer.flush()]) == b"".join(pieces)


@FEW
@given(st.integers(0, 268_435_455))
def test_a_length_survives_its_bytes(value: int) -> None:
    assert Reader(length_bytes(value)).length() == value


# What the specifications show as examples, or say in words.
KNOWN = [
    ("100c00044d5154540402003c0000", V311, Connect("", keep_alive_s=60)),
    ("101100064d51497364700302003c0003616263", V311, Connect("abc", V31, keep_alive_s=60)),
    (
        "102000044d51545405ce000a05110000000a00016300000161000178000175000170",
        V5,
        Connect("c", V5, True, 10, Will("a", b"x", 1), "u", b"p", ((17, 10),)),
    ),
    ("20020100", V311, Connack(0, True)),
    ("2006000003210014", V5, Connack(0, False, ((33, 20),))),
    ("30070003612f626869", V311, Publish("a/b", b"hi")),
    ("3b0700036162630010", V311, Publish("abc", b"", 1, True, True, 16)),
    ("40020102", V311, Ack("PUBACK", 258)),
    ("4004000a1000", V5, Ack("PUBACK", 10, 0x10)),
    ("62020001", V311, Ack("PUBREL", 1)),
    ("820e000a0003612f62010003632f6402", V311, Subscribe(10, (("a/b", 1), ("c/d", 2)))),
    ("9005000a000280", V311, Grant("SUBACK", 10, (0, 2, 0x80))),
    ("c000", V311, Ping("PINGREQ")),
    ("e000", V5, End("DISCONNECT")),
    ("e0018b", V5, End("DISCONNECT", 0x8B)),
]
BROKEN = [
    ("", V311, "no bytes"),
    ("c001", V311, "says 1 bytes, has 0"),
    ("c00100", V311, "1 bytes too many"),
    ("c100", V311, "flags 0001"),
    ("8006000100016100", V311, "flags 0000, must be 0010"),
    ("3603000161", V311, "QoS 3"),
    ("3803000161", V311, "DUP with QoS 0"),
    ("30040002c328", V311, "topic is not UTF-8, at byte 0"),
    ("30050003eda080", V311, "topic is not UTF-8"),
    ("3003000100", V311, "topic holds a null character"),
    ("300300012b", V311, "wildcard"),
    ("30020000", V311, "an empty topic"),
    ("32050001610000", V311, "packet identifier 0"),
    ("30050009616263", V311, "ends 6 bytes early"),
    ("100c00044d5154540402003c0001", V311, "ends 1 bytes early"),
    ("100c00044d5154540902003c0000", V311, "level 9 is not known"),
    ("100c00044d5154540403003c0000", V311, "reserved flag"),
    ("100c00044d515454040a003c0000", V311, "without a will"),
    ("82020001", V311, "no topic filter"),
    ("820600010001610c", V311, "reserved options"),
    ("20020200", V311, "acknowledge flags"),
    ("f000", V311, "AUTH does not exist"),
    ("0000", V311, "RESERVED does not exist"),
    ("b003000100", V311, "codes that this version does not have"),
    ("e0038b0263", V5, "early"),
    ("e0048b020700", V5, "property 7 does not exist"),
    ("e00c8b0a11000000001100000000", V5, "session_expiry_s stands there twice"),
    ("c08000", V311, "more bytes than it needs"),
]


@pytest.mark.parametrize(("text", "level", "packet"), KNOWN)
def test_known_bytes(text: str, level: int, packet: Sound) -> None:
    assert decode(bytes.fromhex(text), level) == packet
    if level != V5 or not isinstance(packet, Ack):
        assert encode(packet, level).hex() == text


@pytest.mark.parametrize(("text", "level", "why"), BROKEN)
def test_broken_bytes_are_said_to_be_so(text: str, level: int, why: str) -> None:
    packet = decode(bytes.fromhex(text), level)
    assert isinstance(packet, Malformed)
    assert why in packet.why


def test_a_length_without_end_is_no_number() -> None:
    with pytest.raises(MalformedError, match="more than four bytes"):
        Reader(b"\xff\xff\xff\xff\x01").length()


def test_what_is_no_mqtt_is_handed_on_as_it_comes() -> None:
    framer = Framer()
    first = framer.feed(b"\x10\xff\xff\xff\xff\x01rest")
    assert [frame.raw for frame in first] == [b"\x10\xff\xff\xff\xff\x01rest"]
    assert "no MQTT" in first[0].fault
    assert [frame.raw for frame in framer.feed(b"more")] == [b"more"]


def test_a_packet_too_long_to_look_at_is_handed_on_in_pieces() -> None:
    framer = Framer(most_bytes=10)
    long = encode(Publish("t", bytes(30)))
    frames = [frame for at in range(0, len(long), 8) for frame in framer.feed(long[at : at + 8])]
    assert b"".join(frame.raw for frame in frames) == long
    assert all(frame.fault for frame in frames)
    assert decode(framer.feed(encode(Ping("PINGREQ")))[0].raw) == Ping("PINGREQ")


def test_a_password_is_in_no_text() -> None:
    assert "hunter2" not in repr(Connect("c", username="u", password=b"hunter2"))
