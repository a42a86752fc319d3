# SPDX-License-Identifier: MIT
"""Wi-Fi: on, off, scan, join, leave, addresses, kept networks; each case is judged from both sides.

The other side is the module on the board's second UART: what it was told, what it joined, what it refused.
The access points are the suite's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.interfaces import Reply
    from rig.pytest_plugin.access_points import AccessPoints

pytestmark = [pytest.mark.board_feature("wifi"), pytest.mark.arrangement(clock="free", wifi=True)]

REPLY_S = 30.0
JOIN_MS = 8000
SHORT_MS = 3000
ROUNDS = 10
PLACES = 8
NO_SUCH_HOST = "192.0.2.1"  # reserved for documentation (RFC 5737)
AWKWARD = 'a "b", c\\d é'


def ask(console: ConsoleLink, command: str, **arguments: int | str) -> Reply:
    """The reply to a command that may wait for the module."""
    return console.request(command, arguments, deadline=Deadline.after(REPLY_S), repeat_s=REPLY_S)


def refusal(console: ConsoleLink, command: str, **arguments: int | str) -> str:
    """The code by which the firmware refuses a command."""
    with pytest.raises(CommandRefused) as refused:
        ask(console, command, **arguments)
    return refused.value.code


def join(console: ConsoleLink, ssid: str, key: str, ms: int = JOIN_MS) -> dict[str, str]:
    """Joins a network; what the board then says of its addresses."""
    return dict(ask(console, "wifi.connect", ssid=ssid, **({"key": key} if key else {}), ms=ms).fields)


def status(console: ConsoleLink) -> dict[str, str]:
    """What the board says of its Wi-Fi."""
    return dict(ask(console, "wifi.status").fields)


@pytest.fixture
def on(console: ConsoleLink, access_points: AccessPoints) -> Iterator[AccessPoints]:
    """Wi-Fi is on, with no network around yet; off again afterwards."""
    ask(console, "wifi.on")
    yield access_points
    ask(console, "wifi.off")


# --- on, off, mode


@pytest.mark.requirement("WiFi", "OnOff")
def test_on_off(console: ConsoleLink, access_points: AccessPoints) -> None:
    boots = access_points.seen.boots
    assert ask(console, "wifi.on").fields["version"]
    assert (status(console)["on"], access_points.seen.mode) == ("1", 1)
    assert access_points.seen.boots == boots + 1
    ask(console, "wifi.on")
    assert access_points.seen.boots == boots + 1  # it was on
    ask(console, "wifi.off")
    assert (status(console)["on"], access_points.seen.mode) == ("0", 0)
    for command in ("wifi.scan", "wifi.ip", "wifi.mac", "wifi.mode", "wifi.reset", "wifi.disconnect"):
        assert refusal(console, command) == "absent"


@pytest.mark.requirement("WiFi", "OnOffLoop")
def test_on_off_loop(console: ConsoleLink, access_points: AccessPoints) -> None:
    lab = access_points.place()
    boots = access_points.seen.boots
    for _ in range(ROUNDS):
        ask(console, "wifi.on")
        join(console, lab.ssid, lab.key)
        assert access_points.seen.joined == lab.ssid
        ask(console, "wifi.off")
        assert access_points.seen.joined is None
    assert access_points.seen.boots == boots + ROUNDS


@pytest.mark.requirement("WiFi", "Mode")
def test_mode(console: ConsoleLink, on: AccessPoints) -> None:
    for word, number in (("ap", 2), ("both", 3), ("off", 0), ("station", 1)):
        assert ask(console, "wifi.mode", mode=word).fields["mode"] == word
        assert on.seen.mode == number
        assert ask(console, "wifi.mode").fields["mode"] == word


@pytest.mark.requirement("WiFi", "GetMode_Parameters")
def test_mode_parameters(console: ConsoleLink, on: AccessPoints) -> None:
    assert refusal(console, "wifi.mode", mode="monitor") == "value"
    assert refusal(console, "wifi.mode", mode="") == "value"
    assert on.seen.mode == 1


@pytest.mark.requirement("WiFi", "Reset")
def test_reset(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    join(console, lab.ssid, lab.key)
    boots = on.seen.boots
    ask(console, "wifi.reset")
    assert (on.seen.boots, on.seen.joined) == (boots + 1, None)
    assert status(console)["joined"] == "0"
    join(console, lab.ssid, lab.key)
    assert on.seen.joined == lab.ssid


@pytest.mark.requirement("WiFi", "PowerManagementMode")
def test_power_management_mode(console: ConsoleLink, on: AccessPoints) -> None:
    for number, word in ((1, "modem"), (2, "light"), (3, "listen"), (0, "none")):
        assert ask(console, "wifi.pm", mode=word).fields["mode"] == word
        assert on.seen.sleep == number


@pytest.mark.requirement("WiFi", "SetPMMode_Parameters")
def test_power_management_parameters(console: ConsoleLink, on: AccessPoints) -> None:
    assert refusal(console, "wifi.pm", mode="deep") == "value"
    assert on.seen.sleep == 0


# --- scan


@pytest.mark.requirement("WiFi", "Scan")
def test_scan(console: ConsoleLink, on: AccessPoints) -> None:
    assert ask(console, "wifi.scan").fields["found"] == "0"
    far = on.place("far", rssi_dbm=-80, channel=1)
    near = on.place("near", security="open", rssi_dbm=-30, channel=13)
    awkward = on.place(AWKWARD, security="wpa3", rssi_dbm=-60)
    on.place("hidden", hidden=True)
    reply = ask(console, "wifi.scan")
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
    assert [row["ssid"] for row in ask(console, "wifi.scan", ssid=awkward.ssid).rows] == [awkward.ssid]
    on.switch_off(near)
    assert [row["ssid"] for row in ask(console, "wifi.scan").rows] == [awkward.ssid, far.ssid]


@pytest.mark.requirement("WiFi", "Scan_Parameters")
def test_scan_parameters(console: ConsoleLink, on: AccessPoints) -> None:
    before = on.seen.commands
    assert refusal(console, "wifi.scan", ssid="x" * 33) == "long"
    assert refusal(console, "wifi.scan", ssid="line\r\nAT+RST") == "value"
    assert on.seen.commands == before


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
def test_connect(console: ConsoleLink, on: AccessPoints, name: str, key: str, security: str) -> None:
    point = on.place(name, key=key, security=security)  # type: ignore[arg-type]
    said = join(console, point.ssid, point.key)
    assert (on.seen.joined, on.seen.address) == (point.ssid, said["address"])
    assert [attempt.refusal for attempt in on.seen.attempts][-1] is None


@pytest.mark.requirement("WiFi", "ConnectAP_InvalidSSID")
def test_connect_wrong_ssid(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    assert refusal(console, "wifi.connect", ssid=f"{lab.ssid}x", key=lab.key, ms=JOIN_MS) == "unknown"
    assert (on.seen.joined, status(console)["joined"]) == (None, "0")


@pytest.mark.requirement("WiFi", "ConnectAP_InvalidPassword")
def test_connect_wrong_key(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    attempts = len(on.seen.attempts)
    assert refusal(console, "wifi.connect", ssid=lab.ssid, key=f"{lab.key}x", ms=JOIN_MS) == "refused"
    assert (on.seen.joined, status(console)["joined"]) == (None, "0")
    assert refusal(console, "wifi.ip") == "closed"
    (attempt,) = on.seen.attempts[attempts:]
    assert attempt.refusal is not None
    assert attempt.refusal.name == "WRONG_KEY"


@pytest.mark.requirement("WiFi", "ConnectAP_MaxSSIDLengthExceeded")
@pytest.mark.requirement("WiFi", "ConnectAP_MaxPasswordLengthExceeded")
@pytest.mark.requirement("WiFi", "ConnectAP_Parameters")
def test_connect_parameters(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    before = on.seen.commands
    for ssid, key, code in (
        ("x" * 33, lab.key, "long"),
        (lab.ssid, "k" * 64, "long"),
        (lab.ssid, "k" * 7, "value"),
        ("", lab.key, "value"),
        (f'{lab.ssid}"\r\nAT+RST', lab.key, "value"),
        (lab.ssid, f"{lab.key}\n", "value"),
    ):
        assert refusal(console, "wifi.connect", ssid=ssid, key=key, ms=JOIN_MS) == code, (ssid, key)
    assert refusal(console, "wifi.connect") == "usage"
    assert refusal(console, "wifi.connect", ssid=lab.ssid, key=lab.key, security="open") == "value"
    assert on.seen.commands == before  # the module heard of none of it


@pytest.mark.requirement("WiFi", "ConnectAP")
def test_connect_where_it_cannot_end_well(console: ConsoleLink, on: AccessPoints) -> None:
    for point, code in (
        (on.place("deaf", answers=False), "timeout"),
        (on.place("stingy", dhcp=False), "timeout"),
        (on.place("full", refuses=True), "refused"),
    ):
        assert refusal(console, "wifi.connect", ssid=point.ssid, key=point.key, ms=5000) == code
        assert (on.seen.joined, status(console)["joined"]) == (None, "0")


@pytest.mark.requirement("WiFi", "IsConnected")
def test_is_connected(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place(rssi_dbm=-61, channel=3)
    assert status(console)["joined"] == "0"
    join(console, lab.ssid, lab.key)
    said = status(console)
    assert (said["joined"], said["address"], said["ssid"], said["bssid"]) == ("1", "1", lab.ssid, lab.bssid)
    assert (said["channel"], said["rssi"]) == ("3", "-61")
    ask(console, "wifi.disconnect")
    assert (status(console)["joined"], on.seen.joined) == ("0", None)
    ask(console, "wifi.disconnect")


@pytest.mark.requirement("WiFi", "ConnectionLoop")
def test_connection_loop(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    attempts = len(on.seen.attempts)
    for _ in range(ROUNDS):
        join(console, lab.ssid, lab.key)
        assert on.seen.joined == lab.ssid
        ask(console, "wifi.disconnect")
        assert on.seen.joined is None
    assert len(on.seen.attempts) == attempts + ROUNDS


@pytest.mark.requirement("WiFi", "ConnectMultipleAP")
def test_connect_multiple_ap(console: ConsoleLink, on: AccessPoints) -> None:
    points = [on.place(f"lab{number}") for number in range(3)]
    for point in (*points, *reversed(points)):
        said = join(console, point.ssid, point.key)
        assert (on.seen.joined, on.seen.address) == (point.ssid, said["address"])
        assert status(console)["ssid"] == point.ssid


@pytest.mark.requirement("WiFi", "ConfigureAP")
def test_configure_ap(console: ConsoleLink, on: AccessPoints) -> None:
    for ssid, key, code in (
        ("x" * 33, "a key of mine", "long"),
        ("own", "short", "value"),
        ("", "a key", "value"),
    ):
        assert refusal(console, "wifi.ap", ssid=ssid, key=key, channel=5) == code
    assert refusal(console, "wifi.ap", ssid="own", key="a key of mine", channel=14) == "value"
    assert on.seen.soft_ap is None
    ask(console, "wifi.ap", ssid="own", key="a key of mine", channel=5)
    own = on.seen.soft_ap
    assert own is not None
    assert (own.ssid, own.channel, on.seen.mode) == ("own", 5, 3)


# --- addresses


@pytest.mark.requirement("WiFi", "GetIP")
@pytest.mark.requirement("WiFi", "GetMAC")
def test_addresses(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    assert ask(console, "wifi.mac").fields["mac"].lower() == on.seen.mac
    assert refusal(console, "wifi.ip") == "closed"
    join(console, lab.ssid, lab.key)
    said = ask(console, "wifi.ip").fields
    assert (said["address"], said["mask"]) == (on.seen.address, "255.255.255.0")
    ask(console, "wifi.disconnect")
    assert refusal(console, "wifi.ip") == "closed"


@pytest.mark.requirement("WiFi", "GetHostIP")
def test_host_address(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    assert refusal(console, "wifi.host", host="broker.rig.test") == "absent"
    join(console, lab.ssid, lab.key)
    assert ask(console, "wifi.host", host="broker.rig.test").fields["address"] == "10.0.2.2"
    assert ask(console, "wifi.host", host=NO_SUCH_HOST).fields["address"] == NO_SUCH_HOST
    assert refusal(console, "wifi.host", host="no-such-name.invalid") == "unknown"


@pytest.mark.requirement("WiFi", "GetHostIP_Parameters")
@pytest.mark.requirement("WiFi", "Ping_Parameters")
def test_host_parameters(console: ConsoleLink, on: AccessPoints) -> None:
    before = on.seen.commands
    for command in ("wifi.host", "wifi.ping"):
        assert refusal(console, command) == "usage"
        assert refusal(console, command, host="") == "value"
        assert refusal(console, command, host="x" * 129) == "long"
        assert refusal(console, command, host="a\nb") == "value"
    assert refusal(console, "wifi.ping", host="10.0.2.2", count=0) == "value"
    assert on.seen.commands == before


@pytest.mark.requirement("WiFi", "Ping")
def test_ping(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    assert refusal(console, "wifi.ping", host="10.0.2.2") == "timeout"
    join(console, lab.ssid, lab.key)
    said = ask(console, "wifi.ping", host="10.0.2.2", count=3).fields
    assert (said["sent"], said["answered"]) == ("3", "3")
    assert refusal(console, "wifi.ping", host=NO_SUCH_HOST) == "timeout"
    assert ask(console, "wifi.ping", host="broker.rig.test").fields["answered"] == "1"


# --- networks that are kept


@pytest.fixture
def no_networks(console: ConsoleLink, access_points: AccessPoints) -> Iterator[AccessPoints]:
    """No network is kept on the board, before and afterwards."""
    forget_networks(console)
    yield access_points
    forget_networks(console)


def forget_networks(console: ConsoleLink) -> None:
    """Empties every place."""
    for place in range(PLACES):
        with contextlib.suppress(CommandRefused):  # none is kept there
            ask(console, "wifi.network.delete", place=place)


@pytest.mark.requirement("WiFi", "NetworkAddGetDelete")
def test_network_add_get_delete(console: ConsoleLink, no_networks: AccessPoints) -> None:
    del no_networks
    for place in range(PLACES):
        said = ask(console, "wifi.network.add", ssid=f"net{place}", key="a key of theirs").fields
        assert int(said["place"]) == place
    assert refusal(console, "wifi.network.add", ssid="one more", key="a key of theirs") == "space"
    assert ask(console, "wifi.network.add", ssid="net5", security="open").fields["place"] == "5"
    kept = dict(ask(console, "wifi.network.get", place=5).fields)
    assert kept == {"ssid": "net5", "security": "open"}
    assert dict(ask(console, "wifi.network.get", place=4).fields) == {"ssid": "net4", "security": "wpa2"}
    ask(console, "wifi.network.delete", place=3)
    assert refusal(console, "wifi.network.get", place=3) == "unknown"
    assert refusal(console, "wifi.network.delete", place=3) == "unknown"
    assert ask(console, "wifi.network.add", ssid="new", key="a key of theirs").fields["place"] == "3"


@pytest.mark.requirement("WiFi", "NetworkAdd_Parameters")
@pytest.mark.requirement("WiFi", "NetworkGet_Parameters")
@pytest.mark.requirement("WiFi", "NetworkDelete_Parameters")
def test_network_parameters(console: ConsoleLink, no_networks: AccessPoints) -> None:
    del no_networks
    assert refusal(console, "wifi.network.add", ssid="x" * 33, key="a key of theirs") == "long"
    assert refusal(console, "wifi.network.add", ssid="net", key="k" * 64) == "long"
    assert refusal(console, "wifi.network.add", ssid="net", key="short") == "value"
    assert refusal(console, "wifi.network.add", ssid="", key="a key of theirs") == "value"
    assert refusal(console, "wifi.network.add") == "usage"
    for command in ("wifi.network.get", "wifi.network.delete"):
        assert refusal(console, command, place=0) == "unknown"
        assert refusal(console, command, place=PLACES) == "range"
        assert refusal(console, command, place=-1) == "value"


@pytest.mark.requirement("WiFi", "NetworkAddGetDelete")
def test_kept_networks_survive_power(
    board: BoardSession, console: ConsoleLink, no_networks: AccessPoints
) -> None:
    del no_networks
    if board.board.power.driver == "none":
        pytest.skip("the inventory names no switch for the board's power")
    ask(console, "wifi.network.add", ssid="stays", key="a key of theirs")
    ask(console, "wifi.network.add", ssid="goes", key="a key of theirs")
    ask(console, "wifi.network.delete", place=1)
    board.power_cycle()
    assert ask(console, "wifi.network.get", place=0).fields["ssid"] == "stays"
    assert refusal(console, "wifi.network.get", place=1) == "unknown"


# --- trouble


@pytest.mark.requirement("WiFi", "IsConnected")
def test_an_access_point_that_vanishes_and_comes_back(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    join(console, lab.ssid, lab.key)
    on.switch_off(lab)
    assert on.seen.joined is None
    said = status(console)
    assert (said["joined"], said["address"]) == ("0", "0")
    on.switch_on(lab)
    assert on.wait(lambda seen: seen.address is not None, REPLY_S)
    said = status(console)
    assert (said["joined"], said["address"], said["ssid"]) == ("1", "1", lab.ssid)


def test_a_busy_module_is_waited_for(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place(join_s=1.0)
    with on.busy():
        assert refusal(console, "wifi.scan", ms=500) == "timeout"
    assert ask(console, "wifi.scan").fields["found"] == "1"
    join(console, lab.ssid, lab.key)


def test_a_silent_module_is_given_up(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    with on.silent():
        assert refusal(console, "wifi.scan", ms=500) == "timeout"
        assert refusal(console, "wifi.connect", ssid=lab.ssid, key=lab.key, ms=500) == "timeout"
    join(console, lab.ssid, lab.key)
    assert on.seen.joined == lab.ssid


def test_a_module_that_is_not_there(console: ConsoleLink, access_points: AccessPoints) -> None:
    with access_points.silent():
        assert refusal(console, "wifi.on", ms=300) == "timeout"
        assert status(console)["on"] == "0"
    ask(console, "wifi.on")
    ask(console, "wifi.off")


def test_garbage_on_the_line_is_left_behind(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    join(console, lab.ssid, lab.key)
    on.babble(b"\x00\xff\x80OK+IPD,\r\n\x01ERROR\r\n" + b"x" * 600 + b"\r\n+CIPRECVDATA:9000,\r\n")
    said = status(console)
    assert (said["joined"], said["lost"]) == ("1", "0")
    assert int(said["garbage"]) >= 2


def test_a_module_that_starts_by_itself_is_set_up_again(console: ConsoleLink, on: AccessPoints) -> None:
    lab = on.place()
    join(console, lab.ssid, lab.key)
    starts, boots = int(status(console)["starts"]), on.seen.boots
    on.restart_module()
    assert on.wait(lambda seen: seen.boots > boots, REPLY_S)
    assert on.wait(lambda seen: not seen.joined, REPLY_S)
    said = join(console, lab.ssid, lab.key)
    assert (on.seen.joined, on.seen.address) == (lab.ssid, said["address"])
    assert int(status(console)["starts"]) == starts + 1


def test_a_late_answer_is_not_taken_for_anothers(console: ConsoleLink, on: AccessPoints) -> None:
    """The join is refused after the board has given up waiting; nothing of it may answer what comes next."""
    slow = on.place("slow", join_s=5.0)  # a loaded host stretches the board's 200 ms
    lab = on.place()
    assert refusal(console, "wifi.connect", ssid=slow.ssid, key=f"{slow.key}x", ms=200) == "timeout"
    said = join(console, lab.ssid, lab.key)
    assert (on.seen.joined, on.seen.address) == (lab.ssid, said["address"])
    assert [attempt.ssid for attempt in on.seen.attempts][-2:] == [slow.ssid, lab.ssid]
    assert ask(console, "wifi.scan").fields["found"] == "2"
