# SPDX-License-Identifier: MIT
"""Times read from what agent and bootloader say, and wear read from the flash's log, on scripts of both."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from rig.errors import BoardSilent
from rig.links.fields import Fields
from rig.links.interfaces import Mark, WireEvent
from rig.links.nor_control import Kind, NorOperation
from rig.pytest_plugin.update_times import FlashWear, UpdateTimes

HZ = 25_000_000


class Console:
    """What was said, a line an offset: states with the counter, the bootloader's choice, ready."""

    def __init__(self, *lines: tuple[str, int] | bytes) -> None:
        self._lines = lines

    def request(self, command: str, *_: object, **__: object) -> SimpleNamespace:
        assert command == "time.now"
        return SimpleNamespace(fields=Fields(counter="0", counter_hz=str(HZ)))

    def wait_event(self, name: str, deadline: object, *, since: Mark) -> WireEvent:
        del deadline
        for at, line in enumerate(self._lines[since.offset :], since.offset):
            if isinstance(line, bytes):
                continue
            word, number = line
            if name == ("ready" if word == "ready!" else "ota.state"):
                fields = Fields(state=word, counter=str(number), reset_us=str(number))
                return WireEvent(name, at, fields, 1000 * at, Mark(at + 1))
        raise BoardSilent("nothing more")

    def expect(self, pattern: bytes, deadline: object, *, since: Mark) -> SimpleNamespace:
        del deadline
        for line in self._lines[since.offset :]:
            if isinstance(line, bytes) and (match := re.search(pattern, line)):
                return SimpleNamespace(match=match)
        raise BoardSilent("nothing more")


def times(*lines: tuple[str, int] | bytes) -> UpdateTimes:
    board: Any = SimpleNamespace(console=Console(*lines))
    return UpdateTimes(board, Mark(0))


def test_stages_are_counted_by_the_board_also_where_its_counter_wraps() -> None:
    said = times(("asking", 5), ("receiving", 2**32 - HZ), ("verifying", HZ // 2), ("staged", HZ))
    receiving, verifying, staged = (said.came_to(state) for state in ("receiving", "verifying", "staged"))
    assert said.between_ms(receiving, verifying) == pytest.approx(1500)
    assert said.between_ms(verifying, staged) == pytest.approx(500)
    assert said.since_reset_ms(staged) == pytest.approx(1000)
    assert receiving.t_ns == 1000


def test_state_is_looked_for_after_the_one_before() -> None:
    said = times(("asking", 1), ("ending", 2), ("ready", 3))
    said.came_to("ending")
    assert said.came_to("asking", "ready").count == 3
    with pytest.raises(BoardSilent):
        said.came_to("ending")


def test_boot_has_two_parts_where_the_bootloader_says_when_it_has_chosen() -> None:
    choice = b"boot: run=b reason=test watchdog_ms=20000 reset_us=2423500\r"
    said = times(("rebooting", 9), choice, ("ready!", 2_790_000), ("testing", 3 * HZ))
    said.came_to("rebooting")
    assert said.booted_ms() == (2423.5, 2790.0)
    assert said.since_reset_ms(said.came_to("testing")) == 3000


def test_bootloader_that_does_not_say_when_leaves_one_part() -> None:
    assert times(b"MCUboot 2.1: jumping\r", ("ready!", 2_790_000)).booted_ms() == (None, 2790.0)


class Nor:
    """A log that keeps the last four operations."""

    def __init__(self) -> None:
        self.log: list[NorOperation] = []

    def does(self, kind: Kind, address: int) -> None:
        self.log.append(NorOperation(len(self.log) + 1, address, 256, kind, "download", 0))

    def state(self) -> SimpleNamespace:
        return SimpleNamespace(count=len(self.log))

    def operations(self, since: int) -> list[NorOperation]:
        return self.log[max(since, len(self.log) - 4) :]


def test_wear_is_what_came_since_it_began() -> None:
    nor: Any = Nor()
    nor.does("erase", 0x1000)
    wear = FlashWear(nor)
    wear.begin()
    for address in (0x1000, 0x2000, 0x1000):
        nor.does("erase", address)
        nor.does("program", address)
        wear.look()
    assert (wear.erases, wear.programs) == ({0x1000: 2, 0x2000: 1}, 3)


def test_operations_that_nobody_saw_are_no_wear_of_zero() -> None:
    nor: Any = Nor()
    wear = FlashWear(nor)
    wear.begin()
    for _ in range(5):
        nor.does("program", 0x1000)
    with pytest.raises(AssertionError, match="operations up to 2 were not seen"):
        wear.look()
