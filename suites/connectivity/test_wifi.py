# SPDX-License-Identifier: MIT
"""Wi-Fi: on, off, scan, join, leave, addresses; each case is judged from both sides.

The other side is the module on the board's second UART: what it was told, what it joined, what it refused.
The access points are the suite's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.links.fields import only
from rig.pytest_plugin.board_wifi import JOIN_MS

if TYPE_CHECKING:
    from rig.pytest_plugin.access_points import AccessPoints
    from rig.pytest_plugin.board_wifi import BoardWifi

pytestmark = [pytest.mark.board_feature("wifi"), pytest.mark.arrangement(clock="free", wifi=True)]

ROUNDS = 5
NO_SUCH_HOST = "192.0.2.1"  # reserved for documentation (RFC 5737)
AWKWARD = 'a "b", c\\d é'


# --- on, off, mode


@pytest.mark.requirement("WiFi", "OnOff")
def test_on_off(board_wifi: BoardWifi, access_points: AccessPoints) -> None:
    boots = access_points.seen.boots
    assert board_wifi.ask("wifi.on")["version"]
    assert (board_wifi.status["on"], access_points.seen.mode) == ("1", 1)
    assert access_points.seen.boots == boots + 1
    board_wifi.ask("wifi.on")
    assert access_points.seen.boots == boots + 1  # it was on
    board_wifi.ask("wifi.off")
    assert (board_wifi.status["on"], access_points.seen.mode) == ("0", 0)
    for command in ("wifi.scan", "wifi.ip", "wifi.mac", "wifi.mode", "wifi.reset", "wifi.disconnect"):
        assert board_wifi.refusal(command) == "absent"


@pytest.mark.requirement("WiFi", "OnOffLoop")
def test_on_off_loop(board_wifi: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    boots = access_points.seen.boots
    for _ in range(ROUNDS):
        board_wifi.ask("wifi.on")
        board_wifi.join(lab)
        assert access_points.seen.joined == lab.ssid
        board_wifi.ask("wifi.off")
        assert access_points.seen.joined is None
    assert access_points.seen.boots == boots + ROUNDS


@pytest.mark.requirement("WiFi", "Mode")
def test_mode(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    for word, number in (("ap", 2), ("both", 3), ("off", 0), ("station", 1)):
        assert wifi_on.ask("wifi.mode", mode=word)["mode"] == word
        assert access_points.seen.mode == number
        assert wifi_on.ask("wifi.mode")["mode"] == word


@pytest.mark.requirement("WiFi", "GetMode_Parameters")
def test_mode_parameters(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    assert wifi_on.refusal("wifi.mode", mode="monitor") == "value"
    assert wifi_on.refusal("wifi.mode", mode="") == "value"
    assert access_points.seen.mode == 1


@pytest.mark.requirement("WiFi", "Reset")
def test_reset(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    wifi_on.join(lab)
    boots = access_points.seen.boots
    wifi_on.ask("wifi.reset")
    assert (access_points.seen.boots, access_points.seen.joined) == (boots + 1, None)
    assert wifi_on.status["joined"] == "0"
    wifi_on.join(lab)
    assert access_points.seen.joined == lab.ssid


@pytest.mark.requirement("WiFi", "PowerManagementMode")
def test_power_management_mode(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    for number, word in ((1, "modem"), (2, "light"), (3, "listen"), (0, "none")):
        assert wifi_on.ask("wifi.pm", mode=word)["mode"] == word
        assert access_points.seen.sleep == number


@pytest.mark.requirement("WiFi", "SetPMMode_Parameters")
def test_power_management_parameters(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    assert wifi_on.refusal("wifi.pm", mode="deep") == "value"
    assert access_points.seen.sleep == 0


# --- scan


@pytest.mark.requirement("WiFi", "Scan")
def test_scan(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    assert wifi_on.ask("wifi.scan")["found"] == "0"
    far = access_points.place("far", rssi_dbm=-80, channel=1)
    near = access_points.place("near", security="open", rssi_dbm=-30, channel=13)
    awkward = access_points.place(AWKWARD, security="wpa3", rssi_dbm=-60)
    access_points.place("hidden", hidden=True)
    reply = wifi_on.reply("wifi.scan")
    words = {near.ssid: "open", awkward.ssid: "wpa3", far.ssid: "wpa2"}
    expected = [
        {
            "ssid": point.ssid,
            "bssid": point.bssid,
            "channel": str(point.channel),
            "rssi": str(point.rssi_dbm),
            "security": words[point.ssid],
        }
        for point in (near, awkward, far)
    ]
    assert [dict(row) for row in reply.rows] == expected
    assert [row["ssid"] for row in wifi_on.reply("wifi.scan", ssid=awkward.ssid).rows] == [awkward.ssid]
    access_points.switch_off(near)
    assert [row["ssid"] for row in wifi_on.reply("wifi.scan").rows] == [awkward.ssid, far.ssid]


@pytest.mark.requirement("WiFi", "Scan_Parameters")
def test_scan_parameters(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    before = access_points.seen.commands
    assert wifi_on.refusal("wifi.scan", ssid="x" * 33) == "long"
    assert wifi_on.refusal("wifi.scan", ssid="line\r\nAT+RST") == "value"
    assert access_points.seen.commands == before


# --- join


@pytest.mark.requirement("WiFi", "ConnectAP")
@pytest.mark.parametrize(
    ("name", "key", "security"),
    [
        ("lab", "a key for one run", "wpa2"),
        ("lab3", "a key for one run", "wpa3"),
        ("house", "", "open"),
        ("n" * 32, "k" * 63, "wpa2"),
        (AWKWARD, f"{AWKWARD}, too", "wpa2"),
    ],
    ids=["wpa2", "wpa3", "open", "longest", "awkward"],
)
def test_connect(wifi_on: BoardWifi, access_points: AccessPoints, name: str, key: str, security: str) -> None:
    point = access_points.place(name, key=key, security=security)  # type: ignore[arg-type]
    said = wifi_on.join(point)
    assert (access_points.seen.joined, access_points.seen.address) == (point.ssid, said["address"])
    assert [attempt.refusal for attempt in access_points.seen.attempts][-1] is None


@pytest.mark.requirement("WiFi", "ConnectAP_InvalidSSID")
def test_connect_wrong_ssid(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    assert wifi_on.refusal("wifi.connect", ssid=f"{lab.ssid}x", key=lab.key, ms=JOIN_MS) == "unknown"
    assert (access_points.seen.joined, wifi_on.status["joined"]) == (None, "0")


@pytest.mark.requirement("WiFi", "ConnectAP_InvalidPassword")
def test_connect_wrong_key(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    attempts = len(access_points.seen.attempts)
    assert wifi_on.refusal("wifi.connect", ssid=lab.ssid, key=f"{lab.key}x", ms=JOIN_MS) == "refused"
    assert (access_points.seen.joined, wifi_on.status["joined"]) == (None, "0")
    assert wifi_on.refusal("wifi.ip") == "closed"
    attempt = only(access_points.seen.attempts[attempts:], "attempt to join")
    assert attempt.refusal is not None
    assert attempt.refusal.name == "WRONG_KEY"


@pytest.mark.requirement("WiFi", "ConnectAP_MaxSSIDLengthExceeded")
@pytest.mark.requirement("WiFi", "ConnectAP_MaxPasswordLengthExceeded")
@pytest.mark.requirement("WiFi", "ConnectAP_Parameters")
def test_connect_parameters(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    before = access_points.seen.commands
    for ssid, key, code in (
        ("x" * 33, lab.key, "long"),
        (lab.ssid, "k" * 64, "long"),
        (lab.ssid, "k" * 7, "value"),
        ("", lab.key, "value"),
        (f'{lab.ssid}"\r\nAT+RST', lab.key, "value"),
        (lab.ssid, f"{lab.key}\n", "value"),
    ):
        assert wifi_on.refusal("wifi.connect", ssid=ssid, key=key, ms=JOIN_MS) == code, (ssid, key)
    assert wifi_on.refusal("wifi.connect") == "usage"
    assert wifi_on.refusal("wifi.connect", ssid=lab.ssid, key=lab.key, security="open") == "value"
    assert access_points.seen.commands == before  # the module heard of none of it


@pytest.mark.requirement("WiFi", "ConnectAP")
def test_connect_where_it_cannot_end_well(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    for point, code in (
        (access_points.place("deaf", answers=False), "timeout"),
        (access_points.place("stingy", dhcp=False), "timeout"),
        (access_points.place("full", refuses=True), "refused"),
    ):
        assert wifi_on.refusal("wifi.connect", ssid=point.ssid, key=point.key, ms=4000) == code
        assert (access_points.seen.joined, wifi_on.status["joined"]) == (None, "0")


@pytest.mark.requirement("WiFi", "IsConnected")
def test_is_connected(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place(rssi_dbm=-61, channel=3)
    assert wifi_on.status["joined"] == "0"
    wifi_on.join(lab)
    said = wifi_on.status
    assert (said["joined"], said["address"], said["ssid"], said["bssid"]) == ("1", "1", lab.ssid, lab.bssid)
    assert (said["channel"], said["rssi"]) == ("3", "-61")
    wifi_on.ask("wifi.disconnect")
    assert (wifi_on.status["joined"], access_points.seen.joined) == ("0", None)
    wifi_on.ask("wifi.disconnect")


@pytest.mark.requirement("WiFi", "ConnectionLoop")
def test_connection_loop(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    attempts = len(access_points.seen.attempts)
    for _ in range(ROUNDS):
        wifi_on.join(lab)
        assert access_points.seen.joined == lab.ssid
        wifi_on.ask("wifi.disconnect")
        assert access_points.seen.joined is None
    assert len(access_points.seen.attempts) == attempts + ROUNDS


@pytest.mark.requirement("WiFi", "ConnectMultipleAP")
def test_connect_multiple_ap(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    points = [access_points.place(f"lab{number}") for number in range(3)]
    for point in (*points, *reversed(points)):
        said = wifi_on.join(point)
        assert (access_points.seen.joined, access_points.seen.address) == (point.ssid, said["address"])
        assert wifi_on.status["ssid"] == point.ssid


@pytest.mark.requirement("WiFi", "ConfigureAP")
def test_configure_ap(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    for ssid, key, code in (
        ("x" * 33, "a key of mine", "long"),
        ("own", "short", "value"),
        ("", "a key", "value"),
    ):
        assert wifi_on.refusal("wifi.ap", ssid=ssid, key=key, channel=5) == code
    assert wifi_on.refusal("wifi.ap", ssid="own", key="a key of mine", channel=14) == "value"
    assert access_points.seen.soft_ap is None
    wifi_on.ask("wifi.ap", ssid="own", key="a key of mine", channel=5)
    own = access_points.seen.soft_ap
    assert own is not None
    assert (own.ssid, own.channel, access_points.seen.mode) == ("own", 5, 3)


# --- addresses


@pytest.mark.requirement("WiFi", "GetIP")
@pytest.mark.requirement("WiFi", "GetMAC")
def test_addresses(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    assert wifi_on.ask("wifi.mac")["mac"] == access_points.seen.mac
    assert wifi_on.refusal("wifi.ip") == "closed"
    wifi_on.join(lab)
    said = wifi_on.ask("wifi.ip")
    assert (said["address"], said["mask"]) == (access_points.seen.address, "255.255.255.0")
    assert said["gateway"] == said["dns"] != "0.0.0.0"
    wifi_on.ask("wifi.disconnect")
    assert wifi_on.refusal("wifi.ip") == "closed"


@pytest.mark.requirement("WiFi", "GetHostIP")
def test_host_address(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    assert wifi_on.refusal("wifi.host", host="broker.rig.test") == "absent"
    wifi_on.join(lab)
    assert wifi_on.ask("wifi.host", host="broker.rig.test")["address"] == "10.0.2.2"
    assert wifi_on.ask("wifi.host", host=NO_SUCH_HOST)["address"] == NO_SUCH_HOST
    assert wifi_on.refusal("wifi.host", host="no-such-name.invalid") == "unknown"


@pytest.mark.requirement("WiFi", "GetHostIP_Parameters")
@pytest.mark.requirement("WiFi", "Ping_Parameters")
def test_host_parameters(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    before = access_points.seen.commands
    for command in ("wifi.host", "wifi.ping"):
        assert wifi_on.refusal(command) == "usage"
        assert wifi_on.refusal(command, host="") == "value"
        assert wifi_on.refusal(command, host="x" * 129) == "long"
        assert wifi_on.refusal(command, host="a\nb") == "value"
    assert wifi_on.refusal("wifi.ping", host="10.0.2.2", count=0) == "value"
    assert access_points.seen.commands == before


@pytest.mark.requirement("WiFi", "Ping")
def test_ping(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    assert wifi_on.refusal("wifi.ping", host="10.0.2.2") == "timeout"
    wifi_on.join(lab)
    said = wifi_on.ask("wifi.ping", host="10.0.2.2", count=3)
    assert (said["sent"], said["answered"]) == ("3", "3")
    assert wifi_on.refusal("wifi.ping", host=NO_SUCH_HOST) == "timeout"
    assert wifi_on.ask("wifi.ping", host="broker.rig.test")["answered"] == "1"
