# SPDX-License-Identifier: MIT
"""Which debug components a chip has: identities of its ports, its ROM tables, its comparators.

Owns facts of silicon, from the cores' technical reference manuals, and no behaviour: that is
``debug_port.py``'s and ``comparators.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ROM_TABLE, _GENERIC = 0x1, 0xE  # component classes (ARM IHI 0029, B2.2.1)


@dataclass(frozen=True, slots=True)
class Component:
    """A component of 4 KiB: its class and PIDR. A ROM table lists the bases of others in ``entries``."""

    kind: int
    peripheral: int
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparators:
    """How many points a core can stop at. ``fpb_revision``: 0 knows no address from 0x20000000 on."""

    breakpoints: int
    watchpoints: int
    fpb_revision: int


@dataclass(frozen=True, slots=True)
class DebugParts:
    """All that a debugger identifies. ``base``: the ROM table that the access port points to."""

    dpidr: int
    ap_idr: int
    base: int
    components: Mapping[int, Component]
    comparators: Comparators


SCS, DWT, FPB, ITM = 0xE000E000, 0xE0001000, 0xE0002000, 0xE0000000

CORTEX_M3: Final = DebugParts(  # Cortex-M3 TRM, table 3-3; the M4 of QEMU's MPS2 passes for it
    dpidr=0x2BA01477,
    ap_idr=0x24770011,
    base=0xE00FF000,
    components={
        SCS: Component(_GENERIC, 0x4000BB000),
        DWT: Component(_GENERIC, 0x4003BB002),
        FPB: Component(_GENERIC, 0x4002BB003),
        ITM: Component(_GENERIC, 0x4003BB001),
        0xE00FF000: Component(_ROM_TABLE, 0x4000BB4C3, (SCS, DWT, FPB, ITM)),
    },
    comparators=Comparators(breakpoints=8, watchpoints=4, fpb_revision=1),
)

NRF51: Final = DebugParts(  # a Cortex-M0 (its TRM, table 6-2) below a ROM table of Nordic's
    dpidr=0x0BB11477,
    ap_idr=0x04770021,
    base=0xF0000000,
    components={
        SCS: Component(_GENERIC, 0x4000BB008),
        DWT: Component(_GENERIC, 0x4000BB00A),
        FPB: Component(_GENERIC, 0x4000BB00B),
        0xE00FF000: Component(_ROM_TABLE, 0x4000BB471, (SCS, DWT, FPB)),
        0xF0000000: Component(_ROM_TABLE, 0x2000C4001, (0xE00FF000,)),
    },
    comparators=Comparators(breakpoints=4, watchpoints=2, fpb_revision=0),
)


def parts_of(machine: str) -> DebugParts:
    """The parts of a QEMU machine: a Cortex-M3's unless it is known to have others."""
    return NRF51 if machine == "microbit" else CORTEX_M3
