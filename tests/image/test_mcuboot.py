# SPDX-License-Identifier: MIT
"""Signed images: what imgtool made is read and judged, every bad image has its verdict, no bytes upset it."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rig.errors import ImageFault, UsageFault
from rig.image.bad_images import BadImage, bad_images
from rig.image.mcuboot import Refused, read_signed, verdict
from rig.image.signing import Marks, sign
from tests.image.signed_images import COUNTER, MOST, SLOT, place, public, recipe

SMALL = 4096
MADE = recipe(most=SMALL)
KEY = public(MADE)
GOOD = MADE.good


def test_what_was_signed_is_what_is_read() -> None:
    image = read_signed(GOOD)
    assert (image.version_text, image.counter, image.board) == ("0.9.0", COUNTER, "mps2")
    assert (image.load_address, image.header_size, image.total) == (SLOT, 0x200, len(GOOD))
    assert image.payload == MADE.payload
    assert [tlv.name for tlv in image.tlvs] == ["SEC_CNT", "BOARD", "SHA256", "KEYHASH", "ECDSA_SIG"]
    assert verdict(GOOD, KEY, place()) == ("good", "", image)


def test_imgtool_agrees_that_it_is_signed(tmp_path: Path) -> None:
    from imgtool.image import Image, VerifyResult
    from imgtool.keys import ECDSA256P1

    (tmp_path / "image.bin").write_bytes(GOOD)
    with contextlib.redirect_stdout(io.StringIO()):
        result = Image.verify(str(tmp_path / "image.bin"), ECDSA256P1(MADE.key))[0]
    assert result == VerifyResult.OK


@pytest.mark.parametrize("bad", bad_images(), ids=lambda bad: bad.name)
def test_bad_image_has_its_verdict(bad: BadImage) -> None:
    data = bad.make(MADE)
    word, why, _ = verdict(data, KEY, place(most=SMALL))
    assert word == bad.verdict
    assert bool(why) is (word != "good")


def test_every_flipped_bit_of_a_signed_image_is_seen() -> None:
    image = read_signed(GOOD)
    places = [*range(40), *range(image.hashed_size - 60, image.total), *range(600, image.hashed_size, 97)]
    for at in places:
        for bit in range(8):
            changed = bytearray(GOOD)
            changed[at] ^= 1 << bit
            assert verdict(bytes(changed), KEY, place())[0] != "good", (at, bit)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_change_of_bytes_or_length_is_good_or_upsets_it(data: st.DataObject) -> None:
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(GOOD) - 1) | st.integers(0, 31) | st.integers(-200, -1))
        changed[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(GOOD)))
    taken = bytes(changed[: len(GOOD) - cut])
    word, _, image = verdict(taken, KEY, place())
    assert (word == "good") is taken.startswith(GOOD)
    assert image is None or image.total <= len(taken)


@given(st.binary(max_size=300))
@example(struct.pack("<IIHHII", 0x96F3B83D, 0, 32, 0, 0xFFFFFFFF, 0) + bytes(20))
@example(struct.pack("<IIHHII", 0x96F3B83D, 0, 32, 0xFFFF, 1, 0) + bytes(20))
def test_no_bytes_are_an_image_by_chance(data: bytes) -> None:
    with pytest.raises(Refused):
        read_signed(data)


@pytest.mark.parametrize("version", ["1", "1.2", "1.2.x", "256.0.0", "1.2.70000", "1.2.3+", "-1.0.0"])
def test_version_that_no_header_holds_is_refused(version: str) -> None:
    with pytest.raises(UsageFault, match=r"expected 1\.2\.3"):
        Marks(version, "mps2", 1, SLOT)


def test_image_longer_than_a_slot_is_not_signed() -> None:
    with pytest.raises(ImageFault, match="a slot holds 520192"):
        sign(bytes(MOST), Marks("1.0.0", "mps2", 1, SLOT), MADE.key, MOST)


def test_nothing_is_not_signed() -> None:
    with pytest.raises(ImageFault, match="zero bytes"):
        sign(b"", Marks("1.0.0", "mps2", 1, SLOT), MADE.key, MOST)
