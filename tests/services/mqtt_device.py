# SPDX-License-Identifier: MIT
"""A paho client that plays a device: connects, waits for CONNACK so long, and tries again after waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from rig.deadline import Deadline

CONNACK_S = 0.1


class Device:
    """Runs while the context is entered. ``wait_s(n)``: before attempt n since it was last connected.

    None: it gives up.
    """

    def __init__(self, port: int, client: str, wait_s: Callable[[int], float | None]) -> None:
        self._port = port
        self._client_id = client
        self._wait_s = wait_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        done = 0
        while not self._over.is_set():
            done = 0 if self._was_connected() else done
            wait_s = self._wait_s(done)
            if wait_s is None:
                return
            self._over.wait(wait_s)
            done += 1

    def _was_connected(self) -> bool:
        """One connection from its begin to its end."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id)
        accepted, ended = threading.Event(), threading.Event()
        client.on_connect = lambda *_: accepted.set()
        client.on_disconnect = lambda *_: ended.set()
        client.connect("127.0.0.1", self._port)
        deadline = Deadline.after(CONNACK_S)
        while not (self._over.is_set() or ended.is_set()) and (accepted.is_set() or not deadline.expired):
            client.loop(0.01)
        client.disconnect()
        client.loop(0.01)
        return accepted.is_set()
