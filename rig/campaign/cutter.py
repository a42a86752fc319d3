# SPDX-License-Identifier: MIT
"""Power cuts and resets of a board at hand, at an operation of its flash: by its probe and its power alone.

Owns how an operation is come to: a breakpoint at the function of the flash driver, which the ELF names. An
emulated board can also tear an operation (``rig/links/nor_control.py``); silicon tears by itself, when its
power goes in the middle of one.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rig.deadline import Deadline, poll
from rig.errors import ImageFault
from rig.image.elf import open_elf
from rig.image.symbols import sized_symbols

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.interfaces import Probe, WireEvent

How = Literal["reset", "power"]
ERASE, WRITE = "platform_flash_erase", "platform_flash_write"
"""The flash driver of ``platform.h``; another firmware has other names."""
REACHED_S: Final = 60.0
BACK_S: Final = 90.0
SEED: Final = int(os.environ.get("RIG_CUT_SEED") or random.SystemRandom().randrange(1, 1 << 32))
"""Of what cases draw; ``RIG_CUT_SEED`` repeats it."""


def dice(*of: object) -> random.Random:
    """Chance for one thing: the same for the same seed and the same words."""
    return random.Random(" ".join(map(str, (SEED, *of))))


def find_function(elf: Path, name: str) -> int:
    """Where a firmware has a function. Raises ImageFault where it has none of that name."""
    with open_elf(elf) as opened:
        for symbol in sized_symbols(opened):
            if symbol.name == name and symbol.kind == "function":
                return symbol.address
    raise ImageFault(f"{elf}: no function {name}: expected the firmware's flash driver to have it")


def reach_call(probe: Probe, address: int, count: int, deadline: Deadline) -> bool:
    """Runs until a function is called for the ``count``-th time; the core is halted at its first instruction.

    False where that did not come before the deadline; the core runs then.
    """
    for call in range(count):
        back = probe.read_register("lr") & ~1 if call else None
        if (back is not None and not probe.run_to(back, deadline)) or not probe.run_to(address, deadline):
            probe.resume()
            return False
    return True


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts one board; ``elf`` is what it runs when the operation comes."""

    session: BoardSession
    elf: Path

    def at_call(self, function: str, count: int, how: How) -> WireEvent | None:
        """Cuts where that function is called for the ``count``-th time, and waits until the board is back.

        None where it was not called so often: then nothing was cut.
        """
        address = find_function(self.elf, function)
        if not reach_call(self.session.probe, address, count, Deadline.after(REACHED_S)):
            return None
        return self.cut(how)

    def cut(self, how: How) -> WireEvent:
        """Cuts now; returns the boot that followed. Raises what a boot raises."""
        if how == "reset":
            return self.session.restart(BACK_S)
        return self.session.power_cycle(BACK_S)

    def after(self, seconds: float, how: How) -> WireEvent:
        """Cuts at a moment that nothing on the board chose."""
        poll(lambda: False, Deadline.after(seconds), 0.01)
        return self.cut(how)
