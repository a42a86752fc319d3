# SPDX-License-Identifier: MIT
"""A broker's clients without a broker: they get what such clients got in an earlier run, when they got it.

Owns handing on what was seen (``mqtt_acts.py``) to whoever listens, and a connection that stands in for that
of ``mqtt.py``. What follows what, is the tape's; a message comes when the act or request is done again after
which it came, never by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, NoReturn

from rig.events import Event, Scalar
from rig.links.mqtt_acts import PEER, as_publish, as_subscribe, peer_act
from rig.links.tape import Step
from rig.transcript.messages import Message

PATIENCE_S: Final = 5.0
"""What is played comes with the act that it followed: nobody waits longer than a busy host takes for that."""


class MqttPlayer:
    """What was seen of a board's MQTT, played. ``hear`` is given it; any thread.

    ``act`` plays what followed an act, and returns None where that was not done then: ``unplayed`` is called
    with a word for it and must not return. ``payloads`` finds a payload by its SHA-256.
    """

    def __init__(
        self,
        act: Callable[[str], Step | None],
        payloads: Mapping[str, bytes],
        unplayed: Callable[[str], NoReturn],
    ) -> None:
        self.payloads = payloads
        self._act, self._unplayed = act, unplayed
        self._clients: dict[str, Callable[[Message], None]] = {}
        self._proxies: dict[str, Callable[[Event], None]] = {}

    def hear(self, events: Sequence[Event]) -> None:
        """Hands on what was seen: packets to their proxy, messages to their client, if they are there."""
        for event in events:
            if event.kind == PEER:
                listener = self._clients.get(str(event.data["client"]))
                if listener is not None:
                    listener(self._message(event))
            elif (proxy := self._proxies.get(str(event.data["where"]))) is not None:
                proxy(event)

    def act(self, what: str, words: str) -> Step:
        """Does an act; ``words`` say it to a person where the tape has it not."""
        step = self._act(what)
        return step if step is not None else self._unplayed(words)

    def connection(self, client: str) -> Callable[[Callable[[Message], None]], PlayedConnection]:
        """Makes the connections of a client of that name."""
        return lambda on_message: PlayedConnection(self, client, on_message)

    def listen(self, where: str, on_seen: Callable[[Event], None]) -> None:
        """Gives what was seen at a proxy to ``on_seen`` from now on."""
        self._proxies[where] = on_seen

    def attach(self, client: str, on_message: Callable[[Message], None] | None) -> None:
        """Gives what a client got to ``on_message`` from now on, or to nobody."""
        if on_message is None:
            self._clients.pop(client, None)
        else:
            self._clients[client] = on_message

    def _message(self, event: Event) -> Message:
        said = event.data
        payload = self.payloads[str(said["sha256"])]
        qos, retain, dup = int(str(said["qos"])), said["retain"] is True, said["dup"] is True
        return Message(event.t_ns, str(said["topic"]), payload, qos, retain, dup)


class PlayedConnection:
    """Stands in for ``MqttConnection``: connected while entered, and all that it does is an act."""

    def __init__(self, player: MqttPlayer, client: str, on_message: Callable[[Message], None]) -> None:
        self.connected = False
        self._player, self._client, self._on_message = player, client, on_message

    def __enter__(self) -> PlayedConnection:
        self._player.attach(self._client, self._on_message)
        self._do({"does": "connect"})
        self.connected = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connected = False
        self._player.attach(self._client, None)
        if error is None:  # else the case has ended already
            self._do({"does": "leave"})

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """What came after the client subscribed."""
        self._do(as_subscribe(filters))

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """What came after the client published this, or something else where it did not publish this."""
        self._do(as_publish(topic, payload, qos, retain))

    def _do(self, data: Mapping[str, Scalar]) -> None:
        self._player.act(
            peer_act({"client": self._client, **data}), f"{data['does']} of a client of the host"
        )
