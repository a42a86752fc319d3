# SPDX-License-Identifier: MIT
"""Reads Intel HEX files; owns only the wrapping of the intelhex library and the check for the end."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from rig.errors import ImageFault


def read_hex(path: Path, data: bytes) -> tuple[list[tuple[int, bytes]], int | None]:
    """The (address, bytes) blocks of a HEX file in order of address, and its start address if it names one.

    Raises ImageFault: a bad record (with its line), no end record (truncated), or no data. ``path`` is for
    messages.
    """
    from intelhex import HexReaderError, IntelHex  # imported here: only those pay for it who read HEX

    text = data.decode("latin-1")  # any byte is a character; the library refuses those that are no HEX
    lines = text.rstrip().splitlines()
    if not any(line.startswith(":00") and line[7:9] == "01" for line in lines):
        raise ImageFault(f"{path}: truncated: line {len(lines)} is the last, and it is no end record")
    try:
        content = IntelHex(io.StringIO(text))
    except HexReaderError as error:
        raise ImageFault(f"{path}: damaged: {error}") from error
    if not (spans := content.segments()):
        raise ImageFault(f"{path}: the HEX file holds no data")
    blocks = [(start, content.tobinarray(start=start, end=end - 1).tobytes()) for start, end in spans]
    return blocks, _entry(content.start_addr or {})


def _entry(start: Mapping[str, int]) -> int | None:
    if "CS" in start:  # objcopy writes the 16-bit form for an entry below 1 MiB
        return start["CS"] * 16 + start["IP"]
    return start.get("EIP")
