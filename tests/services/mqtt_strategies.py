# SPDX-License-Identifier: MIT
"""Hypothesis strategies of MQTT packets that keep the rules."""

from __future__ import annotations

from hypothesis import strategies as st

from rig.services.network.mqtt_packets import (
    V5,
    V311,
    Ack,
    Connack,
    Connect,
    End,
    Grant,
    Ping,
    Publish,
    Sound,
    Subscribe,
    Unsubscribe,
    Will,
)
from rig.services.network.mqtt_wire import MOST_LENGTH, PROPERTIES, Properties, PropertyValue

_characters = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.text(_characters, max_size=20)
topics = st.text(st.characters(codec="utf-8", exclude_characters="\0#+"), min_size=1, max_size=20)
blobs = st.binary(max_size=40)
bytes_ = st.integers(0, 255)
packet_ids = st.integers(1, 0xFFFF)
qualities = st.integers(0, 2)

_VALUES: dict[str, st.SearchStrategy[PropertyValue]] = {
    "u8": bytes_,
    "u16": st.integers(0, 0xFFFF),
    "u32": st.integers(0, 0xFFFF_FFFF),
    "length": st.integers(0, MOST_LENGTH),
    "text": texts,
    "blob": blobs,
    "pair": st.tuples(texts, texts),
}


def _property(number: int) -> st.SearchStrategy[tuple[int, PropertyValue]]:
    return st.tuples(st.just(number), _VALUES[PROPERTIES[number][1]])


_repeated = st.sampled_from((11, 38)).flatmap(_property)
_once = st.lists(st.sampled_from(sorted(PROPERTIES)), unique=True, max_size=5).flatmap(
    lambda numbers: st.tuples(*map(_property, numbers))
)
properties = st.builds(lambda once, more: (*once, *more), _once, st.lists(_repeated, max_size=3))


def _properties(level: int) -> st.SearchStrategy[Properties]:
    return properties if level == V5 else st.just(())


def packets(level: int) -> st.SearchStrategy[Sound]:
    """Every type of packet that the level has."""
    extra = _properties(level)
    wills = st.builds(Will, topics, blobs, qualities, st.booleans(), extra)
    connects = st.builds(
        Connect, texts, st.just(level), st.booleans(), st.integers(0, 0xFFFF),
        st.none() | wills, st.none() | texts, st.none() | blobs, extra,
    )  # fmt: skip
    quiet = st.builds(Publish, topics, blobs, st.just(0), st.booleans(), properties=extra)
    sure = st.builds(
        Publish, topics, blobs, st.integers(1, 2), st.booleans(), st.booleans(), packet_ids, extra
    )
    codes = bytes_ if level == V5 else st.just(0)
    acks = st.builds(
        Ack, st.sampled_from(("PUBACK", "PUBREC", "PUBREL", "PUBCOMP")), packet_ids, codes, extra
    )
    filters = st.lists(st.tuples(texts, qualities), min_size=1, max_size=4).map(tuple)
    grants = st.builds(Grant, st.just("SUBACK"), packet_ids, st.lists(bytes_, max_size=4).map(tuple), extra)
    ungrants = st.builds(
        Grant, st.just("UNSUBACK"), packet_ids,
        st.lists(bytes_, max_size=4 if level == V5 else 0).map(tuple), extra,
    )  # fmt: skip
    ends = ("DISCONNECT", "AUTH") if level == V5 else ("DISCONNECT",)
    return st.one_of(
        connects, quiet, sure, acks, grants, ungrants,
        st.builds(Connack, bytes_, st.booleans(), extra),
        st.builds(Subscribe, packet_ids, filters, extra),
        st.builds(Unsubscribe, packet_ids, st.lists(texts, min_size=1, max_size=4).map(tuple), extra),
        st.builds(Ping, st.sampled_from(("PINGREQ", "PINGRESP"))),
        st.builds(End, st.sampled_from(ends), codes, extra),
    )  # fmt: skip


levels = st.sampled_from((V311, V5))
