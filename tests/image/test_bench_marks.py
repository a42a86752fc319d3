# SPDX-License-Identifier: MIT
"""The marks of an image: read from its section, and refused where they are none or damaged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rig.errors import ImageFault
from rig.image.bench_marks import Mark, MarkKind, packed, read_marks
from tests.image.conftest import compile_elf

MARKED = """
void Reset_Handler(void);
__attribute__((section(".vectors"), used)) void (*const vectors[2])(void) = {0, Reset_Handler};
void Reset_Handler(void)
{
    __asm volatile("1: nop\\n.pushsection .bench_marks,\\"\\",%progbits\\n.word 1b, 1\\n.popsection");
    __asm volatile("2: nop\\n.pushsection .bench_marks,\\"\\",%progbits\\n.word 2b, 2, 0, 2\\n.popsection");
    __asm volatile("3: nop\\n.pushsection .bench_marks,\\"\\",%progbits\\n.word 3b, 4\\n.popsection");
}
"""


def _with_section(tmp_path: Path, data: bytes) -> Path:
    elf = compile_elf(tmp_path, MARKED)
    (tmp_path / "marks").write_bytes(data)
    update = ["arm-none-eabi-objcopy", "--update-section", ".bench_marks=marks", "app.elf", "other.elf"]
    subprocess.run(update, cwd=tmp_path, check=True, capture_output=True)
    return elf.with_name("other.elf")


def test_marks_are_read_and_those_of_dropped_code_left_out(tmp_path: Path) -> None:
    marks = read_marks(compile_elf(tmp_path, MARKED))
    assert [mark.kind for mark in marks] == [MarkKind.BEGAN, MarkKind.ENDS, MarkKind.KEPT]
    first = marks[0].address
    assert [mark.address - first for mark in marks] == [0, 2, 4]


def test_marks_are_packed_as_the_section_has_them() -> None:
    assert packed((Mark(0x21000100, MarkKind.ENDED),)) == bytes.fromhex("0001002103000000")


def test_an_image_without_marks_is_refused(tiny_elf: Path) -> None:
    with pytest.raises(ImageFault, match=r"no benchmark marks: expected a section \.bench_marks"):
        read_marks(tiny_elf)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bytes.fromhex("0001002101000000"), "found 1 marks"),
        (bytes.fromhex("0001002109000000"), "damaged: 9 is not a valid"),
        (bytes.fromhex("00010021010000"), "damaged: .*8 bytes"),
    ],
)
def test_a_damaged_section_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(ImageFault, match=said):
        read_marks(_with_section(tmp_path, data))
