# SPDX-License-Identifier: MIT
"""Wi-Fi in trouble: networks that vanish; a module that is busy, silent, babbling, late, or restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rig.pytest_plugin.access_points import AccessPoints
    from rig.pytest_plugin.board_wifi import BoardWifi
    from rig.services.echo import EchoServers

pytestmark = [pytest.mark.board_feature("wifi"), pytest.mark.arrangement(clock="free", wifi=True)]

SEEN_S = 120.0


@pytest.mark.requirement("WiFi", "IsConnected")
def test_an_access_point_that_vanishes_and_comes_back(
    wifi_on: BoardWifi, access_points: AccessPoints
) -> None:
    lab = access_points.place()
    wifi_on.join(lab)
    access_points.switch_off(lab)
    assert access_points.seen.joined is None
    said = wifi_on.status
    assert (said["joined"], said["address"]) == ("0", "0")
    access_points.switch_on(lab)
    assert access_points.wait(lambda seen: seen.address is not None, SEEN_S)
    said = wifi_on.status
    assert (said["joined"], said["address"], said["ssid"]) == ("1", "1", lab.ssid)


def test_a_busy_module_is_waited_for(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place(join_s=1.0)
    with access_points.busy():
        assert wifi_on.refusal("wifi.scan", ms=500) == "timeout"
    assert wifi_on.ask("wifi.scan")["found"] == "1"
    wifi_on.join(lab)


def test_a_silent_module_is_given_up(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    with access_points.silent():
        assert wifi_on.refusal("wifi.scan", ms=500) == "timeout"
        assert wifi_on.refusal("wifi.connect", ssid=lab.ssid, key=lab.key, ms=500) == "timeout"
    wifi_on.join(lab)
    assert access_points.seen.joined == lab.ssid


def test_a_module_that_is_not_there(board_wifi: BoardWifi, access_points: AccessPoints) -> None:
    with access_points.silent():
        assert board_wifi.refusal("wifi.on", ms=300) == "timeout"
        assert board_wifi.status["on"] == "0"
    board_wifi.ask("wifi.on")
    board_wifi.ask("wifi.off")


def test_garbage_on_the_line_is_left_behind(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    lab = access_points.place()
    wifi_on.join(lab)
    access_points.babble(b"\x00\xff\x80OK+IPD,\r\n\x01ERROR\r\n" + b"x" * 600 + b"\r\n+CIPRECVDATA:9000,\r\n")
    said = wifi_on.status
    assert (said["joined"], said["lost"]) == ("1", "0")
    assert said.integer("garbage") >= 2


def test_a_module_that_starts_by_itself_is_set_up_again(
    wifi_on: BoardWifi, access_points: AccessPoints
) -> None:
    lab = access_points.place()
    wifi_on.join(lab)
    starts, boots = wifi_on.status.integer("starts"), access_points.seen.boots
    access_points.restart_module()
    assert access_points.wait(lambda seen: seen.boots > boots, SEEN_S)
    assert access_points.wait(lambda seen: not seen.joined, SEEN_S)
    said = wifi_on.join(lab)
    assert (access_points.seen.joined, access_points.seen.address) == (lab.ssid, said["address"])
    assert wifi_on.status.integer("starts") == starts + 1


def test_a_late_answer_is_not_taken_for_anothers(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    access_points.place()
    for _ in range(3):
        access_points.hold_back()
        assert wifi_on.refusal("wifi.scan", ms=500) == "timeout"
        assert wifi_on.ask("wifi.mode")["mode"] == "station"
        assert wifi_on.ask("wifi.scan")["found"] == "1"


def test_a_late_refusal_is_not_taken_for_anothers(wifi_on: BoardWifi, access_points: AccessPoints) -> None:
    """The join is refused after the board has given up waiting; nothing of it may answer what comes next."""
    slow = access_points.place("slow", join_s=5.0)  # a loaded host stretches the board's 200 ms
    lab = access_points.place()
    assert wifi_on.refusal("wifi.connect", ssid=slow.ssid, key=f"{slow.key}x", ms=200) == "timeout"
    said = wifi_on.join(lab)
    assert (access_points.seen.joined, access_points.seen.address) == (lab.ssid, said["address"])
    assert [attempt.ssid for attempt in access_points.seen.attempts][-2:] == [slow.ssid, lab.ssid]
    assert wifi_on.ask("wifi.scan")["found"] == "2"


def test_a_name_that_is_answered_by_zeros_is_unknown(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    known = echo.plain().place.board.host
    with access_points.zeros_for_unknown_names():
        assert wifi_up.refusal("net.resolve", host="no-such-name.invalid") == "unknown"
        assert wifi_up.refusal("sock.open", host="no-such-name.invalid", port=9) == "unknown"
        assert wifi_up.ask("net.resolve", host=known)["address"] == "10.0.2.2"


def test_data_that_come_in_two_parts_too_far_apart_are_no_words_of_the_module(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    """The rest of them says what the module would: that it started anew, and that connections are gone."""
    place = echo.plain().place.board
    other, handle = wifi_up.open(place), wifi_up.open(place)
    trap = b"x" * 8 + b"\r\nready\r\n0,CLOSED\r\n1,CLOSED\r\nOK\r\n"
    before = wifi_up.status
    wifi_up.ask("sock.send", handle=handle, hex=trap.hex())
    assert access_points.wait(lambda seen: seen.links[1].received == len(trap), SEEN_S)
    access_points.hold_back(after=len(f"+CIPRECVDATA:{len(trap)},") + 4)
    assert wifi_up.ask("sock.receive", handle=handle, count=len(trap), ms=20_000)["end"] == "closed"
    assert wifi_up.ask("sock.echo", handle=other, length=300, seed=3)["same"] == "300"
    assert wifi_up.status["starts"] == before["starts"]
    wifi_up.ask("sock.close", handle=handle)
    assert len(access_points.seen.links) == 1
