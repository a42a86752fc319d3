# SPDX-License-Identifier: MIT
"""Crash records: addresses become functions and lines, status bits become words, and nothing ever raises."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.image.addresses import CodeMap
from rig.image.crash import decode_crash

FIELDS = ("cause", "pc", "lr", "psr", "sp", "task", "cfsr", "hfsr", "mmfar", "bfar", "boot")


def address_of(elf: Path, name: str) -> int:
    listed = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout
    found = re.search(rf"^(\w+) \w {name}$", listed, re.MULTILINE)
    assert found
    return int(found[1], 16) & ~1


@pytest.fixture(scope="module")
def code(tiny_elf: Path) -> CodeMap:
    return CodeMap.of(tiny_elf)


def stripped(elf: Path, option: str, folder: Path) -> Path:
    target = folder / "stripped.elf"
    subprocess.run(["arm-none-eabi-objcopy", option, elf, target], check=True)
    return target


def test_lines_are_those_of_addr2line(tiny_elf: Path, kernel_elf: Path) -> None:
    for elf, functions in (
        (tiny_elf, ["twice", "Reset_Handler"]),
        (kernel_elf, ["vTaskDelay", "main", "churn"]),
    ):
        code = CodeMap.of(elf)
        addresses = [address_of(elf, name) + step for name in functions for step in (0, 4, 10)]
        tool = ["arm-none-eabi-addr2line", "-e", str(elf), *map(hex, addresses)]
        printed = subprocess.run(tool, check=True, capture_output=True, text=True).stdout.splitlines()
        expected = [tuple(re.sub(r" \(disc.*", "", line).split("/")[-1].split(":")) for line in printed]
        places = [code.place(address) for address in addresses]
        assert [((place.file or "?").split("/")[-1], str(place.line)) for place in places] == expected


def test_files_below_the_project_are_relative_to_it(tiny_elf: Path) -> None:
    place = CodeMap.of(tiny_elf, tiny_elf.parent).place(address_of(tiny_elf, "twice"))
    assert place.file == "app.c"
    shown = CodeMap.of(tiny_elf).place(address_of(tiny_elf, "twice")).file
    assert shown is not None
    assert not shown.startswith("/")
    assert shown.endswith("/app.c")


def test_a_precise_bus_error_is_one_paragraph(tiny_elf: Path, code: CodeMap) -> None:
    pc = address_of(tiny_elf, "twice") + 4
    call = address_of(tiny_elf, "Reset_Handler")
    report = decode_crash(
        {
            "cause": "hardfault",
            "pc": f"{pc:08x}",
            "lr": f"0x{call + 15:08X}",
            "psr": "21000000",
            "sp": "2000ffd0",
            "task": "bench",
            "cfsr": "00008200",
            "hfsr": "40000000",
            "mmfar": "00000000",
            "bfar": "50000000",
            "boot": "3",
        },
        code,
    )
    assert report.text.startswith("Hard fault in task 'bench', boot 3, at twice+0x4 (")
    assert ", called from Reset_Handler+0xC (" in report.text
    assert "bus error on a data access (PRECISERR). escalated from a lesser fault (FORCED)" in report.text
    assert "address of the access 0x50000000" in report.text
    assert "sp 0x2000FFD0, psr 0x21000000" in report.text
    assert (report.boot, report.fault_address) == (3, 0x50000000)
    assert "\n" not in report.text


def test_a_return_address_is_looked_up_before_it(tiny_elf: Path, code: CodeMap) -> None:
    start = address_of(tiny_elf, "Reset_Handler")
    assert code.call_place(start | 1).function != "Reset_Handler"
    assert code.call_place(start + 4 | 1).function == "Reset_Handler"


def test_an_exception_return_is_no_caller(code: CodeMap) -> None:
    assert decode_crash({"cause": "assert", "lr": "fffffffd"}, code).caller is None


def test_fault_addresses_count_only_when_valid(code: CodeMap) -> None:
    fields = {"cause": "hardfault", "mmfar": "11", "bfar": "22"}
    assert decode_crash({**fields, "cfsr": "82"}, code).fault_address == 0x11
    assert decode_crash({**fields, "cfsr": "8200"}, code).fault_address == 0x22
    assert decode_crash({**fields, "cfsr": "0202"}, code).fault_address is None


def test_without_debug_information_the_function_remains(tiny_elf: Path, tmp_path: Path) -> None:
    code = CodeMap.of(stripped(tiny_elf, "--strip-debug", tmp_path))
    pc = address_of(tiny_elf, "twice") + 2
    assert str(code.place(pc)) == f"twice+0x2 (0x{pc:08X})"


def test_without_symbols_the_address_remains(tiny_elf: Path, tmp_path: Path) -> None:
    code = CodeMap.of(stripped(tiny_elf, "--strip-all", tmp_path))
    assert str(code.place(0x1D)) == "0x0000001C"
    assert str(decode_crash({"pc": "1d"}, None).pc) == "0x0000001C"


def test_addresses_outside_of_the_code_stay_numbers(code: CodeMap) -> None:
    assert str(code.place(0xDEADBEEF)) == "0xDEADBEEE"
    assert str(code.place(0)) == "0x00000000"


def test_a_value_that_is_no_number_is_quoted(code: CodeMap) -> None:
    assert (
        decode_crash({"cause": "assert", "pc": "zz"}, code).text == "Failed assertion. pc='zz' is no number."
    )


@given(fields=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=12)))
def test_no_record_raises(fields: dict[str, str]) -> None:
    assert decode_crash(fields, None).text.endswith(".")
