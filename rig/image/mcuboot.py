# SPDX-License-Identifier: MIT
"""Images in MCUboot's format: read with every length checked, and judged as the bootloader judges them.

Owns the format's numbers on the rig's side and the verdicts' words, which are those of
``firmware/boot/image.h``; the two are written apart and tested against each other. Signing is another's.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rig.image.signing_key import PublicKey

MAGIC: Final = 0x96F3B83D
LIST, PROTECTED = 0x6907, 0x6908
HEADER: Final = struct.Struct("<IIHHIIBBHII")
ROM_FIXED: Final = 0x100
KEY_HASH, SHA256, ECDSA, COUNTER, BOARD = 0x01, 0x10, 0x22, 0x50, 0xA0
NAMES: Final = {
    KEY_HASH: "KEYHASH", SHA256: "SHA256", 0x11: "SHA384", 0x12: "SHA512", 0x20: "RSA2048_PSS",
    0x21: "ECDSA224", ECDSA: "ECDSA_SIG", 0x23: "RSA3072_PSS", 0x24: "ED25519", 0x40: "DEPENDENCY",
    COUNTER: "SEC_CNT", BOARD: "BOARD",
}  # fmt: skip
"""TLV types by number; the vendor's own, from 0xA0 of each page, only that of the board's type."""
_OTHER_ALGORITHMS = (0x11, 0x12, 0x20, 0x21, 0x23, 0x24)
_HEAD = struct.Struct("<HH")
_SIGNATURE_MAX, _BOARD_MAX = 72, 23


class Refused(Exception):
    """An image is not taken; ``verdict`` is the bootloader's word for it, the text says why."""

    def __init__(self, verdict: str, why: str) -> None:
        super().__init__(why)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Tlv:
    """One entry of a list behind the payload; ``offset`` is that of its value in the image."""

    type: int
    offset: int
    value: bytes
    protected: bool

    @property
    def name(self) -> str:
        """The type's name, or its number."""
        return NAMES.get(self.type, f"0x{self.type:04X}")


@dataclass(frozen=True, slots=True)
class SignedImage:
    """What an image says of itself; ``total`` bytes belong to it, ``trailing`` lie behind and to nobody."""

    load_address: int
    header_size: int
    payload_size: int
    flags: int
    version: tuple[int, int, int, int]
    hashed_size: int
    total: int
    trailing: int
    tlvs: tuple[Tlv, ...]
    data: bytes = field(repr=False)

    @property
    def version_text(self) -> str:
        """As ``1.2.3``, or ``1.2.3+4`` with a build number."""
        *first, build = self.version
        return ".".join(map(str, first)) + (f"+{build}" if build else "")

    @property
    def payload(self) -> bytes:
        """What runs: its SHA-256 is the identity that the firmware tells in its banner."""
        return self.data[self.header_size : self.header_size + self.payload_size]

    @property
    def payload_sha256(self) -> str:
        """The running image's hash, 64 hexadecimal digits."""
        return hashlib.sha256(self.payload).hexdigest()

    @property
    def counter(self) -> int | None:
        """The security counter, None where there is none that the hash covers."""
        value = self.value(COUNTER, protected=True)
        return None if value is None else int.from_bytes(value, "little")

    @property
    def board(self) -> str | None:
        """The board's type it is for, None where it does not say."""
        value = self.value(BOARD, protected=True)
        return None if value is None else value.decode("ascii", "backslashreplace")

    def value(self, kind: int, *, protected: bool) -> bytes | None:
        """The value of a TLV in the list where it counts, or None."""
        found = (tlv.value for tlv in self.tlvs if tlv.type == kind and tlv.protected is protected)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Place:
    """What an image must be to run from a slot, as the bootloader's ``image_policy_t``."""

    slot: int
    image_max: int
    header_size: int
    ram: range
    board: str
    counter_floor: int = 0


def read_signed(data: bytes, most: int | None = None) -> SignedImage:
    """Reads an image of at most ``most`` bytes. Raises Refused where its structure is not whole."""
    room = min(len(data), most) if most is not None else len(data)
    if len(data) < HEADER.size:
        raise Refused("size", f"{len(data)} bytes, a header alone has {HEADER.size}")
    magic, load, header, protected, payload, flags, *version, _ = HEADER.unpack_from(data)
    if magic != MAGIC:
        verdict = "empty" if magic == 0xFFFFFFFF else "magic"
        raise Refused(verdict, f"begins with 0x{magic:08X}, an image with 0x{MAGIC:08X}")
    if header < HEADER.size or not payload:
        raise Refused("header", f"the header says: header of {header} bytes, payload of {payload}")
    end = header + payload
    if end + _HEAD.size > room:
        raise Refused("size", f"header and payload say {end} bytes and a list behind them; there are {room}")
    tlvs: list[Tlv] = []
    hashed = end
    if protected:
        hashed = _read_list(data, end, room, PROTECTED, tlvs)
        if hashed - end != protected:
            raise Refused("tlv", f"protected list of {hashed - end} bytes, the header says {protected}")
    total = _read_list(data, hashed, room, LIST, tlvs)
    four = (version[0], version[1], version[2], version[3])
    return SignedImage(
        load, header, payload, flags, four, hashed, total, len(data) - total, tuple(tlvs), data
    )  # fmt: skip


