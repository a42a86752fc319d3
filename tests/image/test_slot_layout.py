# SPDX-License-Identifier: MIT
"""The layout of slots as the bootloader's ELF says it, and trailers as they are written."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rig.errors import ImageFault
from rig.image.ladder import build_ota
from rig.image.slot_layout import TRAILER_MAGIC, SlotLayout, read_layout

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "firmware"
LAYOUT = SlotLayout(0x1000, 0x9000, 0x8000, 0x200, 0x1000, 0, 0, 0, 0, 0x20000000, 0x1000)


def test_elf_of_another_program_has_none() -> None:
    with pytest.raises(ImageFault, match="no g_flash_layout: expected the bootloader"):
        read_layout(BUILDS / "mps2" / "app.elf")


@pytest.mark.slow  # it builds the ladder, where that was not built yet
def test_bootloader_says_what_the_header_says() -> None:
    layout = build_ota("mps2", project_root=ROOT, environ=os.environ, say=print).layout
    said = dict(
        re.findall(r"#define OTA_(\w+)\s+(0x\w+)", (ROOT / "firmware/ota/flash_layout.h").read_text())
    )
    assert layout.slot_a == int(said["SLOT_A_AT"], 16)
    assert layout.slot_b == int(said["SLOT_B_AT"], 16)
    assert (layout.slot_size, layout.ram_size) == (int(said["SLOT_BYTES"], 16), int(said["RAM_BYTES"], 16))


@pytest.mark.parametrize(
    ("state", "copy_done", "image_ok", "magic"),
    [
        ("none", 0xFF, 0xFF, b"\xff" * 16),
        ("test", 0xFF, 0xFF, TRAILER_MAGIC),
        ("tried", 0x01, 0xFF, TRAILER_MAGIC),
        ("confirmed", 0x01, 0x01, TRAILER_MAGIC),
    ],
)
def test_marks_of_a_trailer(state: str, copy_done: int, image_ok: int, magic: bytes) -> None:
    slot = LAYOUT.filled(b"image", state)  # type: ignore[arg-type]
    assert len(slot) == LAYOUT.slot_size
    assert (slot[-32], slot[-24], slot[-16:]) == (copy_done, image_ok, magic)
    assert slot.startswith(b"image\xff")


def test_image_that_is_too_long_leaves_the_trailer_alone() -> None:
    slot = LAYOUT.filled(b"x" * LAYOUT.slot_size, "test")
    assert slot[-LAYOUT.sector_size :] == LAYOUT.trailer("test")
