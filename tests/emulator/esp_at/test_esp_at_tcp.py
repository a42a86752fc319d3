# SPDX-License-Identifier: MIT
"""The emulated Wi-Fi module by a plain client: names, connections, and the bytes on them."""

from __future__ import annotations

import contextlib
import random
import socket
import threading

import pytest

from rig.emulator.esp_at.links import SEND_BYTES, WINDOW_BYTES, resolve
from rig.emulator.esp_at.serving import WifiModule
from tests.emulator.at_client import AtClient
from tests.emulator.esp_at.air import LAB, WITHIN_S, connect, peer


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
