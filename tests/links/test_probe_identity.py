# SPDX-License-Identifier: MIT
"""The serial number that a probe reads: text of a factory page, or the bytes of a chip's unique id."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rig.bench.inventory import (
    Board,
    ConsoleFacts,
    Identity,
    MemoryRange,
    PowerFacts,
    ProbeFacts,
    SerialPlace,
)
from rig.events import RunClock, discard
from rig.links.probe import PyocdProbe

CPUID, PLACE = 0xE000ED00, 0x1FFF7A10
UNIQUE = bytes.fromhex("2D0048001851383431363732")


def _board() -> Board:
    return Board(
        name="alpha",
        at="devices.yaml:2",
        core_hz=168_000_000,
        flash=(MemoryRange("main", 0x08000000, 0x100000),),
        ram=(MemoryRange("sram", 0x20000000, 0x20000),),
        identity=Identity(0x410FC241, serial=SerialPlace(PLACE, len(UNIQUE))),
        probe=ProbeFacts("stlink", "066DFF485550755187121723", "stm32f405rgtx"),
        console=ConsoleFacts("/dev/ttyACM0", 115200),
        power=PowerFacts("none"),
    )


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"EMU-1A2B3C4D", "EMU-1A2B3C4D"),
        (b"QB-000017\0\xff\xff", "QB-000017"),
        (UNIQUE, "2D0048001851383431363732"),
        (b"\0" + UNIQUE[1:], "000048001851383431363732"),
        (b"\xff" * 12, ""),
        (b"\0" * 12, ""),
    ],
)
def test_a_serial_number_is_text_or_hex_or_blank(raw: bytes, shown: str) -> None:
    memory = {CPUID: (0x410FC241).to_bytes(4, "little"), PLACE: raw}
    target = SimpleNamespace(read_memory_block8=lambda address, _length: list(memory[address]))
    probe = PyocdProbe(_board(), SimpleNamespace(target=target), clock=RunClock(), sink=discard, wear=None)
    assert probe.identify()["serial"] == shown
