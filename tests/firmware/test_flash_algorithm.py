# SPDX-License-Identifier: MIT
"""The flash algorithm of the mps2 boards is an FLM that pyOCD takes: sections, symbols, description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BUILD = Path(__file__).resolve().parents[2] / "build" / "firmware"
PAGE = 16 * 1024


@pytest.fixture(scope="module", params=["mps2/mps2_an385.flm", "mps2-m4/mps2_an386.flm"])
def flm(request: pytest.FixtureRequest) -> Path:
    path: Path = BUILD / request.param
    if not path.exists():
        pytest.skip(f"the firmware is not built: {request.param}")
    return path


@pytest.fixture(scope="module")
def algorithm(flm: Path) -> Any:
    import pyocd.core.session  # noqa: F401  (plug-ins load with it, before the parts below)
    from pyocd.target.pack.flash_algo import PackFlashAlgo

    with flm.open("rb") as file:
        return PackFlashAlgo(file)


def test_device_description(algorithm: Any) -> None:
    info = algorithm.flash_info
    assert (info.start, info.size, info.page_size) == (0x21000000, 0xFFF000, PAGE)
    assert (info.value_empty, info.sector_info_list) == (0xFF, [(0, 4096)])


def test_fits_a_ram_region_with_two_buffers(algorithm: Any) -> None:
    from pyocd.core.memory_map import RamRegion

    made = algorithm.get_pyocd_flash_algo(PAGE, RamRegion(start=0x20300000, length=0x100000))
    assert len(made["page_buffers"]) == 2
    end = made["load_address"] + 4 * len(made["instructions"])
    for entry in ("pc_init", "pc_unInit", "pc_eraseAll", "pc_erase_sector", "pc_program_page"):
        assert made["load_address"] < made[entry] < end


def test_code_is_position_independent(flm: Path) -> None:
    from elftools.elf.elffile import ELFFile

    with flm.open("rb") as file:
        elf = ELFFile(file)
        names = {section.name for section in elf.iter_sections()}
        symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
    assert {"PrgCode", "PrgData", "DevDscr"} <= names
    assert not [name for name in names if name.startswith((".rel", ".got", ".bss"))]
    assert not [s.name for s in symbols if s.name and s["st_shndx"] == "SHN_UNDEF"]