def _read_list(data: bytes, at: int, room: int, magic: int, tlvs: list[Tlv]) -> int:
    if room - at < _HEAD.size:
        raise Refused("tlv", f"no list at {at}: only {room} bytes")
    seen: int
    size: int
    seen, size = _HEAD.unpack_from(data, at)
    if size < _HEAD.size or size > room - at:
        raise Refused("tlv", f"the list at {at} says {size} bytes, there are {room - at}")
    if seen != magic:
        raise Refused("tlv", f"the list at {at} begins with 0x{seen:04X}, expected 0x{magic:04X}")
    for tlv in _entries(data, at + _HEAD.size, at + size, protected=magic == PROTECTED):
        _check_entry(tlv, tlvs)
        tlvs.append(tlv)
    return at + size


def _entries(data: bytes, at: int, end: int, *, protected: bool) -> Iterator[Tlv]:
    while at < end:
        if end - at < _HEAD.size:
            raise Refused(
                "tlv", f"{end - at} bytes left in the list at {at}, an entry's head has {_HEAD.size}"
            )
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if length > end - at:
            raise Refused(
                "tlv", f"entry {NAMES.get(kind, kind)} at {at} says {length} bytes, {end - at} are left"
            )
        yield Tlv(kind, at, data[at : at + length], protected)
        at += length


def _check_entry(tlv: Tlv, before: list[Tlv]) -> None:
    """Lengths that are fixed, and what may come once, in the list where it counts."""
    lengths = {(COUNTER, True): (4, 4), (BOARD, True): (1, _BOARD_MAX), (SHA256, False): (32, 32),
               (KEY_HASH, False): (32, 32), (ECDSA, False): (1, 0xFFFF)}  # fmt: skip
    known = lengths.get((tlv.type, tlv.protected))
    if known is None:
        return
    if not known[0] <= len(tlv.value) <= known[1] or (tlv.type == BOARD and 0 in tlv.value):
        raise Refused("tlv", f"{tlv.name} has {len(tlv.value)} bytes: not of its form")
    if tlv.type == ECDSA and len(tlv.value) > _SIGNATURE_MAX:
        return  # another curve's
    if any(item.type == tlv.type and item.protected is tlv.protected and _counts(item) for item in before):
        raise Refused("tlv", f"{tlv.name} comes twice")


def _counts(tlv: Tlv) -> bool:
    return tlv.type != ECDSA or len(tlv.value) <= _SIGNATURE_MAX


def check_origin(image: SignedImage, key: PublicKey) -> None:
    """Whose it is: hash, key, signature. Raises Refused."""
    other = any(not t.protected and (t.type in _OTHER_ALGORITHMS or not _counts(t)) for t in image.tlvs)
    digest = image.value(SHA256, protected=False)
    if digest is None:
        raise Refused("algorithm" if other else "hash_missing", "no SHA-256 of it")
    computed = hashlib.sha256(image.data[: image.hashed_size]).digest()
    if computed != digest:
        raise Refused("hash", f"its SHA-256 is {computed.hex()}, it says {digest.hex()}")
    signature = next(
        (t.value for t in image.tlvs if t.type == ECDSA and not t.protected and _counts(t)), None
    )
    if signature is None:
        raise Refused("algorithm" if other else "unsigned", "no ECDSA P-256 signature on it")
    if image.value(KEY_HASH, protected=False) != key.sha256:
        raise Refused("key", f"signed with another key than {key.sha256.hex()[:16]}…")
    if not key.holds(signature, computed):
        raise Refused("signature", "the signature does not hold")


def check_use(image: SignedImage, place: Place) -> None:
    """Whether it may run there: header, counter, board, address, vectors. Raises Refused."""
    if image.header_size != place.header_size:
        raise Refused("header", f"header of {image.header_size} bytes, expected {place.header_size}")
    if image.counter is None:
        raise Refused("counter_missing", "no security counter that the hash covers")
    if image.counter < place.counter_floor:
        raise Refused("counter", f"security counter {image.counter}, the floor is {place.counter_floor}")
    if image.board != place.board:
        raise Refused("board", f"for board {image.board}, expected {place.board}")
    if image.flags != ROM_FIXED or image.load_address != place.slot:
        raise Refused("address", f"linked for 0x{image.load_address:08X}, the slot is at 0x{place.slot:08X}")
    if not _vectors_fit(image, place):
        raise Refused("vectors", "initial stack or entry cannot be right")


def _vectors_fit(image: SignedImage, place: Place) -> bool:
    if image.payload_size < 8:
        return False
    stack, entry = struct.unpack_from("<II", image.payload)
    first = place.slot + image.header_size
    in_ram = stack % 8 == 0 and place.ram.start < stack <= place.ram.stop
    return bool(in_ram and entry & 1 and first < entry < first + image.payload_size)


def verdict(data: bytes, key: PublicKey | None, place: Place | None) -> tuple[str, str, SignedImage | None]:
    """(word, why, what could be read): ``good`` where everything that was given to judge by is content."""
    image = None
    try:
        image = read_signed(data, place.image_max if place is not None else None)
        if key is not None:
            check_origin(image, key)
        if place is not None:
            check_use(image, place)
    except Refused as refused:
        return refused.verdict, str(refused), image
    return "good", "", image
