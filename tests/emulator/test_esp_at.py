# SPDX-License-Identifier: MIT
"""The emulated Wi-Fi module by a plain client: every command, every error, and every trouble it can make."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

import pytest

from rig.deadline import Deadline
from rig.emulator.esp_at.air import AccessPoint, Refusal, Security
from rig.emulator.esp_at.links import SEND_BYTES, WINDOW_BYTES, resolve
from rig.emulator.esp_at.serving import WifiModule
from rig.errors import ToolFault, UsageFault
from rig.events import Event
from tests.emulator.at_client import AtClient, Uart, uart

LAB = AccessPoint("lab", "a key of the lab", channel=11, rssi_dbm=-40)
OPEN = AccessPoint("open house", security=Security.OPEN, rssi_dbm=-70)
WITHIN_S = 5.0


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


# --- TCP


def test_names_and_pings(joined: AtClient) -> None:
    assert joined.ask('AT+CIPDOMAIN="broker.rig.test"') == '+CIPDOMAIN:"10.0.2.2"\n\nOK'
    assert joined.ask('AT+CIPDOMAIN="example.com"') == "DNS Fail\n\nERROR"
    assert joined.ask('AT+PING="10.0.2.2"') == "+PING:1\n\nOK"
    assert joined.ask('AT+PING="192.0.2.1"') == "+PING:TIMEOUT\n\nERROR"


@pytest.mark.parametrize(
    ("name", "address"),
    [("10.0.2.2", "10.0.2.2"), ("RIG.test", "10.0.2.2"), ("a.b.rig.test", "10.0.2.2"), ("notrig.test", None),
     ("rig.test.example.com", None), ("localhost", None), ("127.0.0.1", "127.0.0.1"), ("", None)],
)  # fmt: skip
def test_only_the_rig_has_names(name: str, address: str | None) -> None:
    assert resolve(name) == address


def test_nothing_but_the_host_is_reached(joined: AtClient, module: WifiModule) -> None:
    with peer() as listener:
        port = listener.getsockname()[1]
        for host, said in (("127.0.0.1", ""), ("192.0.2.1", ""), ("example.com", "DNS Fail\n\n")):
            assert joined.ask(f'AT+CIPSTART=0,"TCP","{host}",{port}') == f"{said}ERROR"
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert module.seen().links == ()


def test_a_port_where_nobody_listens(joined: AtClient) -> None:
    with peer() as listener:
        port = listener.getsockname()[1]
    assert joined.ask(f'AT+CIPSTART=0,"TCP","10.0.2.2",{port}') == "ERROR"


def test_bytes_go_both_ways(joined: AtClient, module: WifiModule) -> None:
    data = random.Random(7).randbytes(SEND_BYTES)
    with peer() as listener, connect(joined, listener, "echo.rig.test") as ours:
        port = listener.getsockname()[1]
        assert joined.ask(f'AT+CIPSTART=0,"TCP","10.0.2.2",{port}') == "ALREADY CONNECTED\n\nERROR"
        assert joined.ask("AT+CIPSTATUS").startswith(f'STATUS:3\n+CIPSTATUS:0,"TCP","10.0.2.2",{port},')
        assert joined.ask("AT+CIPSTATE?").startswith(f'+CIPSTATE:0,"TCP","10.0.2.2",{port},')
        joined.type(f"AT+CIPSEND=0,{len(data)}")
        joined.until("OK\r\n\r\n>")
        joined.type(data)
        joined.until(f"Recv {len(data)} bytes\r\n\r\nSEND OK\r\n")
        assert ours.recv(len(data), socket.MSG_WAITALL) == data
        ours.sendall(data[:100])
        joined.until(r"\+IPD,0,100\r\n")
        assert joined.ask("AT+CIPRECVLEN?") == "+CIPRECVLEN:100,0,0,0,0\n\nOK"
        joined.type("AT+CIPRECVDATA=0,60")
        assert joined.until(r"\+CIPRECVDATA:60,(.{60})\r\n\r\nOK\r\n")[1] == data[:60]
        joined.type("AT+CIPRECVDATA=0,60")
        assert joined.until(r"\+CIPRECVDATA:40,(.{40})\r\n\r\nOK\r\n")[1] == data[60:100]
        assert joined.ask("AT+CIPRECVDATA=0,60") == "ERROR"
        (link,) = module.seen().links
        assert (link.host, link.sent, link.received) == ("echo.rig.test", len(data), 100)
        assert joined.ask("AT+CIPMUX=0") == "ERROR"
        assert joined.ask("AT+CIPCLOSE=0") == "0,CLOSED\n\nOK"
        assert ours.recv(1) == b""


def test_a_peer_that_ends_is_told_after_its_last_byte_was_read(joined: AtClient) -> None:
    with peer() as listener, connect(joined, listener) as ours:
        ours.sendall(b"last words")
        joined.until(r"\+IPD,0,10\r\n")
        ours.shutdown(socket.SHUT_WR)
        assert joined.nothing_for(0.1) == b""
        joined.type("AT+CIPRECVDATA=0,1000")
        joined.until(r"\+CIPRECVDATA:10,last words\r\n.*0,CLOSED\r\n")


def test_a_board_that_does_not_read_holds_its_peer_back(joined: AtClient) -> None:
    total = 8 * 1024 * 1024
    with peer() as listener, connect(joined, listener) as ours:

        def send() -> None:
            with contextlib.suppress(OSError):  # the board closes before it has read it all
                ours.sendall(bytes(total))

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        joined.until(rf"\+IPD,0,{WINDOW_BYTES}\r\n")
        assert joined.ask("AT+CIPRECVLEN?").startswith(f"+CIPRECVLEN:{WINDOW_BYTES},")
        assert sender.is_alive()
        joined.ask("AT+CIPCLOSE=0")
        sender.join(WITHIN_S)


def test_active_mode_holds_no_more_than_the_uart_takes(joined: AtClient, module: WifiModule) -> None:
    """A board that does not read its UART makes the peer wait: nothing piles up in the rig."""
    assert joined.ask("AT+CIPRECVMODE=0") == "OK"
    with peer() as listener, connect(joined, listener) as ours:
        ours.settimeout(2.0)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 * 1024 * 1024:
                sent += ours.send(bytes(1 << 16))
        (link,) = module.seen().links
        assert link.received <= sent < 32 * 1024 * 1024


def test_active_mode_says_data_as_it_comes(joined: AtClient) -> None:
    assert joined.ask("AT+CIPRECVMODE=0") == "OK"
    with peer() as listener, connect(joined, listener) as ours:
        ours.sendall(b"a\r\nb")
        joined.until(r"\r\n\+IPD,0,4:a\r\nb")
        ours.close()
        joined.until("0,CLOSED\r\n")


def test_a_newer_module_calls_the_receive_mode_otherwise(client: AtClient, module: WifiModule) -> None:
    assert client.ask("AT+CIPRECVTYPE=5,1") == "ERROR"
    module.rename_receive_mode(True)
    assert client.ask("AT+CIPRECVMODE=1") == "ERROR"
    assert client.ask("AT+CIPRECVTYPE=0,1") == "ERROR"
    assert client.ask("AT+CIPRECVTYPE=5,1") == "OK"
    assert client.ask("AT+CIPRECVMODE?") == "+CIPRECVMODE:1\n\nOK"


def test_a_single_connection_has_no_number(client: AtClient) -> None:
    client.ask("AT+CWMODE=1")
    client.ask(f'AT+CWJAP="{LAB.ssid}","{LAB.key}"')
    with peer() as listener:
        assert client.ask(f'AT+CIPSTART="TCP","10.0.2.2",{listener.getsockname()[1]}') == "CONNECT\n\nOK"
        with listener.accept()[0] as ours:
            ours.sendall(b"x")
            client.until(r"\+IPD,1:x")
            assert client.ask("AT+CIPCLOSE") == "CLOSED\n\nOK"


# --- trouble


def test_a_second_command_meanwhile_is_turned_away(client: AtClient) -> None:
    client.ask("AT+CWMODE=1")
    client.type("AT+CWLAP")
    assert client.ask("AT") == "busy p..."
    client.until(r"\+CWLAP:.*\r\nOK\r\n")


def test_busy_silent_and_garbage(client: AtClient, module: WifiModule, events: list[Event]) -> None:
    with module.fault("busy"):
        assert client.ask("AT") == "busy p..."
    with module.fault("silent"):
        client.type("AT")
        assert client.nothing_for(0.2) == b""
    module.babble(b"\xff+IPD,\r\n")
    client.until("\\+IPD,\r\n")
    assert client.ask("AT") == "OK"
    faults = [(event.kind, event.data["what"]) for event in events if event.source == "fault"]
    assert faults == [(kind, what) for what in ("busy", "silent", "garbage") for kind in ("begin", "end")]


def test_an_answer_that_comes_late(client: AtClient, module: WifiModule) -> None:
    module.hold_back()
    client.type("AT+CWMODE?")
    assert client.nothing_for(0.2) == b""
    client.type("AT+CIPMUX?")
    client.until(r"\+CWMODE:0\r\n\r\nOK\r\n\+CIPMUX:0\r\n\r\nOK\r\n")
    assert client.ask("AT") == "OK"


def test_a_reset_by_itself_forgets_everything(joined: AtClient, module: WifiModule) -> None:
    with peer() as listener, connect(joined, listener) as ours:
        module.reset_by_itself()
        joined.until("ready\r\n")
        assert ours.recv(1) == b""
        assert joined.ask("AT") == "AT\n\nOK"
        assert (module.seen().joined, module.seen().mode, module.seen().boots) == (None, 0, 2)


def test_broken_connections_leave_the_network(joined: AtClient, module: WifiModule) -> None:
    with peer() as listener, connect(joined, listener):
        module.drop_links()
        joined.until("0,CLOSED\r\n")
        joined.type("AT+CIPSEND=0,5")
        joined.until("link is not valid\r\n\r\nERROR\r\n")
        assert module.seen().joined == "lab"


def test_power_of_the_board_is_the_modules(place: tuple[Uart, WifiModule]) -> None:
    port, module = place
    with port.power() as client:
        client.until("ready\r\n")
        client.ask("AT+CWMODE=1")
    with port.power() as client:
        client.until("ready\r\n")
        assert client.ask("ATE0").endswith("OK")
        assert client.ask("AT+CWMODE?") == "+CWMODE:0\n\nOK"
        assert module.seen().boots == 2
    assert module.wait(lambda seen: seen.boots == 3 or not seen.powered, Deadline.after(WITHIN_S))


def test_no_key_is_kept_or_told(joined: AtClient, module: WifiModule, events: list[Event]) -> None:
    joined.ask('AT+CWJAP="lab","another secret')
    joined.ask("AT+CWMODE=3")
    joined.ask('AT+CWSAP="own","a key of mine",5,3')
    kept = repr(events) + repr(module.seen())
    for key in (LAB.key, "another secret", "a key of mine"):
        assert key not in kept
    assert "AT+CWJAP='lab',<key>" in module.seen().commands


def test_events_tell_the_story(joined: AtClient, events: list[Event]) -> None:
    joined.ask("AT+CWQAP")
    told = [event.data["what"] for event in events if event.source == "network"]
    assert told == ["ap-on", "ap-on", "ready", "mode", "join", "leave"]


@pytest.mark.parametrize("seed", range(5))
def test_noise_from_the_board_does_no_harm(client: AtClient, seed: int) -> None:
    rng = random.Random(seed)
    client.type(bytes(rng.choice(b'AT+CWJAP="x",\\\r\n\xff\x00=?') for _ in range(2000)) + b"\r\n")
    client.type("AT+GMR")
    client.until("AT version:.*\r\nOK\r\n")
    assert client.ask("AT") in ("OK", "AT\n\nOK")


@pytest.mark.parametrize(
    ("ssid", "key"), [("", LAB.key), ("x" * 33, LAB.key), ("lab", "short"), ("lab", "x" * 64)]
)
def test_an_access_point_that_cannot_be(ssid: str, key: str) -> None:
    with pytest.raises(UsageFault):
        AccessPoint(ssid, key)


@pytest.mark.parametrize("part", ["links.Links._set_many", "station.Station._scan"], ids=["at once", "later"])
def test_a_fault_of_the_modules_own_is_told(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that breaks at once, and one that breaks while it is at work."""

    def at_once(*_: object) -> None:
        raise ZeroDivisionError

    async def later(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"rig.emulator.esp_at.{part}", at_once if "links" in part else later)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(uart())
        module = WifiModule(port.port, board="mps2").__enter__()
        client = stack.enter_context(port.power())
        client.until("ready\r\n")
        client.type(b"AT+CIPMUX=1\r\nAT+CWLAP\r\n")
        with pytest.raises(ToolFault, match="has stopped: ZeroDivisionError"):
            module.wait(lambda _: False, Deadline.after(WITHIN_S))
        with pytest.raises(ToolFault, match="has stopped: ZeroDivisionError"):
            module.check()
        with pytest.raises(ToolFault, match="has stopped: ZeroDivisionError"):
            module.__exit__(None)
