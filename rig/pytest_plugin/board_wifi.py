# SPDX-License-Identifier: MIT
"""The Wi-Fi of the board, by its console commands (``wifi.*``), and the fixtures of its suites.

Owns the words of those commands, so that suites read as what they do, and that a case leaves Wi-Fi off and no
network kept. Judges nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.emulator.esp_at.air import AccessPoint
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.links.interfaces import Reply
    from rig.pytest_plugin.access_points import AccessPoints
    from rig.services.endpoint import Endpoint

JOIN_MS: Final = 8_000
PLACES: Final = 8
"""Networks that the board can keep."""
_REPLY_S: Final = 120.0
"""More than the board's own time-outs, which a host under load stretches."""


class BoardWifi:
    """The board's Wi-Fi by its console; every call may wait for the module."""

    def __init__(self, console: ConsoleLink) -> None:
        self._console = console

    def reply(self, command: str, **arguments: int | str) -> Reply:
        """The whole reply to a command. Raises CommandRefused."""
        deadline = Deadline.after(_REPLY_S)
        return self._console.request(command, arguments, deadline=deadline, repeat_s=_REPLY_S)

    def ask(self, command: str, **arguments: int | str) -> Fields:
        """The fields of the reply to a command. Raises CommandRefused."""
        return self.reply(command, **arguments).fields

    def refusal(self, command: str, **arguments: int | str) -> str:
        """The code by which the firmware refuses a command, as it must."""
        with pytest.raises(CommandRefused) as refused:
            self.ask(command, **arguments)
        return refused.value.code

    @property
    def status(self) -> Fields:
        """What the board says of its Wi-Fi."""
        return self.ask("wifi.status")

    def join(self, point: AccessPoint, ms: int = JOIN_MS) -> Fields:
        """Joins a network; what the board then says of its addresses."""
        key = {"key": point.key} if point.key else {}
        return self.ask("wifi.connect", ssid=point.ssid, **key, ms=ms)

    def keep(self, point: AccessPoint) -> int:
        """Has the board keep a network over power; returns its place."""
        return self.ask("wifi.network.add", ssid=point.ssid, key=point.key).integer("place")

    def forget_networks(self) -> None:
        """Empties every place."""
        for place in range(PLACES):
            with contextlib.suppress(CommandRefused):  # none is kept there
                self.ask("wifi.network.delete", place=place)

    def open(self, endpoint: Endpoint) -> int:
        """A TCP connection of the board; its handle."""
        return self.ask("sock.open", host=endpoint.host, port=endpoint.port).integer("handle")


@pytest.fixture
def board_wifi(console: ConsoleLink) -> BoardWifi:
    """The board's Wi-Fi, as it is."""
    return BoardWifi(console)


@pytest.fixture
def wifi_on(board_wifi: BoardWifi, access_points: AccessPoints) -> Iterator[BoardWifi]:
    """The board's Wi-Fi, on, with no network around yet; off again afterwards."""
    del access_points
    board_wifi.ask("wifi.on")
    yield board_wifi
    board_wifi.ask("wifi.off")


@pytest.fixture
def no_networks(board_wifi: BoardWifi, access_points: AccessPoints) -> Iterator[BoardWifi]:
    """The board's Wi-Fi while it keeps no network, before and afterwards."""
    del access_points
    board_wifi.forget_networks()
    yield board_wifi
    board_wifi.forget_networks()


@pytest.fixture
def wifi_up(no_networks: BoardWifi, access_points: AccessPoints) -> Iterator[BoardWifi]:
    """The board's network goes by Wi-Fi, over the second of two networks that it keeps; down afterwards."""
    lab, gone = access_points.place("lab"), access_points.place("gone")
    access_points.switch_off(gone)
    no_networks.keep(gone)
    no_networks.keep(lab)
    no_networks.ask("net.up", interface="wifi", ms=JOIN_MS)
    yield no_networks
    no_networks.ask("net.down")
