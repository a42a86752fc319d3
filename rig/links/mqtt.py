# SPDX-License-Identifier: MIT
"""A connection to an MQTT broker. paho ends here: its errors become the rig's, its callbacks only enqueue.

Owns connecting (TLS with a client certificate included), subscribing and publishing with their answers, and
coming back after a loss. Speaks MQTT 5 where the broker does, else 3.1.1. What is done with messages is
``mqtt_capture.py``'s and ``mqtt_peer.py``'s.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from rig.deadline import Deadline
from rig.errors import LinkLost, UsageFault
from rig.events import RunClock
from rig.links.client_tls import client_context
from rig.transcript.messages import Message

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 10.0
_KEEP_ALIVE_S: Final = 30
_AGAIN_S: Final = 1
_FAILED: Final = 0x80
_ANSWERS_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class MqttTls:
    """The CA that the broker's certificate must lead to, and the client's own certificate and key (files)."""

    ca: Path
    certificate: Path
    private_key: Path

    def context(self) -> ssl.SSLContext:
        """Raises UsageFault for a file that is missing, unreadable, or does not fit the others."""
        try:
            return client_context(self.ca, self.certificate, self.private_key)
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            where = f"{self.ca}, {self.certificate}, {self.private_key}"
            raise UsageFault(f"cannot use the CA, certificate and key: {reason}", evidence=where) from error


@dataclass(frozen=True, slots=True)
class MqttPlace:
    """Where a broker is, and how to come in; ``tls`` None: plain TCP, without a name."""

    host: str
    port: int
    tls: MqttTls | None = None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(slots=True)
class _Answers:
    """What the broker said to numbered requests, filled by paho's thread."""

    codes: dict[int, list[int]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, number: int, codes: list[int]) -> None:
        with self.changed:
            self.codes[number] = codes
            while len(self.codes) > _ANSWERS_KEPT:  # those that nobody waited for
                del self.codes[next(iter(self.codes))]
            self.changed.notify_all()

    def take(self, number: int, deadline: Deadline) -> list[int] | None:
        with self.changed:
            self.changed.wait_for(lambda: number in self.codes, deadline.remaining_s)
            return self.codes.pop(number, None)


