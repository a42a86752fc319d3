# SPDX-License-Identifier: MIT
"""Images that a board must not run, or must run in spite of how they look: one of each fault.

Owns what is wrong with each and the bootloader's verdict on it. They are made from the payload of a good
image and from keys; which versions a ladder has is ``ladder.py``'s.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from rig.image.mcuboot import ECDSA, HEADER, SignedImage, read_signed
from rig.image.signing import Marks, sign

_BOOTS: Final = "good"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What bad images are made of: a payload that runs, its marks, the right key, and what a slot holds."""

    payload: bytes
    marks: Marks
    key: Any
    image_max: int
    other_slot: int

    def signed(self, payload: bytes | None = None, key: Any | None = None, **changed: Any) -> bytes:
        """The payload, or another one, signed with these marks, changed as said."""
        data = self.payload if payload is None else payload
        return sign(data, replace(self.marks, **changed), key or self.key, 1 << 30)

    @property
    def good(self) -> bytes:
        """The image that nothing is wrong with."""
        return self.signed()


@dataclass(frozen=True, slots=True)
class BadImage:
    """One fault: ``verdict`` is the bootloader's word on it where the floor of the counter is the marks'."""

    name: str
    verdict: str
    make: Callable[[Recipe], bytes]


def bad_images() -> list[BadImage]:
    """All of them, by the names of the fault list."""
    return [BadImage(name, verdict, make) for name, (verdict, make) in _FAULTS.items()]


def _flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def _in_signature(recipe: Recipe) -> bytes:
    image = read_signed(recipe.good)
    at = next(tlv.offset for tlv in image.tlvs if tlv.type == ECDSA)
    return _flipped(image.data, at + 20)  # within r, behind the heads of DER


def _in_lists(recipe: Recipe) -> bytes:
    image = read_signed(recipe.good)
    at = next(tlv.offset for tlv in image.tlvs if tlv.protected)
    return _flipped(image.data, at)


def _wrong_key(recipe: Recipe) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return recipe.signed(key=generate_private_key(SECP256R1()))


def _wrong_algorithm(recipe: Recipe) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return recipe.signed(key=Ed25519PrivateKey.generate())


def _unsigned(recipe: Recipe) -> bytes:
    return sign(recipe.payload, recipe.marks, None, 1 << 30)


def _filled(recipe: Recipe, extra: int) -> bytes:
    """Signed, with erased flash behind the payload: ``extra`` bytes more than a slot holds."""
    image, more = read_signed(recipe.good), 0
    for _ in range(4):  # a signature has one to three bytes more or less, from time to time
        more += recipe.image_max + extra - image.total
        image = read_signed(recipe.signed(recipe.payload + b"\xff" * more))
        if image.total == recipe.image_max + extra:
            break
    return _to_size(recipe, more, recipe.image_max + extra, image)


def _to_size(recipe: Recipe, more: int, wanted: int, image: SignedImage) -> bytes:
    for _ in range(200):
        if image.total == wanted:
            return image.data
        image = read_signed(recipe.signed(recipe.payload + b"\xff" * more))
    raise AssertionError(f"no signature makes {wanted} bytes")


def _not_runnable(recipe: Recipe) -> bytes:
    return recipe.signed(struct.pack("<II", 0, 0) + recipe.payload[8:])


def _lying_length(recipe: Recipe) -> bytes:
    out = bytearray(recipe.good)
    struct.pack_into("<I", out, _LENGTH_AT, _FAR)
    return bytes(out)


def _nothing(recipe: Recipe) -> bytes:
    del recipe
    return b""


def _no_counter(recipe: Recipe) -> bytes:
    return recipe.signed(counter=None)


def _lower_counter(recipe: Recipe) -> bytes:
    assert recipe.marks.counter
    return recipe.signed(counter=recipe.marks.counter - 1)


_LENGTH_AT: Final = struct.calcsize("<IIHH")
_FAR: Final = 0x0400_0000
"""A length that ends behind all flash and behind the bit-band alias above it, where nothing can be read."""
_VERSION_AT: Final = struct.calcsize("<IIHHII")
assert HEADER.size > _VERSION_AT

_FAULTS: Final[dict[str, tuple[str, Callable[[Recipe], bytes]]]] = {
    "unsigned": ("unsigned", _unsigned),
    "wrong_key": ("key", _wrong_key),
    "wrong_alg": ("algorithm", _wrong_algorithm),
    "sig_bitflip": ("signature", _in_signature),
    "body_bitflip": ("hash", lambda r: _flipped(r.good, r.marks.header_size + len(r.payload) // 2, 3)),
    "header_bitflip": ("hash", lambda r: _flipped(r.good, _VERSION_AT)),
    "header_length_lies": ("size", _lying_length),
    "tlv_bitflip": ("hash", _in_lists),
    "tlv_truncated": ("tlv", lambda r: r.good[:-10]),
    "extra_trailing_bytes": (_BOOTS, lambda r: r.good + b"\x5a" * 64),
    "one_byte": ("size", lambda r: r.good[:1]),
    "zero_length": ("size", _nothing),
    "oversize_slot": ("size", lambda r: _filled(r, 4096)),
    "exact_slot": (_BOOTS, lambda r: _filled(r, 0)),
    "erased_ff": ("empty", lambda r: b"\xff" * len(r.good)),
    "non_runnable_signed": ("vectors", _not_runnable),
    "wrong_load_addr": ("address", lambda r: r.signed(load_address=r.other_slot)),
    "wrong_board_id": ("board", lambda r: r.signed(board="another")),
    "security_counter_lower": ("counter", _lower_counter),
    "counter_missing": ("counter_missing", _no_counter),
}
"""The image and counter lines of the fault list; versions that are the same or older are a ladder's."""
