# SPDX-License-Identifier: MIT
"""The Device Shadow service on MQTT: a client of the broker like any other, with a certificate of its own.

Owns the topics. On AWS IoT the service answers a requester that has no subscription; a plain broker delivers
to subscribers only, so that firmware subscribes before it asks.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from rig.errors import RigFault
from rig.links.client_tls import client_context
from rig.services.aws.shadow import OPERATIONS, Answer, ShadowService
from rig.services.endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from paho.mqtt.client import Client, MQTTMessage

    from rig.services.pki import IdentityFiles

FILTERS: Final = ("$aws/things/+/shadow/+", "$aws/things/+/shadow/name/+/+")
_TOPIC: Final = re.compile(
    rf"\$aws/things/(?P<thing>[^/]+)/shadow(?:/name/(?P<name>[^/]*))?/(?P<operation>{'|'.join(OPERATIONS)})"
)
_READY_S: Final = 5.0
_KEEPALIVE_S: Final = 60


class ShadowClient:
    """Answers requests while the context is entered; comes back by itself when the broker does."""

    def __init__(
        self, service: ShadowService, broker: Endpoint, ca: Path, identity: IdentityFiles, name: str
    ) -> None:
        self._service = service
        self._broker = broker
        self._context = client_context(ca, identity.certificate, identity.private_key)
        self._name = name
        self._subscribed = threading.Event()
        self._client: Client
        self._trouble: str | None = None

    def __enter__(self) -> ShadowClient:
        self._client = self._made()
        try:
            self._client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
        except OSError as error:
            raise RigFault(
                f"the shadow service cannot reach the broker at {self._broker}: {error}"
            ) from error
        self._client.loop_start()
        if not self._subscribed.wait(_READY_S):
            self._client.loop_stop()
            raise RigFault(
                f"the broker at {self._broker} did not let the shadow service in in {_READY_S:g} s"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def check(self) -> None:
        """Raises RigFault when a request could not be answered by a fault of ours."""
        if self._trouble is not None:
            raise RigFault(f"the shadow service broke: {self._trouble}")

    def announce(self, thing: str, name: str | None, answers: Sequence[Answer]) -> None:
        """Publishes below a thing's shadow. From any thread; does not wait."""
        base = f"$aws/things/{thing}/shadow" + (f"/name/{name}" if name is not None else "")
        for answer in answers:
            self._client.publish(f"{base}/{answer.suffix}", answer.payload, qos=1)

    def _made(self) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client_id = f"{self._name}-{secrets.token_hex(4)}"  # nobody can take it over by guessing
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.tls_set_context(self._context)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda mqtt, *_: mqtt.subscribe([(topic, 1) for topic in FILTERS])
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_socket_open = _no_delay
        client.on_message = self._on_message
        return client

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        asked = _TOPIC.fullmatch(message.topic)
        if asked is None:
            return  # the service says nothing on topics that are none of its own
        thing, name = asked["thing"], asked["name"]
        try:
            answers = self._service.answer(thing, name, asked["operation"], bytes(message.payload))
            self.announce(thing, name, answers)
        except Exception as error:  # noqa: BLE001  whatever it is: the client's thread is to live on
            self._trouble = self._trouble or f"{type(error).__name__}: {error}"


def _no_delay(_client: Client, _data: Any, connection: Any) -> None:
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
