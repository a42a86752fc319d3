# SPDX-License-Identifier: MIT
"""Writes the C file with the public key that a bootloader checks images with.

``key_source.py KEY OUT``: KEY is a public key in PEM, on P-256. Standard library only: CMake runs it.
"""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path

HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # RFC 5480, 2: P-256
POINT_BYTES = 65


def point_of(pem: str) -> bytes:
    """The uncompressed point of a public key; ValueError for anything else."""
    lines = [line.strip() for line in pem.strip().splitlines()]
    if len(lines) < 3 or lines[0] != "-----BEGIN PUBLIC KEY-----" or lines[-1] != "-----END PUBLIC KEY-----":
        raise ValueError("expected a public key in PEM")
    try:
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("its base64 is damaged") from error
    if not der.startswith(HEAD) or len(der) != len(HEAD) + POINT_BYTES or der[len(HEAD)] != 4:
        raise ValueError("expected a key on the curve P-256")
    return der[len(HEAD) :]


def main() -> int:
    """Exit code 1 with one line for a key that cannot be used."""
    key, out = map(Path, sys.argv[1:3])
    try:
        point = point_of(key.read_text("ascii"))
    except (OSError, ValueError) as error:
        print(f"{key}: {error}", file=sys.stderr)
        return 1
    rows = ", ".join(f"0x{byte:02X}" for byte in point)
    out.write_text(
        f'#include "boot.h"\n\nconst uint8_t g_boot_key[IMAGE_POINT_BYTES] = {{{rows}}};\n', "ascii"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
