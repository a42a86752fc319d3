# SPDX-License-Identifier: MIT
"""Signs an image for a slot, by imgtool.

Owns what imgtool is told; the format is imgtool's and ``mcuboot.py``'s, keys are ``signing_key.py``'s.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rig.errors import ImageFault, UsageFault
from rig.image.mcuboot import BOARD

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER_SIZE: Final = 0x200
WRITE_SIZE: Final = 8
TRAILER_SIZE: Final = 4096
"""The last sector of a slot is its trailer's; 0x200 and this are those of firmware/ota/flash_layout.h."""
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,10}))?")


@dataclass(frozen=True, slots=True)
class Marks:
    """What is signed with an image: its version, the board's type, the counter (None: none), its address."""

    version: str
    board: str | None
    counter: int | None
    load_address: int | None
    header_size: int = HEADER_SIZE

    def __post_init__(self) -> None:
        found = _VERSION.fullmatch(self.version)
        most = (255, 255, 0xFFFF, 0xFFFFFFFF)
        if found is None or any(int(n or 0) > m for n, m in zip(found.groups(), most, strict=True)):
            raise UsageFault(f"version {self.version!r}: expected 1.2.3 or 1.2.3+4, at most 255.255.65535")


def sign(payload: bytes, marks: Marks, key: Any | None, image_max: int) -> bytes:
    """The signed image: header, ``payload``, lists. ``key`` is cryptography's; None leaves it unsigned.

    Raises ImageFault where it is longer than ``image_max`` bytes.
    """
    if not payload:
        raise ImageFault("expected an image to sign, got none: zero bytes")
    signed = _by_imgtool(payload, marks, key)
    if len(signed) > image_max:
        raise ImageFault(
            f"the signed image has {len(signed)} bytes, a slot holds {image_max}",
            hint="The last sector of a slot is its trailer's",
        )
    return signed


def _by_imgtool(payload: bytes, marks: Marks, key: Any | None) -> bytes:
    import click
    from imgtool.image import Image
    from imgtool.version import decode_version

    image = Image(
        version=decode_version(marks.version),
        header_size=marks.header_size,
        pad_header=True,
        align=WRITE_SIZE,
        slot_size=1 << 30,  # how much a slot holds is judged here, by the bootloader's own layout
        rom_fixed=marks.load_address,
        security_counter=marks.counter,
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        before, after = Path(folder, "in.bin"), Path(folder, "out.bin")
        before.write_bytes(payload)
        try:
            image.load(str(before))
            image.create(_imgtool_key(key), "hash", None, custom_tlvs=_custom(marks))
            image.save(str(after))
        except click.UsageError as error:
            raise ImageFault(f"imgtool refused the image: {error.message}") from error
        return after.read_bytes()


def _custom(marks: Marks) -> Mapping[int, bytes] | None:
    return None if marks.board is None else {BOARD: marks.board.encode("ascii")}


def _imgtool_key(key: Any | None) -> Any | None:
    """imgtool's own wrapping of a key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from imgtool import keys

    if key is None:
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return keys.ECDSA256P1(key) if isinstance(key.curve, ec.SECP256R1) else keys.ECDSA384P1(key)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return keys.Ed25519(key)
    if isinstance(key, rsa.RSAPrivateKey):
        return keys.RSA(key)
    raise UsageFault(f"expected a key on P-256, P-384 or Ed25519, or of RSA, got {type(key).__name__}")
