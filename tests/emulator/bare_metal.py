# SPDX-License-Identifier: MIT
"""A bare-metal image for the emulated board, its addresses, and a pyOCD session with its board."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

COUNTER, MAILBOX, WATCHED, TICKS = 0x20000100, 0x20000104, 0x20000108, 0x2000010C
FAULT, RESTART, STORE, LOAD, SLEEP, TICK, UNPRIVILEGED, IT_BLOCK = range(1, 9)
STACK_TOP = 0x20010000
BANNER = b"hello from the boot ROM\r\n"
UNMAPPED = 0x90000000

OPTIONS: Mapping[str, object] = {
    "no_config": True,
    "connect_mode": "attach",
    "vector_catch": "",
    "hide_programming_progress": True,
    "reset.post_delay": 0.0,
    "reset.hold_time": 0.01,
}


def assemble(folder: Path) -> Path:
    """Assembles ``bare.S``, vectors at address 0; returns the ELF."""
    elf = folder / "bare.elf"
    source = Path(__file__).with_name("bare.S")
    command = ["arm-none-eabi-gcc", "-nostdlib", "-Wl,-Ttext=0,-e,start", "-o", str(elf), str(source)]
    subprocess.run(command, check=True)
    return elf


def symbols(elf: Path) -> dict[str, int]:
    """Addresses of its labels."""
    listing = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True)
    return {name: int(value, 16) for value, _, name in map(str.split, listing.stdout.splitlines())}


@contextlib.contextmanager
def debugger(probe_id: str, **options: object) -> Iterator[Any]:
    """A pyOCD session of this process with the board; yields the target."""
    import pyocd  # noqa: F401  first: plug-ins load with the package
    from pyocd.core.session import Session
    from pyocd.probe.aggregator import DebugProbeAggregator

    probe = DebugProbeAggregator.get_probe_with_id(f"qemu:{probe_id}")
    assert probe is not None
    with Session(probe, options={**OPTIONS, **options}) as session:
        yield session.target


def start_again(target: Any) -> None:
    """Resets the board and lets it run with nothing left of what an earlier test did in RAM."""
    target.reset_and_halt()
    target.write_memory_block32(COUNTER, [0] * 4)
    target.resume()
