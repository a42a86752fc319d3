# SPDX-License-Identifier: MIT
"""A service of the cloud on MQTT: a client of the broker like any other, with a certificate of its own.

Owns the connection, which comes back by itself when the broker does, and that a fault of the service is
kept for ``check`` and does not end it. Topics and what is said on them are the service's. On AWS IoT a
service answers a requester that has no subscription; a plain broker delivers to subscribers only.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from rig.errors import RigFault
from rig.links.client_tls import client_context
from rig.services.endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo

    from rig.services.pki import IdentityFiles

Handle = Callable[[str, bytes], None]
"""Takes the topic and payload of a request, on the client's own thread."""

_READY_S: Final = 5.0
_BACK_S: Final = 60.0  # only a busy host takes longer than a second
_KEEPALIVE_S: Final = 60


class CloudClient:
    """Hears what comes on ``filters`` while the context is entered. ``what`` names it in messages."""

    def __init__(
        self,
        what: str,
        broker: Endpoint,
        ca: Path,
        identity: IdentityFiles,
        name: str,
        *,
        filters: Sequence[str],
        handle: Handle,
    ) -> None:
        self._what = what
        self._broker = broker
        self._context = client_context(ca, identity.certificate, identity.private_key)
        self._name = name
        self._filters = tuple(filters)
        self._handle = handle
        self._subscribed = threading.Event()
        self._client: Client
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        self._client = self._made()
        try:
            self._client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
        except OSError as error:
            raise RigFault(f"{self._what} cannot reach the broker at {self._broker}: {error}") from error
        self._client.loop_start()
        if not self._subscribed.wait(_READY_S):
            self._client.loop_stop()
            raise RigFault(f"the broker at {self._broker} did not let {self._what} in in {_READY_S:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def settle(self) -> None:
        """Waits until the broker, which may have been away, passes requests on. Raises RigFault."""
        self._subscribed.clear()
        self._subscribe(self._client)
        if not self._subscribed.wait(_BACK_S):
            raise RigFault(f"{self._what} did not come back to the broker at {self._broker} in {_BACK_S:g} s")

    def check(self) -> None:
        """Raises RigFault when a request could not be answered by a fault of ours."""
        if self._trouble is not None:
            raise RigFault(f"{self._what} broke: {self._trouble}")

    def publish(self, topic: str, payload: bytes) -> MQTTMessageInfo:
        """Publishes with QoS 1. From any thread; does not wait."""
        return self._client.publish(topic, payload, qos=1)

    def publish_surely(self, topic: str, payload: bytes) -> Callable[[float], bool]:
        """As ``publish``; what it returns blocks for so many seconds until the broker has acknowledged it."""
        sent = self.publish(topic, payload)

        def arrived(timeout_s: float) -> bool:
            sent.wait_for_publish(timeout_s)
            return sent.is_published()

        sent.rc = 0  # type: ignore[assignment]  # without a connection it waits for the next one: no fault
        return arrived

    def _made(self) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client_id = f"{self._name}-{secrets.token_hex(4)}"  # nobody can take it over by guessing
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.tls_set_context(self._context)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda mqtt, *_: self._subscribe(mqtt)
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_socket_open = no_delay
        client.on_message = self._on_message
        return client

    def _subscribe(self, client: Client) -> None:
        client.subscribe([(topic, 1) for topic in self._filters])

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            self._handle(message.topic, bytes(message.payload))
        except Exception as error:  # noqa: BLE001  whatever it is: the client's thread is to live on
            self._trouble = self._trouble or f"{type(error).__name__}: {error}"


def no_delay(_client: Client, _data: Any, connection: Any) -> None:
    """Has a client's connection wait for nothing: else one measures delayed acknowledgements."""
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
