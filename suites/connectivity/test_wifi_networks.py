# SPDX-License-Identifier: MIT
"""Wi-Fi networks that the board keeps: added, got, deleted, and there again after power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.pytest_plugin.board_wifi import PLACES

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.pytest_plugin.board_wifi import BoardWifi

pytestmark = [pytest.mark.board_feature("wifi"), pytest.mark.arrangement(clock="free", wifi=True)]


@pytest.mark.requirement("WiFi", "NetworkAddGetDelete")
def test_network_add_get_delete(no_networks: BoardWifi) -> None:
    for place in range(PLACES):
        said = no_networks.ask("wifi.network.add", ssid=f"net{place}", key="a key of theirs")
        assert said.integer("place") == place
    assert no_networks.refusal("wifi.network.add", ssid="one more", key="a key of theirs") == "space"
    assert no_networks.ask("wifi.network.add", ssid="net5", security="open")["place"] == "5"
    kept = dict(no_networks.ask("wifi.network.get", place=5))
    assert kept == {"ssid": "net5", "security": "open"}
    assert dict(no_networks.ask("wifi.network.get", place=4)) == {"ssid": "net4", "security": "wpa2"}
    no_networks.ask("wifi.network.delete", place=3)
    assert no_networks.refusal("wifi.network.get", place=3) == "unknown"
    assert no_networks.refusal("wifi.network.delete", place=3) == "unknown"
    assert no_networks.ask("wifi.network.add", ssid="new", key="a key of theirs")["place"] == "3"


@pytest.mark.requirement("WiFi", "NetworkAdd_Parameters")
@pytest.mark.requirement("WiFi", "NetworkGet_Parameters")
@pytest.mark.requirement("WiFi", "NetworkDelete_Parameters")
def test_network_parameters(no_networks: BoardWifi) -> None:
    assert no_networks.refusal("wifi.network.add", ssid="x" * 33, key="a key of theirs") == "long"
    assert no_networks.refusal("wifi.network.add", ssid="net", key="k" * 64) == "long"
    assert no_networks.refusal("wifi.network.add", ssid="net", key="short") == "value"
    assert no_networks.refusal("wifi.network.add", ssid="", key="a key of theirs") == "value"
    assert no_networks.refusal("wifi.network.add") == "usage"
    for command in ("wifi.network.get", "wifi.network.delete"):
        assert no_networks.refusal(command, place=0) == "unknown"
        assert no_networks.refusal(command, place=PLACES) == "range"
        assert no_networks.refusal(command, place=-1) == "value"


@pytest.mark.requirement("WiFi", "NetworkAddGetDelete")
def test_kept_networks_survive_power(board: BoardSession, no_networks: BoardWifi) -> None:
    if board.board.power.driver == "none":
        pytest.skip("the inventory names no switch for the board's power")
    no_networks.ask("wifi.network.add", ssid="stays", key="a key of theirs")
    no_networks.ask("wifi.network.add", ssid="goes", key="a key of theirs")
    no_networks.ask("wifi.network.delete", place=1)
    board.power_cycle()
    assert no_networks.ask("wifi.network.get", place=0)["ssid"] == "stays"
    assert no_networks.refusal("wifi.network.get", place=1) == "unknown"
