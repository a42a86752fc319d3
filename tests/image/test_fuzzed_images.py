# SPDX-License-Identifier: MIT
"""Damaged images before the rig's own reader: good as it was signed, or one of the bootloader's verdicts."""

from __future__ import annotations

import pytest

from rig.image.bad_images import bad_images
from rig.image.mcuboot import Refused, check_use, read_signed, verdict
from tests.damage import INPUTS, refusals, try_damaged
from tests.image.signed_images import place, public, recipe

pytestmark = pytest.mark.slow

SMALL = 4096
MADE = recipe(size=120, most=SMALL)
STRUCTURE = {"size", "empty", "magic", "header", "tlv"}
ORIGIN = {"algorithm", "hash_missing", "hash", "unsigned", "key", "signature"}
USE = {"header", "counter_missing", "counter", "board", "address", "vectors"}
CORPUS = [MADE.good, *(bad.make(MADE)[: SMALL // 2] for bad in bad_images())]


def test_no_damage_upsets_the_reader() -> None:
    """Structure, and whether it may be used, as if every hash held."""

    def read(data: bytes) -> None:
        image = read_signed(data, SMALL)
        assert image.header_size + image.payload_size <= image.hashed_size < image.total <= len(data)
        assert all(tlv.offset + len(tlv.value) <= image.total for tlv in image.tlvs)
        check_use(image, place(most=SMALL))

    told = try_damaged(CORPUS, lambda data: refusals(Refused, lambda: read(data), "verdict"))
    assert told == {"good", *STRUCTURE, *USE}


def test_no_damage_is_good_but_behind_the_end() -> None:
    """With hash and signature."""
    key, good = public(MADE), MADE.good

    def check(data: bytes) -> str:
        word, _, _ = verdict(data, key, place(most=SMALL))
        assert (word == "good") is data.startswith(good)
        return word

    told = try_damaged([good], check, INPUTS // 10)
    assert told <= {"good", *STRUCTURE, *ORIGIN}
    assert {"hash", "key", "signature"} < told
