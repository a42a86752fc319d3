# SPDX-License-Identifier: MIT
"""The bootloader's judge, compiled for this machine with sanitizers, on images that imgtool signed.

Its verdict on every image, good, bad or changed at random, is that of the rig's own reading, which was
written apart from it.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

from rig.image.bad_images import bad_images
from rig.image.mcuboot import verdict
from tests.firmware.host_build import host_program, run
from tests.image.signed_images import COUNTER, SLOT, place, public, recipe
from tests.seeds import SEED

pytestmark = pytest.mark.slow

EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
INPUTS = 10_000_000 if EVIDENCE else 200_000
CHANGED = 20_000 if EVIDENCE else 2_000
SMALL = 4096
MADE = recipe(size=700, most=SMALL)
KEY = public(MADE)


@pytest.fixture(scope="module")
def boot_host() -> Path:
    """The judge, built."""
    return host_program("boot_host")


def _policy(floor: int = COUNTER, board: str = "mps2") -> list[str]:
    return [hex(SLOT), str(SMALL), str(floor), board, KEY.point.hex()]


def _framed(images: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(image)) + image for image in images)


def _judged(program: Path, images: list[bytes], *policy: str) -> list[list[str]]:
    words = run(program, "judge", *(policy or _policy()), data=_framed(images))
    return [line.split() for line in words.splitlines()]


def test_image_that_imgtool_signed_is_good(boot_host: Path) -> None:
    good = MADE.good
    assert _judged(boot_host, [good]) == [["good", "0.9.0", str(COUNTER), str(len(good))]]
    assert _judged(boot_host, [MADE.signed(version="1.2.3+4")])[0][1] == "1.2.3+4"


def test_every_bad_image_has_its_verdict(boot_host: Path) -> None:
    faults = list(bad_images())
    words = _judged(boot_host, [bad.make(MADE) for bad in faults])
    assert {bad.name: word[0] for bad, word in zip(faults, words, strict=True)} == {
        bad.name: bad.verdict for bad in faults
    }


@pytest.mark.parametrize(("floor", "word"), [(0, "good"), (COUNTER, "good"), (COUNTER + 1, "counter")])
def test_floor_of_the_counter(boot_host: Path, floor: int, word: str) -> None:
    assert _judged(boot_host, [MADE.good], *_policy(floor))[0][0] == word


def test_board_of_another_type_refuses_it(boot_host: Path) -> None:
    assert _judged(boot_host, [MADE.good], *_policy(board="mps2-m4"))[0][0] == "board"


def _changed(rng: random.Random, base: bytes) -> bytes:
    data = bytearray(base)
    for _ in range(rng.randrange(1, 4)):
        if not data:
            break
        spot = rng.choice(
            (rng.randrange(len(data)), rng.randrange(min(32, len(data))), -rng.randrange(1, 200))
        )
        data[max(spot, -len(data))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
    if rng.random() < 0.3:
        del data[rng.randrange(len(data) + 1) :]
    return bytes(data)


def test_both_judges_say_the_same_of_changed_images(boot_host: Path) -> None:
    rng = random.Random(SEED)
    bases = [*(bad.make(MADE) for bad in bad_images()), MADE.good]
    images = [_changed(rng, rng.choice(bases)) for _ in range(CHANGED)]
    words = [line[0] for line in _judged(boot_host, images)]
    assert words == [verdict(image, KEY, place(most=SMALL))[0] for image in images], SEED
    assert len(set(words)) > 8  # they were of many kinds


def test_no_input_upsets_it_or_passes(boot_host: Path) -> None:
    # One whose flipped bit is flipped back would be good, and signed anew it is not among the others.
    bases = [bad.make(MADE) for bad in bad_images() if not bad.name.endswith(("_slot", "_bitflip"))]
    command = [boot_host, "fuzz", *_policy(), str(SEED), str(INPUTS)]
    done = subprocess.run(
        [str(word) for word in command],
        input=_framed([MADE.good, *bases]),
        capture_output=True,
        timeout=3600,
        check=False,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, f"seed {SEED}: {said}{done.stderr.decode()}"
    seen = {word: int(count) for word, count in map(str.split, said.splitlines())}
    assert sum(seen.values()) == INPUTS
    assert min(seen[word] for word in ("tlv", "size", "hash", "magic", "header")) > 0
