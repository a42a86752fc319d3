# SPDX-License-Identifier: MIT
"""A key and small images of a test: a payload with vectors, signed for slot A of the mps2 boards."""

from __future__ import annotations

import random
import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from rig.image.bad_images import Recipe
from rig.image.mcuboot import Place
from rig.image.signing import Marks
from rig.image.signing_key import PublicKey, public_of

SLOT, OTHER, MOST = 0x21100000, 0x21180000, 0x7F000
RAM = range(0x20000000, 0x20400000)
COUNTER = 7


def place(floor: int = COUNTER, most: int = MOST) -> Place:
    """Slot A, for the board of these images."""
    return Place(SLOT, most, 0x200, RAM, "mps2", floor)


def recipe(size: int = 1500, key: Any | None = None, most: int = MOST) -> Recipe:
    """What images of these tests are made of."""
    body = random.Random(size).randbytes(size - 8)
    payload = struct.pack("<II", RAM.start + 0x1000, SLOT + 0x200 + 0x41) + body
    marks = Marks("0.9.0", "mps2", COUNTER, SLOT)
    return Recipe(payload, marks, key or generate_private_key(SECP256R1()), most, OTHER)


def public(made: Recipe) -> PublicKey:
    """The key by which they are checked."""
    return public_of(made.key.public_key())
