# SPDX-License-Identifier: MIT
"""What MQTT cases do again and again, by the board's client and a client on the host; and their ``topic``.

Owns these steps only: the words of the board's client are ``board_mqtt.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.errors import BoardSilent

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.links.interfaces import Mark
    from rig.links.mqtt_peer import MqttPeer
    from rig.pytest_plugin.board_mqtt import BoardMqtt
    from rig.pytest_plugin.mqtt_peer import BrokerPlace
    from rig.transcript.messages import Message

ARRIVES_S: Final = 60.0  # only a busy host, or a board that fails, takes long


@pytest.fixture
def topic(board_mqtt: BoardMqtt, fresh_name: Callable[[], str]) -> str:
    """A topic that no other case uses."""
    return board_mqtt.topic(f"case/{fresh_name()}")


def connect(board_mqtt: BoardMqtt, place: BrokerPlace, **how: int | bool) -> bool:
    """Connects the board to the broker of the case; returns whether the broker had its session."""
    return board_mqtt.connect(place.endpoint, tls=place.tls, **how)  # type: ignore[arg-type]


def fresh_session(board_mqtt: BoardMqtt, place: BrokerPlace) -> None:
    """A persistent session without history, on the broker and on the board; the client reconnects."""
    connect(board_mqtt, place, clean=True)
    board_mqtt.forget()
    assert not connect(board_mqtt, place, clean=False, reconnect=True)


def left(console: ConsoleLink, since: Mark) -> dict[str, str] | None:
    """What the client said when it left the state that it was in at the mark; None while it is in it."""
    try:
        return dict(console.wait_event("mqtt.state", Deadline.after(0), since=since).fields)
    except BoardSilent:
        return None


def heard(peer: MqttPeer, topic: str) -> Message:
    """The first message on a topic that the host's client got."""
    return peer.expect(topic, Deadline.after(ARRIVES_S), since=0)


def heard_in_order(peer: MqttPeer, topic: str, count: int) -> list[Message]:
    """The first ``count`` of them."""
    peer.expect(topic, Deadline.after(ARRIVES_S), since=0, where=lambda _: len(peer.messages(topic)) >= count)
    return peer.messages(topic)[:count]


def mark_after(board_mqtt: BoardMqtt, number: int, since: Mark) -> Mark:
    """The mark behind the event that told of message ``number``."""
    deadline = Deadline.after(ARRIVES_S)
    while True:
        event = board_mqtt.console.wait_event("mqtt.message", deadline, since=since)
        since = event.after
        if event.fields.integer("number") == number:
            return since
