# SPDX-License-Identifier: MIT
"""The emulated Wi-Fi module by a plain client: its basic commands, and Wi-Fi."""

from __future__ import annotations

import pytest

from rig.emulator.esp_at.air import AccessPoint, Refusal
from rig.emulator.esp_at.serving import WifiModule
from tests.emulator.at_client import AtClient, Uart
from tests.emulator.esp_at.air import LAB, OPEN, connect, peer

# --- basics


def test_it_starts_with_garbage_and_ready_and_echoes(place: tuple[Uart, WifiModule]) -> None:
    with place[0].power() as client:
        client.until("ready\r\n")
        assert b"\xf8" in client.all
        assert client.ask("AT") == "AT\n\nOK"
        assert client.ask("ATE0") == "ATE0\n\nOK"
        assert client.ask("AT") == "OK"
        assert client.ask("AT+GMR").startswith("AT version:")


@pytest.mark.parametrize(
    "line",
    ["AT+NOSUCH", "HELLO", "AT+CWMODE=4", "AT+CWMODE", 'AT+CWMODE="1"', "AT+SLEEP=9", "AT+UART_CUR=115200",
     "AT+CIPCLOSE=0", "AT+CIPSEND=0,5", "AT+CIPRECVDATA=0,5", "AT+CIPMUX=2", "AT+CWLAP", 'AT+CWJAP="lab","x"',
     'AT+CIPSTART="TCP","10.0.2.2",9000'],
)  # fmt: skip
def test_what_it_cannot_do_is_an_error(client: AtClient, line: str) -> None:
    assert client.ask(line).endswith("ERROR")
    assert client.ask("AT") == "OK"


def test_settings_are_kept_until_a_reset(client: AtClient, module: WifiModule) -> None:
    assert client.ask("AT+SLEEP=1") == "OK"
    assert client.ask("AT+SLEEP?") == "+SLEEP:1\n\nOK"
    assert client.ask("AT+UART_CUR=115200,8,1,0,0") == "OK"
    assert client.ask("AT+CWAUTOCONN=0") == "OK"
    assert client.ask("AT+CWAUTOCONN?") == "+CWAUTOCONN:0\n\nOK"
    assert module.seen().sleep == 1
    client.type("AT+RST")
    client.until("OK\r\n.*ready\r\n")
    assert client.ask("AT+SLEEP?").endswith("+SLEEP:0\n\nOK")
    assert (module.seen().boots, module.seen().mode) == (2, 0)


# --- Wi-Fi


def test_a_scan_tells_who_is_there(client: AtClient, module: WifiModule) -> None:
    assert client.ask("AT+CWMODE=1") == "OK"
    lab = f'+CWLAP:(3,"lab",-40,"{LAB.bssid}",11,-1,-1,4,4,7,0)'
    house = f'+CWLAP:(0,"open house",-70,"{OPEN.bssid}",6,-1,-1,4,4,7,0)'
    assert client.ask("AT+CWLAP") == f"{lab}\n{house}\n\nOK"
    assert client.ask('AT+CWLAP="lab"') == f"{lab}\n\nOK"
    module.put(AccessPoint("lab", "a key of the lab", hidden=True))
    assert client.ask("AT+CWLAP") == f"{house}\n\nOK"
    module.clear()
    assert client.ask("AT+CWLAP") == "OK"


def test_joining_and_leaving(client: AtClient, module: WifiModule) -> None:
    assert client.ask("AT+CWMODE=1") == "OK"
    assert client.ask("AT+CWJAP?") == "OK"
    assert client.ask('AT+CWJAP="lab","a key of the lab"') == "WIFI CONNECTED\nWIFI GOT IP\n\nOK"
    assert client.ask("AT+CWJAP?").startswith(f'+CWJAP:"lab","{LAB.bssid}",11,-40,')
    seen = module.seen()
    assert (seen.joined, seen.attempts[-1].refusal) == ("lab", None)
    assert f'+CIPSTA:ip:"{seen.address}"' in client.ask("AT+CIPSTA?")
    assert client.ask("AT+CIPSTAMAC?") == f'+CIPSTAMAC:"{seen.mac}"\n\nOK'
    assert client.ask("AT+CIFSR") == f'+CIFSR:STAIP,"{seen.address}"\n+CIFSR:STAMAC,"{seen.mac}"\n\nOK'
    assert client.ask("AT+CIPDNS?").startswith('+CIPDNS:0,"192.168.')
    assert client.ask("AT+CWSTATE?") == '+CWSTATE:2,"lab"\n\nOK'
    assert client.ask("AT+CIPSTATUS") == "STATUS:2\n\nOK"
    assert client.ask("AT+CWQAP") == "WIFI DISCONNECT\n\nOK"
    assert (module.seen().joined, module.seen().address) == (None, None)
    assert 'ip:"0.0.0.0"' in client.ask("AT+CIPSTA?")


@pytest.mark.parametrize(
    ("point", "key", "refusal"),
    [
        (LAB, "not the key of it", Refusal.WRONG_KEY),
        (AccessPoint("lab", "a key of the lab", refuses=True), "a key of the lab", Refusal.FAILED),
        (None, "a key of the lab", Refusal.NO_SUCH_AP),
    ],
    ids=["wrong key", "refused", "not there"],
)
def test_why_a_join_fails(
    client: AtClient, module: WifiModule, point: AccessPoint | None, key: str, refusal: Refusal
) -> None:
    module.clear()
    if point is not None:
        module.put(point)
    client.ask("AT+CWMODE=1")
    assert client.ask(f'AT+CWJAP="lab","{key}"') == f"+CWJAP:{refusal.value}\n\nERROR"
    assert (module.seen().attempts[-1].refusal, module.seen().joined) == (refusal, None)


@pytest.mark.slow  # the shortest limit that a module takes is three seconds
@pytest.mark.parametrize(
    "point",
    [
        AccessPoint("lab", "a key of the lab", answers=False),
        AccessPoint("lab", "a key of the lab", dhcp=False),
    ],
    ids=["deaf", "no DHCP"],
)
def test_a_join_that_takes_too_long(client: AtClient, module: WifiModule, point: AccessPoint) -> None:
    module.put(point)
    client.ask("AT+CWMODE=1")
    said = client.ask('AT+CWJAP="lab","a key of the lab",,,,,,3')
    assert said.endswith("+CWJAP:1\n\nERROR")
    assert ("WIFI CONNECTED" in said) is point.answers
    assert module.seen().joined is None


def test_a_lost_access_point_is_told_and_found_again(joined: AtClient, module: WifiModule) -> None:
    with peer() as listener, connect(joined, listener):
        module.take("lab")
        joined.until("0,CLOSED\r\n.*WIFI DISCONNECT\r\n")
        assert (module.seen().joined, module.seen().links) == (None, ())
        module.put(LAB)
        joined.until("WIFI CONNECTED\r\nWIFI GOT IP\r\n")
        assert module.seen().joined == "lab"


def test_the_soft_ap_has_settings(client: AtClient, module: WifiModule) -> None:
    assert client.ask('AT+CWSAP="own","a key of mine",5,3') == "ERROR"
    assert client.ask("AT+CWMODE=2") == "OK"
    assert client.ask('AT+CWSAP="own","short",5,3') == "ERROR"
    assert client.ask('AT+CWSAP="own","a key of mine",5,3') == "OK"
    assert client.ask("AT+CWSAP?").startswith('+CWSAP:"own","",5,3')
    own = module.seen().soft_ap
    assert own is not None
    assert (own.ssid, own.channel, own.security) == ("own", 5, 3)
