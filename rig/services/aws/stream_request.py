# SPDX-License-Identifier: MIT
"""What a device asks of a stream, in JSON and CBOR, within the service's bounds; and how replies look. Pure.

Source: AWS IoT Core Developer Guide, "Using AWS IoT MQTT-based file delivery in devices".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from rig.services.aws.json_object import compact, is_count, read_json
from rig.services.aws.stream_cbor import read_flat_map

Format = Literal["json", "cbor"]

MAX_TOKEN_BYTES: Final = 64
BLOCK_SIZES: Final = range(256, 131_072 + 1)
MAX_OFFSET: Final = 98_304
MAX_BLOCKS: Final = 98_304
BITMAP_BELOW_BYTES: Final = 12_288
MAX_BYTES_A_REQUEST: Final = 131_072
LITERAL_BITMAP: Final = "MQ=="
"""What a widely used client sends in place of a bitmap: no hex, and meant for its count to be heeded."""


class StreamRefused(Exception):
    """A request that is answered on ``rejected``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class GetRequest:
    """Blocks of ``length`` bytes of a file, from block ``offset``: ``count`` of them, or those whose bit is
    set in ``bitmap`` and of these at most ``count``. ``version`` None: whichever there is."""

    version: int | None
    file: int
    length: int
    offset: int
    count: int | None
    bitmap: bytes | None

    def blocks(self) -> list[int]:
        """The numbers of the blocks that are asked for. Raises StreamRefused when they are too many."""
        most = MAX_BYTES_A_REQUEST // self.length
        wanted = list(islice(self._wanted(), most + 1))
        if len(wanted) > most:
            message = f"More than {MAX_BYTES_A_REQUEST} bytes are asked for: {most} blocks of {self.length}"
            raise StreamRefused("BlockCountLimitExceeded", message)
        return wanted

    def _wanted(self) -> Iterable[int]:
        if self.bitmap is None:
            return range(self.offset, self.offset + (self.count or 0))
        marked = (
            self.offset + 8 * place + bit
            for place, byte in enumerate(self.bitmap)
            for bit in range(8)
            if byte >> bit & 1
        )
        return islice(marked, self.count or None)


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it is sent; ``said_length`` is what its ``l`` says."""

    file: int
    index: int
    data: bytes
    said_length: int


def read_fields(payload: bytes, how: Format) -> dict[str, Any]:
    """The request's fields; no payload is as good as none of them. Raises StreamRefused."""
    try:
        if how == "cbor":
            return dict(read_flat_map(payload)) if payload else {}
        fields = read_json(payload.decode() or "{}")
    except ValueError:
        code = "InvalidCbor" if how == "cbor" else "InvalidJson"
        raise StreamRefused(code, f"The payload is no {how.upper()} of a flat object") from None
    if not isinstance(fields, dict):
        raise StreamRefused("InvalidJson", "The payload is no JSON object")
    return fields


def read_token(fields: dict[str, Any]) -> str | None:
    """The client's token. Raises StreamRefused."""
    token = fields.get("c")
    if token is not None and not (isinstance(token, str) and len(token.encode()) <= MAX_TOKEN_BYTES):
        raise _bad(f"c must be text of at most {MAX_TOKEN_BYTES} bytes")
    return token


def read_get(fields: dict[str, Any], how: Format) -> GetRequest:
    """The rest of a request for blocks. Raises StreamRefused: of the first bound that is broken."""
    version, file = fields.get("s"), fields.get("f")
    if version is not None and not (is_count(version) and version <= 65_535):
        raise _bad("s must be a number from 0 to 65535")
    if file is None or not (is_count(file) and file <= 255):
        raise _bad("f must be a number from 0 to 255")
    length = _number(fields, "l", "BlockSizeOutOfBounds", BLOCK_SIZES)
    if length is None:
        raise _bad("l is missing")
    offset = _number(fields, "o", "OffsetOutOfBounds", range(MAX_OFFSET + 1)) or 0
    count = _number(fields, "n", "BlockCountLimitExceeded", range(MAX_BLOCKS + 1))
    bitmap = _bitmap(fields.get("b"), how)
    if bitmap is None and not count:
        raise _bad("neither n nor b says which blocks")
    return GetRequest(version, file, length, offset, count, bitmap)


def written(fields: dict[str, Any], how: Format) -> bytes:
    """A reply; bytes are base64 in JSON."""
    if how == "cbor":
        import cbor2

        return cbor2.dumps(fields)
    return compact({name: _text(value) for name, value in fields.items()})


def block_fields(block: Block, token: str | None) -> dict[str, Any]:
    """A block's message."""
    said = {"f": block.file, "l": block.said_length, "i": block.index, "p": block.data}
    return said if token is None else {"c": token, **said}


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _number(fields: dict[str, Any], name: str, code: str, bounds: range) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _bad(f"{name} must be a number")
    if value not in bounds:
        raise StreamRefused(code, f"{name} must be from {bounds[0]} to {bounds[-1]}, not {value}")
    return value


def _bitmap(value: Any, how: Format) -> bytes | None:
    if value is None:
        return None
    if how == "json":
        value = LITERAL_BITMAP.encode() if value == LITERAL_BITMAP else _from_hex(value)
    if not isinstance(value, bytes):
        raise _bad("b must be hex in JSON, and bytes in CBOR")
    if len(value) >= BITMAP_BELOW_BYTES:
        raise StreamRefused("BlockBitmapLimitExceeded", f"b must be below {BITMAP_BELOW_BYTES} bytes")
    if not any(value):
        raise _bad("b has no bit set")
    return value


def _from_hex(value: Any) -> bytes | None:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _bad(message: str) -> StreamRefused:
    return StreamRefused("InvalidRequest", message)
