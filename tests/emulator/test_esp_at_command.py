# SPDX-License-Identifier: MIT
"""The grammar of AT commands, walked by a table and by seeded noise."""

from __future__ import annotations

import random

import pytest

from rig.emulator.esp_at.command import Command, Malformed, parse, quote

GOOD = {
    "AT": Command("", "execute"),
    "ATE0": Command("E0", "execute"),
    "at+gmr": Command("GMR", "execute"),
    "AT+CWMODE?": Command("CWMODE", "query"),
    "AT+CWMODE=?": Command("CWMODE", "test"),
    "AT+CWMODE=1": Command("CWMODE", "set", (1,)),
    "AT+CWMODE=1,0": Command("CWMODE", "set", (1, 0)),
    'AT+CWJAP="lab","a key of it",,,0': Command("CWJAP", "set", ("lab", "a key of it", None, None, 0)),
    r'AT+CWJAP="a\"b\,c\\d",""': Command("CWJAP", "set", ('a"b,c\\d', "")),
    'AT+CIPSTART=0,"TCP","10.0.2.2",8883': Command("CIPSTART", "set", (0, "TCP", "10.0.2.2", 8883)),
    "AT+X=-5": Command("X", "set", (-5,)),
    "AT+X=,": Command("X", "set", (None, None)),
    'AT+X="a?"': Command("X", "set", ("a?",)),
}


@pytest.mark.parametrize(("line", "command"), GOOD.items(), ids=GOOD.keys())
def test_a_command_is_understood(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize("line", ["", "BT", "+CWMODE=1", 'AT+X="open', 'AT+X="a"b', "AT+X=abc", 'AT+X="a\\'])
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        parse(line)


def test_arguments_are_checked() -> None:
    command = parse('AT+X="text",7,,"more"')
    assert (command.text(0), command.number(1, 0, 9), command.number(2, 0, 9, 4)) == ("text", 7, 4)
    assert command.text(2, "none") == "none"
    for wrong in (lambda: command.number(0, 0, 9), lambda: command.number(1, 8, 9), lambda: command.text(1)):
        with pytest.raises(Malformed):
            wrong()
    with pytest.raises(Malformed):
        command.text(9)


@pytest.mark.parametrize("seed", range(20))
def test_any_text_comes_back_from_its_quotes(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choice('ab",\\ =?+é') for _ in range(rng.randrange(40)))
    assert parse(f"AT+X={quote(text)},1").args == (text, 1)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_understood_or_refused_and_never_more(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(200):
        line = "AT+X=" + "".join(rng.choice('a1",\\?=-+') for _ in range(rng.randrange(20)))
        try:
            parse(line)
        except Malformed:
            continue
