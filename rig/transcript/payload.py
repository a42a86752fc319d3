# SPDX-License-Identifier: MIT
"""What the payload of a message is: JSON, CBOR, text or plain bytes; and what of it may be kept and shown.

Pure. Payloads are an attacker's: nothing here raises, whatever the bytes. A private key in one is masked
before anybody keeps it.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

Form = Literal["empty", "json", "cbor", "text", "binary"]

SHOWN: Final = 400
"""Characters of a payload that an event shows."""
_MOST_DECODED: Final = 1024 * 1024
_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", re.DOTALL)
_MASK: Final = rb"-----(masked \1PRIVATE KEY)-----"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A payload's form and its value: what JSON or CBOR say, a string, or the bytes themselves."""

    form: Form
    value: Any


def decode(payload: bytes) -> Decoded:
    """JSON, else text, else CBOR where a whole map or list stands there, else bytes."""
    if not payload:
        return Decoded("empty", payload)
    if len(payload) > _MOST_DECODED:
        return Decoded("binary", payload)
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return _cbor(payload)
    try:
        return Decoded("json", json.loads(text))
    except (ValueError, RecursionError):
        return Decoded("text", text) if _readable(text) else _cbor(payload)


def _readable(text: str) -> bool:
    return all(character.isprintable() or character in "\r\n\t" for character in text)


def _cbor(payload: bytes) -> Decoded:
    if payload[0] >> 5 in (4, 5) or payload[:3] == b"\xd9\xd9\xf7":  # a list, a map, or tagged as CBOR
        from io import BytesIO

        import cbor2

        stream = BytesIO(payload)
        try:
            value = cbor2.CBORDecoder(stream).decode()
        except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
            return Decoded("binary", payload)
        if stream.tell() == len(payload):
            return Decoded("cbor", value)
    return Decoded("binary", payload)


def shown(payload: bytes) -> tuple[Form, str]:
    """The form, and the beginning as text: of JSON and text as it is, of CBOR as ``repr``, else in hex."""
    decoded = decode(payload)
    if decoded.form in ("json", "text"):
        return decoded.form, payload[: 4 * SHOWN].decode("utf-8", "ignore")[:SHOWN]
    if decoded.form == "cbor":
        with contextlib.suppress(RecursionError):  # nested as deep as the decoder just bears
            return "cbor", repr(decoded.value)[:SHOWN]
    return decoded.form, payload[: SHOWN // 2].hex()


def without_keys(payload: bytes) -> bytes:
    """The payload with every private key in PEM masked."""
    return _KEY.sub(_MASK, payload) if b"PRIVATE KEY-----" in payload else payload
