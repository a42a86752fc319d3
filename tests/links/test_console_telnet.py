# SPDX-License-Identifier: MIT
"""Telnet and RFC 2217 without a socket: bytes told from commands however they are cut, and what is agreed."""

from __future__ import annotations

import random
import struct

import pytest

from rig.links.console_telnet import Negotiation, Option, Sub, Unquoter, quoted

IAC, DONT, DO, WONT, WILL, SB, SE, NOP = 255, 254, 253, 252, 251, 250, 240, 241
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44


def sub(number: int, value: bytes) -> bytes:
    return bytes((IAC, SB, COM_PORT, number)) + value.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))


STREAM = b"".join(
    [
        b"before",
        bytes((IAC, WILL, COM_PORT)),
        bytes(range(255)) + b"\xff\xff",
        sub(101, struct.pack(">I", 0xFF00FF00)),
        bytes((IAC, NOP)),
        b"\xff\xff\xff\xff",
        bytes((IAC, DONT, ECHO)),
        b"after",
    ]
)
DATA = b"before" + bytes(range(256)) + b"\xff\xffafter"
COMMANDS = [
    Option(WILL, COM_PORT),
    Sub(COM_PORT, b"\x65" + struct.pack(">I", 0xFF00FF00)),
    Option(DONT, ECHO),
]


@pytest.mark.parametrize("seed", range(20))
def test_data_and_commands_however_the_stream_is_cut(seed: int) -> None:
    dice, unquoter, data, at = random.Random(seed), Unquoter(), b"", 0
    commands: list[Option | Sub] = []
    while at < len(STREAM):
        size = dice.randrange(1, 8)
        said, found = unquoter.feed(STREAM[at : at + size])
        data, commands, at = data + said, commands + found, at + size
    assert (data, commands) == (DATA, COMMANDS)


def test_what_is_quoted_comes_out_again() -> None:
    data = bytes(range(256)) * 3
    assert Unquoter().feed(quoted(data)) == (data, [])


def test_a_subnegotiation_without_end_is_dropped_and_not_held_for_ever() -> None:
    unquoter = Unquoter()
    begun = bytes((IAC, SB, COM_PORT))
    assert unquoter.feed(begun + b"x" * 100) == (b"", [])
    assert unquoter.feed(b"x" * 1000) == (b"", [])
    assert unquoter.feed(b"text") == (b"text", [])


def agreed(talk: Negotiation) -> bytes:
    """Has a server agree to all that is asked; returns what it was asked to set."""
    talk.begin()
    asked = b""
    for verb, option in (
        (DO, SUPPRESS_GO_AHEAD), (WILL, SUPPRESS_GO_AHEAD), (DO, BINARY), (WILL, BINARY), (DO, COM_PORT)
    ):  # fmt: skip
        asked += talk.hear(Option(verb, option))
    return asked


def set_up(talk: Negotiation, baud: int) -> None:
    """Has a server say what it set."""
    for number, value in ((101, struct.pack(">I", baud)), (102, b"\x08"), (103, b"\x01"), (104, b"\x01")):
        talk.hear(Sub(COM_PORT, bytes((number,)) + value))


def test_it_is_done_when_all_is_set_up_and_not_before() -> None:
    talk = Negotiation(921_600)
    opening = talk.begin()
    assert bytes((IAC, WILL, COM_PORT)) in opening
    assert agreed(Negotiation(921_600)) == b"".join(
        [
            sub(1, struct.pack(">I", 921_600)),
            sub(2, b"\x08"),
            sub(3, b"\x01"),
            sub(4, b"\x01"),
            sub(5, b"\x01"),
        ]
    )
    agreed(talk)
    assert not talk.done
    set_up(talk, 921_600)
    assert (talk.done, talk.refusal) == (True, "")


def test_a_port_that_is_set_up_but_changes_bytes_is_not_done() -> None:
    talk = Negotiation(115_200)
    talk.begin()
    talk.hear(Option(DO, COM_PORT))
    set_up(talk, 115_200)
    assert not talk.done
    talk.hear(Option(WONT, BINARY))
    assert "does not pass all bytes" in talk.refusal


def test_a_baud_rate_that_the_server_has_not_is_a_refusal() -> None:
    talk = Negotiation(115_200)
    agreed(talk)
    set_up(talk, 9600)
    assert talk.refusal == "it has set baud to 9600, asked was 115200"
    assert not talk.done


def test_a_server_without_the_option_is_a_refusal() -> None:
    talk = Negotiation(115_200)
    talk.begin()
    talk.hear(Option(DONT, COM_PORT))
    assert "sets up no port" in talk.refusal


def test_other_options_are_declined_once_so_that_nothing_loops() -> None:
    talk = Negotiation(115_200)
    talk.begin()
    assert talk.hear(Option(WILL, ECHO)) == bytes((IAC, DONT, ECHO))
    assert talk.hear(Option(DO, 24)) == bytes((IAC, WONT, 24))
    assert talk.hear(Option(WILL, ECHO)) == b""


def test_a_server_may_ask_for_silence() -> None:
    talk = Negotiation(115_200)
    talk.hear(Sub(COM_PORT, bytes((108,))))
    assert talk.suspended
    talk.hear(Sub(COM_PORT, bytes((109,))))
    assert not talk.suspended
