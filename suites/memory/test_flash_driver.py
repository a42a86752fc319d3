# SPDX-License-Identifier: MIT
"""The firmware writes its own flash as an update will: what it says it wrote, the probe finds there."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink

pytestmark = pytest.mark.board_feature("flash-driver")

REPLY_S = 10.0  # a large sector takes seconds to erase
PATTERN = random.Random(5).randbytes(64)
BLANK = b"\xff"


@dataclass(frozen=True, slots=True)
class Sector:
    """An erase sector: first address and bytes."""

    start: int
    size: int


@pytest.fixture
def spare(board: BoardSession, console: ConsoleLink) -> Sector:
    """The last sector of the board's flash, erased by the firmware."""
    last = board.board.flash[0].end - 1
    said = console.request("flash.sector", {"address": last}, deadline=Deadline.after(REPLY_S)).fields
    sector = Sector(said.integer("start"), said.integer("size"))
    assert (said["used"], sector.start + sector.size) == ("0", last + 1)
    console.request("flash.erase", {"address": sector.start}, deadline=Deadline.after(REPLY_S))
    return sector


def write(console: ConsoleLink, address: int, data: bytes) -> None:
    """Has the firmware write these bytes."""
    done = console.request(
        "flash.write", {"address": address, "data": data.hex().upper()}, deadline=Deadline.after(REPLY_S)
    )
    assert (done.fields.integer("address"), done.fields.integer("bytes")) == (address, len(data))


def refusal(console: ConsoleLink, command: str, **arguments: int | str) -> str:
    """The code by which the firmware refuses a command."""
    with pytest.raises(CommandRefused) as refused:
        console.request(command, arguments, deadline=Deadline.after(REPLY_S))
    return refused.value.code


def test_erased_sector_is_blank_to_the_probe(
    board: BoardSession, console: ConsoleLink, spare: Sector
) -> None:
    write(console, spare.start, PATTERN)
    console.request("flash.erase", {"address": spare.start}, deadline=Deadline.after(REPLY_S))
    assert board.probe.read_memory(spare.start, spare.size) == BLANK * spare.size


def test_written_bytes_are_there_and_no_others(
    board: BoardSession, console: ConsoleLink, spare: Sector
) -> None:
    place = spare.start + 128
    write(console, place, PATTERN)
    found = board.probe.read_memory(spare.start, 256)
    assert found == BLANK * 128 + PATTERN + BLANK * 64


def test_written_bytes_survive_power(board: BoardSession, console: ConsoleLink, spare: Sector) -> None:
    if board.board.power.driver == "none":
        pytest.skip("the inventory names no switch for the board's power")
    write(console, spare.start, PATTERN)
    board.power_cycle()
    assert board.probe.read_memory(spare.start, len(PATTERN)) == PATTERN


def test_a_bit_is_not_set_without_erasing(board: BoardSession, console: ConsoleLink, spare: Sector) -> None:
    write(console, spare.start, PATTERN)
    inverse = bytes(byte ^ 0xFF for byte in PATTERN).hex().upper()
    assert refusal(console, "flash.write", address=spare.start, data=inverse) == "flash"
    assert board.probe.read_memory(spare.start, len(PATTERN)) == PATTERN


def test_the_image_and_what_is_no_flash_are_refused(
    board: BoardSession, console: ConsoleLink, spare: Sector
) -> None:
    first, end = board.board.flash[0].start, spare.start + spare.size
    before = board.probe.read_memory(first, 4096)
    assert refusal(console, "flash.erase", address=first) == "range"
    assert refusal(console, "flash.write", address=first + 64, data="00000000") == "range"
    assert refusal(console, "flash.erase", address=spare.start + 4) == "range"
    assert refusal(console, "flash.write", address=spare.start + 2, data="00000000") == "range"
    assert refusal(console, "flash.erase", address=end) == "range"
    assert refusal(console, "flash.write", address=end - 4, data="00000000" * 2) == "range"
    assert refusal(console, "flash.write", address=spare.start, data="0000") == "value"
    assert board.probe.read_memory(first, 4096) == before
    board.restart()
