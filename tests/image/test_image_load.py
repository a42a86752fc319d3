# SPDX-License-Identifier: MIT
"""Reading images: the same bytes as objcopy from each format, and a clear fault for each wrong file."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.errors import ImageFault
from rig.image.image import Image, Segment, check_image, load_image


@dataclass(frozen=True)
class Memory:
    name: str
    start: int
    size: int


FLASH = [Memory("flash", 0, 0x400000)]
RAM = [Memory("ram", 0x20000000, 0x400000)]


def objcopy(elf: Path, form: str, target: Path) -> Path:
    fill = ["--gap-fill", "0xff"] if form == "binary" else []
    subprocess.run(["arm-none-eabi-objcopy", "-O", form, *fill, elf, target], check=True)
    return target


def hex_line(text: str) -> str:
    return f":{text}{-sum(bytes.fromhex(text)) & 0xFF:02X}\n"


END = ":00000001FF\n"


def test_elf_hex_and_bin_are_the_same_image(tiny_elf: Path, tmp_path: Path) -> None:
    binary = objcopy(tiny_elf, "binary", tmp_path / "app.bin")
    from_elf = load_image(tiny_elf)
    from_hex = load_image(objcopy(tiny_elf, "ihex", tmp_path / "app.hex"))
    from_bin = load_image(binary, base=0)
    assert from_elf.flat == from_hex.flat == from_bin.flat == binary.read_bytes()
    assert from_elf.segments == from_hex.segments
    assert [image.kind for image in (from_elf, from_hex, from_bin)] == ["elf", "hex", "bin"]
    assert from_elf.sha256 == from_hex.sha256 == hashlib.sha256(binary.read_bytes()).hexdigest()
    assert from_elf.entry == from_hex.entry
    assert from_bin.entry is None


def test_gaps_between_segments_are_filled_with_ff(tiny_elf: Path) -> None:
    image = load_image(tiny_elf)
    first, last = image.segments
    assert (image.start, last.address, image.end) == (0, 0x1000, 0x100C)
    assert set(image.flat[first.end : 0x1000]) == {0xFF}


def test_an_elf_without_section_headers_is_read_by_segments(tiny_elf: Path, tmp_path: Path) -> None:
    data = bytearray(tiny_elf.read_bytes())
    struct.pack_into("<I", data, 32, 0)  # e_shoff
    struct.pack_into("<H", data, 48, 0)  # e_shnum
    stripped = tmp_path / "stripped.elf"
    stripped.write_bytes(data)
    assert load_image(stripped).flat.startswith(load_image(tiny_elf).flat[:64])


def test_an_image_of_the_board_passes_the_check(tiny_elf: Path, kernel_elf: Path) -> None:
    check_image(load_image(tiny_elf), FLASH, RAM)
    check_image(load_image(kernel_elf), FLASH, RAM)


def test_the_check_lists_every_segment_outside_flash(tiny_elf: Path) -> None:
    with pytest.raises(ImageFault) as caught:
        check_image(load_image(tiny_elf), [Memory("bank1", 0x8000000, 0x1000)], RAM)
    text = str(caught.value)
    assert text.count("is outside the board's flash (bank1 0x08000000..0x08000FFF)") == 2
    assert "0x00001000..0x0000100B (12 bytes)" in text


def test_a_segment_across_the_end_of_flash_is_outside(tiny_elf: Path) -> None:
    with pytest.raises(ImageFault, match="0x00001000"):
        check_image(load_image(tiny_elf), [Memory("flash", 0, 0x1008)], RAM)


@pytest.mark.parametrize(
    ("stack", "reset", "fault"),
    [
        (0x20400004, 0x9, r"initial stack pointer 0x20400004 is not in the board's RAM"),
        (0x20000000, 0x9, r"initial stack pointer 0x20000000"),
        (0x20000102, 0x9, r"initial stack pointer 0x20000102"),
        (0x20400000, 0x8, r"reset vector 0x00000008 is even"),
        (0x20400000, 0x201, r"reset vector 0x00000201 is outside the image"),
        (0xFFFFFFFF, 0xFFFFFFFF, r"stack pointer 0xFFFFFFFF.*reset vector 0xFFFFFFFF is outside"),
    ],
)
def test_a_wrong_vector_table_is_found(tmp_path: Path, stack: int, reset: int, fault: str) -> None:
    path = tmp_path / "app.bin"
    path.write_bytes(struct.pack("<II", stack, reset) + bytes(8))
    with pytest.raises(ImageFault, match=fault):
        check_image(load_image(path, base=0), FLASH, RAM)


def test_less_than_a_vector_table_is_found() -> None:
    image = Image(Path("x.bin"), "bin", (Segment(0, b"1234"),), None)
    with pytest.raises(ImageFault, match="no vector table: the first segment has 4 bytes"):
        check_image(image, FLASH, RAM)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("empty.elf", b"", "the file is empty"),
        ("empty.hex", b"", "the file is empty"),
        ("text.elf", b"hello", "not an ELF file: it begins with 68 65 6c 6c"),
        ("short.elf", b"\x7fELF\x01\x01", r"truncated: 46 bytes are missing \(the file has 6"),
        ("cut.hex", hex_line("0400000001020304").encode(), "truncated: line 1 is the last"),
        ("sum.hex", f":0400000001020304FF\n{END}".encode(), "Record at line 1 has invalid checksum"),
        ("length.hex", f"{hex_line('04000000AA')}{END}".encode(), "line 1 has invalid length"),
        ("text.hex", f"hello\n{END}".encode(), "invalid record at line 1"),
        ("binary.hex", b"\xff\x00\n" + END.encode(), "invalid record at line 1"),
        ("nothing.hex", END.encode(), "the HEX file holds no data"),
        ("twice.hex", f"{hex_line('0100000001') * 2}{END}".encode(), "overlap at address 0x0 on line 2"),
        ("raw.bin", b"1234", "a raw binary does not say its address"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageFault, match=fault) as caught:
        load_image(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageFault, match="No such file"):
        load_image(tmp_path / "missing.elf")
    with pytest.raises(ImageFault, match="Is a directory"):
        load_image(tmp_path)


@pytest.mark.parametrize("missing", [1, 100, 2000])
def test_a_truncated_elf_names_the_missing_bytes(tiny_elf: Path, tmp_path: Path, missing: int) -> None:
    path = tmp_path / "cut.elf"
    path.write_bytes(tiny_elf.read_bytes()[:-missing])
    with pytest.raises(ImageFault, match=f"truncated: {missing} bytes are missing"):
        load_image(path)


@pytest.mark.parametrize(
    ("at", "value", "seen"),
    [
        (4, b"\x02", "64-bit little-endian, machine 40"),
        (5, b"\x02", "32-bit big-endian"),
        (18, b"\xf3", "32-bit little-endian, machine 243"),
    ],
)
def test_an_elf_of_another_chip_is_refused(
    tiny_elf: Path, tmp_path: Path, at: int, value: bytes, seen: str
) -> None:
    data = tiny_elf.read_bytes()
    path = tmp_path / "other.elf"
    path.write_bytes(data[:at] + value + data[at + 1 :])
    with pytest.raises(ImageFault, match=f"image for another chip: {seen}"):
        load_image(path)


def test_a_base_does_not_move_a_file_that_has_addresses(tiny_elf: Path) -> None:
    assert load_image(tiny_elf, base=0x8000000).segments == load_image(tiny_elf).segments


def test_an_image_as_wide_as_the_address_space_is_no_binary(tmp_path: Path) -> None:
    path = tmp_path / "wide.hex"
    path.write_text(hex_line("0100000001") + hex_line("020000042000") + hex_line("0100000001") + END)
    with pytest.raises(ImageFault, match="more than an image"):
        _ = load_image(path).sha256


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damage_does_more_than_a_fault(
    tiny_elf: Path, tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(tiny_elf.read_bytes())
    for place, value in changes:
        # Half of the changes hit the headers at the beginning, where they matter most.
        data[place % 200 if place % 2 else place % len(data)] = value
    path = tmp_path / "damaged.elf"
    path.write_bytes(data)
    try:
        check_image(load_image(path), FLASH, RAM)
    except ImageFault:
        return
