# SPDX-License-Identifier: MIT
"""A plain paho client for tests: connects once, keeps what comes, and waits for it without sleeping."""

from __future__ import annotations

import json
import queue
import ssl
import threading
from types import TracebackType
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from rig.services.aws.cloud_client import no_delay
from rig.services.endpoint import Endpoint
from rig.services.pki import Authority, IdentityFiles

WAIT_S = 10.0


class PlainClient:
    """A connection while the context is entered; ``reason`` is the broker's answer to CONNECT."""

    def __init__(
        self,
        endpoint: Endpoint,
        client_id: str = "",
        *,
        authority: Authority | None = None,
        identity: IdentityFiles | None = None,
        clean: bool = True,
    ) -> None:
        self._endpoint = endpoint
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        if authority is not None:
            context = ssl.create_default_context(cadata=authority.certificate)
            if identity is not None:
                context.load_cert_chain(identity.certificate, identity.private_key)
            self._client.tls_set_context(context)
        self.messages: queue.Queue[MQTTMessage] = queue.Queue()
        self.reason = "none"
        self.gone = threading.Event()
        self._connected, self._subscribed = threading.Event(), threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_socket_open = no_delay
        self._client.on_message = lambda _client, _data, message: self.messages.put(message)

    def __enter__(self) -> PlainClient:
        self._client.connect(self._endpoint.host, self._endpoint.port, keepalive=30)
        self._client.loop_start()
        assert self._connected.wait(WAIT_S), f"no CONNACK from {self._endpoint}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, *topics: str, qos: int = 1) -> None:
        """Subscribes, and waits for the answer."""
        self._subscribed.clear()
        self._client.subscribe([(topic, qos) for topic in topics])
        assert self._subscribed.wait(WAIT_S)

    def publish(self, topic: str, payload: object, *, qos: int = 1, retain: bool = False) -> None:
        """Publishes bytes, text, or JSON of anything else; waits for the acknowledgement."""
        data = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        self._client.publish(topic, data, qos, retain).wait_for_publish(WAIT_S)

    def next(self, timeout_s: float = WAIT_S) -> MQTTMessage:
        """The next message; raises queue.Empty when none comes."""
        return self.messages.get(timeout=timeout_s)

    # --- paho's thread

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _props: Properties | None
    ) -> None:
        self.reason = str(code)
        self._connected.set()

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, _codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        self._subscribed.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        _code: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self.gone.set()