class MqttConnection:
    """A client of the broker while the context is entered.

    ``on_message`` is called by the reader thread for each message and must only enqueue. ``on_link`` is told
    False when the connection is lost, and True when it is back with its subscriptions. Methods may be called
    from any other thread.
    """

    def __init__(
        self,
        place: MqttPlace,
        clock: RunClock,
        on_message: Callable[[Message], None],
        *,
        client: str = "",
        on_link: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.place = place
        self.client = client
        self.version = 0
        """5 or 3 once it is connected (3: MQTT 3.1.1)."""
        self._clock, self._on_message, self._on_link = clock, on_message, on_link
        self._paho: Client | None = None
        self._granted, self._published = _Answers(), _Answers()
        self._filters: list[tuple[str, int]] = []
        self._refusal: str | None = None
        self._again: int | None = None
        self._connected = threading.Event()
        self._answered = threading.Event()

    def __enter__(self) -> MqttConnection:
        for version in (5, 3):
            self._open(version)
            if self._connected.is_set():
                return self
            self._close()
        raise LinkLost(f"{self.place} refused the connection of {self.client!r}: {self._refusal}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on_link = lambda _: None
        self._close()

    @property
    def connected(self) -> bool:
        """Whether the broker is reached now."""
        return self._connected.is_set()

    def subscribe(self, filters: Sequence[tuple[str, int]], deadline: Deadline | None = None) -> None:
        """Subscribes to (filter, QoS) pairs; blocks for the answer. Raises LinkLost, also where it is no."""
        self._filters += filters
        number = self._ask_for(filters)
        codes = self._granted.take(number, deadline or Deadline.after(_ANSWER_S))
        if codes is None:
            raise LinkLost(f"{self.place} did not answer a subscription")
        refused = [name for (name, _), code in zip(filters, codes, strict=False) if code >= _FAILED]
        if refused:
            raise LinkLost(f"{self.place} refuses a subscription to {refused}")

    def ask_again(self, topic: str) -> None:
        """Has the broker send what it retains for a topic that is subscribed to; does not wait for it."""
        self._ask_for([(topic, 0)])

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        wait: bool = True,
    ) -> None:
        """Publishes; with QoS above 0 and ``wait`` blocks for the acknowledgement.

        Raises LinkLost, also where the broker says no (MQTT 5.0, 3.4.2.1).
        """
        assert self._paho is not None
        info = self._paho.publish(topic, payload, qos, retain) if self.connected else None
        if info is None or info.rc:
            raise LinkLost(f"{self.place} is not connected, cannot publish to {topic!r}")
        if qos and wait:
            codes = self._published.take(info.mid, Deadline.after(_ANSWER_S))
            if codes is None:
                raise LinkLost(f"{self.place} did not acknowledge a message to {topic!r}")
            if codes[0] >= _FAILED:
                raise LinkLost(f"{self.place} refuses a message to {topic!r}: reason code {codes[0]:#x}")

    # --- opening

    def _open(self, version: int) -> None:
        self._paho = self._make(version)
        self._answered.clear()
        self._refusal = "it ended the connection without a word"
        self.version = version
        try:
            self._paho.connect(self.place.host, self.place.port, _KEEP_ALIVE_S)
        except OSError as error:
            self._paho = None
            raise LinkLost(f"cannot reach {self.place}: {_reason(error)}") from error
        self._paho.loop_start()
        self._answered.wait(_CONNECT_S)

    def _make(self, version: int) -> Client:
        from paho.mqtt.client import Client, MQTTv5, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        protocol = MQTTv5 if version == 5 else MQTTv311
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.client, protocol=protocol)
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(_AGAIN_S, _AGAIN_S)
        client.max_queued_messages_set(0)
        if self.place.tls is not None:
            client.tls_set_context(self.place.tls.context())
        client.on_socket_open = lambda _c, _d, stream: _send_at_once(stream)
        client.on_connect = self._heard_connack
        client.on_disconnect = self._heard_end
        client.on_subscribe = self._heard_suback
        client.on_publish = lambda _c, _d, number, code, _p: self._published.put(number, _values([code]))
        client.on_message = lambda _c, _d, message: self._on_message(self._taken(message))
        return client

    def _close(self) -> None:
        if self._paho is not None:
            with contextlib.suppress(OSError):
                self._paho.disconnect()
            self._paho.loop_stop()
            self._paho = None
        self._connected.clear()

    def _ask_for(self, filters: Sequence[tuple[str, int]]) -> int:
        assert self._paho is not None
        if self.version == 5:
            from paho.mqtt.subscribeoptions import SubscribeOptions

            # As published: else nobody but a new subscriber could see that a message is retained.
            wanted: Any = [(name, SubscribeOptions(qos, retainAsPublished=True)) for name, qos in filters]
        else:
            wanted = list(filters)
        _, number = self._paho.subscribe(wanted)
        if number is None:
            raise LinkLost(f"{self.place} is not connected, cannot subscribe")
        return number

    # --- the reader thread

    def _heard_connack(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._refusal = str(code)
        else:
            self._connected.set()
            if self._answered.is_set():
                self._come_back()
        self._answered.set()

    def _come_back(self) -> None:
        if self._filters:
            self._again = self._ask_for(self._filters)
        else:
            self._on_link(True)

    def _heard_suback(self, _client: Client, _data: Any, number: int, codes: Any, _properties: Any) -> None:
        if number == self._again:
            self._again = None
            self._on_link(True)
        else:
            self._granted.put(number, _values(codes))

    def _heard_end(self, _client: Client, _data: Any, _flags: Any, _code: Any, _properties: Any) -> None:
        was = self._connected.is_set()
        self._connected.clear()
        self._answered.set()
        if was:
            self._on_link(False)

    def _taken(self, message: MQTTMessage) -> Message:
        now = self._clock.now_ns()
        try:
            topic = message.topic
        except UnicodeDecodeError as error:  # a broker should have refused it
            topic = error.object.decode("utf-8", "surrogateescape")
        return Message(now, topic, bytes(message.payload), message.qos, message.retain, message.dup)


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a subscription to the filter gets messages of the topic."""
    from paho.mqtt.client import topic_matches_sub

    return topic_matches_sub(topic_filter, topic)


def _send_at_once(stream: Any) -> None:
    """Without this a small packet waits for the acknowledgement of the one before: 40 ms, by the kernel."""
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _values(codes: Sequence[Any]) -> list[int]:
    return [getattr(code, "value", code) for code in codes]


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    return error.strerror or str(error)
