# SPDX-License-Identifier: MIT
"""The emulated Wi-Fi module on a UART of its own, with a plain client, and what it told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.emulator.esp_at.serving import WifiModule
from rig.events import Event
from tests.emulator.at_client import AtClient, Uart, uart
from tests.emulator.esp_at.air import LAB, OPEN


@pytest.fixture
def events() -> list[Event]:
    """What the module told the run."""
    return []


@pytest.fixture
def place(events: list[Event], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Uart, WifiModule]]:
    """A UART and a module on it, with two access points in reach; what is dead is dead sooner."""
    monkeypatch.setattr("rig.emulator.esp_at.links.PING_S", 0.05)
    with uart() as port, WifiModule(port.port, board="mps2", sink=events.append) as module:
        module.put(LAB)
        module.put(OPEN)
        yield port, module


@pytest.fixture
def module(place: tuple[Uart, WifiModule]) -> WifiModule:
    """The module's other side."""
    return place[1]


@pytest.fixture
def client(place: tuple[Uart, WifiModule]) -> Iterator[AtClient]:
    """A module that has started, with its echo off."""
    with place[0].power() as client:
        client.until("ready\r\n")
        assert client.ask("ATE0") == "ATE0\n\nOK"
        yield client


@pytest.fixture
def joined(client: AtClient) -> AtClient:
    """The same, joined to ``LAB``, for several passive connections."""
    for command in ("AT+CWMODE=1", f'AT+CWJAP="{LAB.ssid}","{LAB.key}"', "AT+CIPMUX=1", "AT+CIPRECVMODE=1"):
        assert client.ask(command).endswith("OK")
    return client
