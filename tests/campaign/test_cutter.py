# SPDX-License-Identifier: MIT
"""How an operation of a board's flash is come to by breakpoints, on a probe that is a script."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rig.campaign.cutter import ERASE, find_function, reach_call
from rig.deadline import Deadline
from rig.errors import ImageFault
from rig.image.build import build

FLASH, CALLER = 0x2110_1000, 0x2110_2001


class ScriptedProbe:
    """A core that calls a function so often, and then no more. Only what is asked of it here."""

    def __init__(self, calls: int) -> None:
        self.calls, self.inside, self.running = calls, False, False
        self.places: list[int] = []

    def run_to(self, address: int, deadline: Deadline) -> bool:
        del deadline
        self.places.append(address)
        if address == FLASH:
            assert not self.inside, "a breakpoint where the core stands is met again at once"
            self.calls -= 1
            self.inside = self.calls >= 0
            return self.inside
        assert self.inside
        self.inside = False
        return True

    def read_register(self, name: str) -> int:
        assert (name, self.inside) == ("lr", True)
        return CALLER

    def resume(self) -> None:
        self.running = True


def test_the_nth_call_is_come_to_by_leaving_the_ones_before() -> None:
    probe = ScriptedProbe(calls=5)
    assert reach_call(probe, FLASH, 3, Deadline.after(1))  # type: ignore[arg-type]
    assert probe.places == [FLASH, CALLER & ~1, FLASH, CALLER & ~1, FLASH]
    assert (probe.inside, probe.running) == (True, False)


def test_a_core_that_does_not_come_there_runs_on() -> None:
    probe = ScriptedProbe(calls=2)
    assert not reach_call(probe, FLASH, 3, Deadline.after(1))  # type: ignore[arg-type]
    assert probe.running


@pytest.mark.slow
def test_the_flash_driver_is_found_by_its_name() -> None:
    elf = build("mps2", project_root=Path(__file__).parents[2], environ=os.environ, say=print).elf
    assert find_function(elf, ERASE) % 2 == 0
    with pytest.raises(ImageFault, match="no function flash_burn"):
        find_function(elf, "flash_burn")
