# SPDX-License-Identifier: MIT
"""The fixture ``access_points`` where there is nothing to switch, and what it leaves where there is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rig.bench.session import BoardSession
from rig.emulator.esp_at.serving import WifiModule
from rig.pytest_plugin.access_points import access_points_of
from tests.emulator.at_client import uart


def session(**parts: Any) -> BoardSession:
    """A session that has these parts and no others."""
    return cast("BoardSession", SimpleNamespace(board=SimpleNamespace(name="mps2"), **parts))


def test_around_a_physical_board_it_is_skipped() -> None:
    with pytest.raises(pytest.skip.Exception, match="not the rig's to switch"):
        access_points_of(session(emulated=None, wifi=None)).__enter__()


def test_without_the_arrangement_it_is_our_bug() -> None:
    with pytest.raises(pytest.UsageError, match="wifi=True"):
        access_points_of(session(emulated=object(), wifi=None)).__enter__()


def test_a_case_begins_and_ends_with_no_network() -> None:
    with uart() as port, WifiModule(port.port, board="mps2") as module, port.power() as client:
        client.until("ready\r\n")
        client.ask("AT+CWMODE=1")
        for _ in range(2):
            with access_points_of(session(emulated=object(), wifi=module)) as points:
                assert client.ask("AT+CWLAP") == "AT+CWLAP\n\nOK"
                first, second = points.place(), points.place()
                assert first.ssid != second.ssid
                assert first.key != second.key
                assert first.key not in repr(first)
                assert client.ask("AT+CWLAP").count("+CWLAP:(") == 2
