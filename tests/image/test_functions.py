# SPDX-License-Identifier: MIT
"""Functions by address: sizes that are missing, names that are there twice, what instructions do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rig.errors import ImageFault
from rig.image.functions import Functions, operation
from tests.image.conftest import compile_elf

SOURCE = """
void Reset_Handler(void);
int other(int);
__attribute__((section(".vectors"), used)) void (*const vectors[2])(void) = {0, Reset_Handler};
static __attribute__((noinline, used)) int helper(int x) { return x + 1; }
__asm(".thumb_func\\n.type bare, %function\\nbare: nop\\n nop\\n bx lr");
void Reset_Handler(void) { for (;;) { helper(other(1)); } }
"""
OTHER = """
static __attribute__((noinline, used)) int helper(int x) { return x * 7; }
int other(int x) { return helper(x); }
"""


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    (tmp_path / "other.c").write_text(OTHER)
    return compile_elf(tmp_path, SOURCE, "other.c")


def test_each_instruction_has_its_function(elf: Path) -> None:
    functions = Functions.of(elf)
    reset = functions.named("Reset_Handler")
    for address in (reset.address, reset.address | 1, reset.end - 2):
        assert functions.at(address) == reset
    assert functions.at(0x20000000) is None


def test_a_name_that_is_there_twice_says_its_file(elf: Path) -> None:
    functions = Functions.of(elf)
    one, other = functions.named("helper@app.c"), functions.named("helper@other.c")
    assert one.address != other.address
    with pytest.raises(ImageFault, match="no function 'helper'"):
        functions.named("helper")


def test_assembly_without_a_size_ends_where_the_next_begins(elf: Path) -> None:
    functions = Functions.of(elf)
    bare = functions.named("bare")
    assert bare.end >= bare.address + 6
    assert functions.at(bare.address + 4) == bare


def test_code_has_the_length_of_its_instruction(elf: Path) -> None:
    functions = Functions.of(elf)
    bare, reset = functions.named("bare"), functions.named("Reset_Handler")
    assert functions.code(bare.address).hex() == "00bf"
    lengths, address = set(), reset.address
    while address < reset.end:
        code = functions.code(address)
        lengths.add(len(code))
        address += len(code)
    assert (lengths, address) == ({2, 4}, reset.end)
    assert functions.code(0x20000000) == b""


def test_a_stripped_elf_is_refused(elf: Path) -> None:
    subprocess.run(["arm-none-eabi-strip", str(elf)], check=True)
    with pytest.raises(ImageFault, match=r"no symbols of functions.*stripped"):
        Functions.of(elf)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fff7fbff", "00f010f8", True),  # BL, two distances
        ("00f010f8", "00f010b8", False),  # BL and B.W
        ("044a", "074a", True),  # LDR r2 literal
        ("044a", "044b", False),  # LDR r2, r3
        ("04d0", "f8d0", True),  # BEQ
        ("04d0", "04d1", False),  # BEQ, BNE
        ("04df", "05df", False),  # SVC 4, 5: no branch
        ("04e0", "fee7", True),  # B
        ("0ab1", "12b1", True),  # CBZ r2
        ("0ab1", "0ab9", False),  # CBZ, CBNZ
        ("00bf", "30bf", False),  # NOP, WFI
        ("bff34f8f", "bff36f8f", False),  # DSB, ISB
        ("00f01080", "00f01480", True),  # BEQ.W
        ("00f01080", "40f01080", False),  # BEQ.W, BNE.W
        ("eff31183", "eff31083", False),  # MRS r3 of BASEPRI, of PRIMASK
    ],
)
def test_operations_are_the_same_but_for_distances(one: str, other: str, same: bool) -> None:
    assert (operation(bytes.fromhex(one)) == operation(bytes.fromhex(other))) is same
