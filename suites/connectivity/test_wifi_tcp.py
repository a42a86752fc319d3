# SPDX-License-Identifier: MIT
"""TCP over Wi-Fi: the board's network comes up by the module, and its sockets and clients go that way.

What the board says is compared with what the module carried.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.links.fields import only
from rig.pattern import pattern
from rig.pytest_plugin.board_wifi import JOIN_MS

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.access_points import AccessPoints
    from rig.pytest_plugin.board_wifi import BoardWifi
    from rig.pytest_plugin.provisioning import Provisioned
    from rig.services.echo import EchoServers
    from rig.services.endpoint import Endpoint
    from rig.services.service_set import ServiceSet

pytestmark = [pytest.mark.board_feature("wifi"), pytest.mark.arrangement(clock="free", wifi=True)]

SHORT_MS = 3000
SESSION_MS = 20_000
SEEN_S = 120.0


@pytest.mark.requirement("WiFi", "ConnectMultipleAP")
def test_the_network_comes_up_over_one_that_is_kept(wifi_up: BoardWifi, access_points: AccessPoints) -> None:
    said = wifi_up.ask("net.status")
    assert (said["interface"], said["link"], said["address"]) == ("wifi", "1", access_points.seen.address)
    assert said["mac"].lower() == access_points.seen.mac
    assert wifi_up.ask("net.resolve", host="echo.rig.test")["address"] == "10.0.2.2"
    assert wifi_up.refusal("net.resolve", host="no-such-name.invalid") == "unknown"
    assert wifi_up.ask("net.ping", host="10.0.2.2")["address"] == "10.0.2.2"


def test_the_network_does_not_come_up_without_one(
    no_networks: BoardWifi, access_points: AccessPoints
) -> None:
    assert no_networks.refusal("net.up", interface="wifi", ms=SHORT_MS) == "absent"
    gone = access_points.place()
    access_points.switch_off(gone)
    no_networks.keep(gone)
    assert no_networks.refusal("net.up", interface="wifi", ms=SHORT_MS) == "absent"
    assert (no_networks.status["on"], access_points.seen.joined) == ("0", None)


@pytest.mark.parametrize("length", [1, 1023, 1024, 1025, 4096])
def test_bytes_come_back_from_an_echo_server(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers, length: int
) -> None:
    before = echo.plain().connections
    handle = wifi_up.open(echo.plain().place.board)
    said = wifi_up.ask("sock.echo", handle=handle, length=length, seed=length)
    assert (said["sent"], said["same"], said["end"]) == (str(length), str(length), "ok")
    echo.plain().must_have_got(pattern(length, length), since=before, timeout_s=SEEN_S)
    link = only(access_points.seen.links, "connection")
    assert (link.host, link.sent, link.received) == ("10.0.2.2", length, length)
    wifi_up.ask("sock.close", handle=handle)
    assert access_points.seen.links == ()


def test_a_newer_module(no_networks: BoardWifi, access_points: AccessPoints, echo: EchoServers) -> None:
    """Since ESP-AT 4 the command for passive receiving has another name."""
    lab = access_points.place()
    with access_points.newer_module():
        no_networks.ask("wifi.on")
        no_networks.join(lab)
        no_networks.ask("net.up", interface="wifi", ms=JOIN_MS)
        handle = no_networks.open(echo.plain().place.board)
        assert no_networks.ask("sock.echo", handle=handle, length=100)["same"] == "100"
        assert "AT+CIPRECVTYPE=5,1" in access_points.seen.commands
        no_networks.ask("net.down")


def test_five_connections_at_once_and_no_more(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    before = echo.plain().connections
    handles = [wifi_up.open(echo.plain().place.board) for _ in range(5)]
    place = echo.plain().place.board
    assert wifi_up.refusal("sock.open", host=place.host, port=place.port) == "range"
    for seed, handle in enumerate(handles):
        assert wifi_up.ask("sock.echo", handle=handle, length=500, seed=seed)["same"] == "500"
    assert sorted(link.sent for link in access_points.seen.links) == [500] * 5
    echo.plain().must_have_got(*(pattern(500, seed) for seed in range(5)), since=before, timeout_s=SEEN_S)
    for handle in handles:
        wifi_up.ask("sock.close", handle=handle)
    assert access_points.seen.links == ()


def test_nobody_listens_by_wifi(wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers) -> None:
    del echo
    assert wifi_up.refusal("sock.open", host="10.0.2.2", port=1) == "refused"
    assert wifi_up.refusal("sock.open", host="no-such-name.invalid", port=1) == "unknown"
    assert access_points.seen.links == ()


def test_a_server_that_ends_is_seen_after_its_last_byte(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    handle = wifi_up.open(echo.plain("close").place.board)
    wifi_up.ask("sock.send", handle=handle, hex="00")
    said = wifi_up.ask("sock.receive", handle=handle, count=10, ms=5000)
    assert (said["received"], said["end"]) == ("0", "closed")
    assert wifi_up.ask("sock.send", handle=handle, hex="00")["end"] == "closed"
    wifi_up.ask("sock.close", handle=handle)
    assert access_points.seen.links == ()


def test_a_module_that_goes_silent_amid_a_transfer(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    handle = wifi_up.open(echo.plain().place.board)
    with access_points.silent():
        assert wifi_up.ask("sock.send", handle=handle, hex="00")["end"] == "closed"
    assert wifi_up.ask("sock.send", handle=handle, hex="00")["end"] == "closed"
    wifi_up.ask("sock.close", handle=handle)
    assert access_points.seen.links == ()
    handle = wifi_up.open(echo.plain().place.board)
    assert wifi_up.ask("sock.echo", handle=handle, length=300)["same"] == "300"


def test_connections_end_with_the_network(
    wifi_up: BoardWifi, access_points: AccessPoints, echo: EchoServers
) -> None:
    handle = wifi_up.open(echo.plain().place.board)
    access_points.drop_connections()
    assert wifi_up.ask("sock.receive", handle=handle, count=1, ms=5000)["end"] == "closed"
    wifi_up.ask("sock.close", handle=handle)
    handle = wifi_up.open(echo.plain().place.board)
    access_points.restart_module()
    assert wifi_up.ask("sock.receive", handle=handle, count=1, ms=5000)["end"] == "closed"
    wifi_up.ask("sock.close", handle=handle)
    place = echo.plain().place.board
    assert wifi_up.refusal("sock.open", host=place.host, port=place.port) == "absent"


@pytest.mark.board_feature("mqtt")
def test_mqtt_over_it(
    wifi_up: BoardWifi, console: ConsoleLink, access_points: AccessPoints, services: ServiceSet
) -> None:
    if services.mqtt is None:
        pytest.skip("the broker has no plain port")
    publish_and_hear(wifi_up, console, access_points, services, services.mqtt.board, tls=0)


@pytest.mark.board_feature("mqtt")
@pytest.mark.board_feature("tls")
def test_mqtt_by_mutual_tls_over_it(
    wifi_up: BoardWifi,
    console: ConsoleLink,
    access_points: AccessPoints,
    services: ServiceSet,
    provisioned: Provisioned,
) -> None:
    """The handshake is the board's own: to the module it is bytes like any other."""
    del provisioned
    publish_and_hear(wifi_up, console, access_points, services, services.mqtts.board, tls=1)


def publish_and_hear(
    wifi: BoardWifi,
    console: ConsoleLink,
    access_points: AccessPoints,
    services: ServiceSet,
    place: Endpoint,
    *,
    tls: int,
) -> None:
    """The board publishes to itself, by the one connection that the module has."""
    topic, payload = f"{services.thing}/wifi", "over the air"
    client = services.thing
    wifi.ask("mqtt.connect", host=place.host, port=place.port, client=client, tls=tls, ms=SESSION_MS)
    link = only(access_points.seen.links, "connection")
    assert (link.port, link.sent > 0, link.received > 0) == (place.port, True, True)
    assert wifi.ask("mqtt.subscribe", topics=topic, qos="1", ms=SESSION_MS)["codes"] == "1"
    since = console.mark()
    wifi.ask("mqtt.publish", topic=topic, qos=1, text=payload, ms=SESSION_MS)
    came = console.wait_event("mqtt.message", Deadline.after(SEEN_S), since=since).fields
    assert (came["topic"], came.integer("crc", 16)) == (topic, zlib.crc32(payload.encode()))
    wifi.ask("mqtt.disconnect", ms=SESSION_MS)
    assert access_points.wait(lambda seen: not seen.links, SEEN_S)
