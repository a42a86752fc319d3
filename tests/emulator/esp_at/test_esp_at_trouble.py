# SPDX-License-Identifier: MIT
"""The emulated Wi-Fi module by a plain client: every trouble that it can make, and what it tells."""

from __future__ import annotations

import contextlib
import random

import pytest

from rig.deadline import Deadline
from rig.emulator.esp_at.air import AccessPoint
from rig.emulator.esp_at.serving import WifiModule
from rig.errors import ToolFault, UsageFault
from rig.events import Event
from tests.emulator.at_client import AtClient, Uart, uart
from tests.emulator.esp_at.air import LAB, WITHIN_S, connect, peer


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
