# SPDX-License-Identifier: MIT
"""Static memory: the sums are those of ``arm-none-eabi-size``, and every byte has one owner."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.errors import ImageFault
from rig.image.memory import MemoryReport, memory_report

PROJECT = Path(__file__).parents[2]
FIRMWARE = PROJECT / "build" / "firmware" / "mps2" / "app.elf"


@dataclass(frozen=True)
class Memory:
    name: str
    start: int
    size: int


FLASH = Memory("flash", 0, 0x400000)
RAM = Memory("ram", 0x20000000, 0x400000)
BOARD_FLASH = Memory("flash", 0x21000000, 0x1000000)


def assert_sums(elf: Path, report: MemoryReport) -> None:
    printed = subprocess.run(["arm-none-eabi-size", elf], check=True, capture_output=True, text=True).stdout
    assert [report.total(role) for role in ("text", "data", "bss")] == [
        int(word) for word in printed.splitlines()[1].split()[:3]
    ]
    for section in report.sections:
        owned = sum(symbol.size for symbol in report.symbols if symbol.section == section.name)
        assert owned + section.unattributed == section.size
    kept_twice = sum(s.size for s in report.sections if s.load_region not in (None, s.region))
    assert sum(r.used for r in report.regions) == sum(s.size for s in report.sections) + kept_twice
    assert all(region.padding >= 0 and region.free >= 0 for region in report.regions)


def test_sums_of_a_small_elf(tiny_elf: Path) -> None:
    report = memory_report(tiny_elf, [FLASH, RAM])
    assert_sums(tiny_elf, report)
    sections = {section.name: section for section in report.sections}
    assert (sections[".data"].region, sections[".data"].load_region, sections[".data"].size) == (
        "ram",
        "flash",
        4,
    )
    assert (sections[".bss"].load_region, sections[".noinit"].load_region) == (None, None)
    flash = report.regions[0]
    assert flash.used == sum(sections[name].size for name in (".text", ".data", ".apart"))


def test_symbols_have_their_bytes_and_aliases(tiny_elf: Path) -> None:
    symbols = {symbol.name: symbol for symbol in memory_report(tiny_elf, [FLASH, RAM]).symbols}
    assert (symbols["buffer"].size, symbols["kept"].size, symbols["counter"].size) == (100, 16, 4)
    assert symbols["again"].aliases == ("twice",)
    assert "twice" not in symbols


def test_sums_of_a_kernel(kernel_elf: Path) -> None:
    report = memory_report(kernel_elf, [FLASH, RAM])
    assert_sums(kernel_elf, report)
    assert report.symbols[0].name == "ucHeap"


@pytest.mark.slow
def test_sums_of_the_firmware() -> None:
    if not FIRMWARE.is_file():
        pytest.skip("the firmware is not built")
    assert_sums(FIRMWARE, memory_report(FIRMWARE, [BOARD_FLASH, RAM]))


def test_a_section_in_no_region_is_named(tiny_elf: Path) -> None:
    with pytest.raises(ImageFault, match=r"section \.noinit 0x20000000\.\.0x2000000F is in no memory region"):
        memory_report(tiny_elf, [FLASH])
