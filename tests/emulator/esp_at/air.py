# SPDX-License-Identifier: MIT
"""Two access points, a service on the loopback, and a connection to it through the module."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from rig.emulator.esp_at.air import AccessPoint, Security
from tests.emulator.at_client import AtClient

LAB = AccessPoint("lab", "a key of the lab", channel=11, rssi_dbm=-40)
OPEN = AccessPoint("open house", security=Security.OPEN, rssi_dbm=-70)
WITHIN_S = 5.0


@contextlib.contextmanager
def peer() -> Iterator[socket.socket]:
    """A service on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WITHIN_S)
        yield listener


def connect(client: AtClient, listener: socket.socket, host: str = "10.0.2.2") -> socket.socket:
    """Connection 0 of the module to a service of ours; returns our end."""
    assert client.ask(f'AT+CIPSTART=0,"TCP","{host}",{listener.getsockname()[1]}') == "0,CONNECT\n\nOK"
    ours, _ = listener.accept()
    ours.settimeout(WITHIN_S)
    return ours
