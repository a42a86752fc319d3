# SPDX-License-Identifier: MIT
"""What a payload is said to be, and that no bytes upset whoever asks."""

from __future__ import annotations

import json

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.transcript.payload import Decoded, decode, shown, without_keys

PEM = b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBsecret\n-----END EC PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("payload", "decoded"),
    [
        (b"", Decoded("empty", b"")),
        (b'{"a": [1, 2.5, null]}', Decoded("json", {"a": [1, 2.5, None]})),
        (b"12", Decoded("json", 12)),
        (b"plain words\n", Decoded("text", "plain words\n")),
        ("grüße".encode(), Decoded("text", "grüße")),
        (cbor2.dumps({"f": "abc", "n": 1}), Decoded("cbor", {"f": "abc", "n": 1})),
        (cbor2.dumps([1, b"\xff"]), Decoded("cbor", [1, b"\xff"])),
        (cbor2.dumps({"a": 1}) + b"!", Decoded("binary", cbor2.dumps({"a": 1}) + b"!")),
        (b"\xff\xfe\x00", Decoded("binary", b"\xff\xfe\x00")),
        (b"\x1b[2J", Decoded("binary", b"\x1b[2J")),
        (b"[" * 100_000, Decoded("text", "[" * 100_000)),
        (b"\x81" * 100_000, Decoded("binary", b"\x81" * 100_000)),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", Decoded("binary", b"\x9b" + b"\xff" * 8)),
    ],
)
def test_forms(payload: bytes, decoded: Decoded) -> None:
    assert decode(payload) == decoded


@settings(max_examples=200)
@given(st.binary(max_size=100) | st.builds(cbor2.dumps, st.dictionaries(st.text(), st.integers())))
def test_any_bytes_have_a_form(payload: bytes) -> None:
    form, text = shown(payload)
    assert form in ("empty", "json", "cbor", "text", "binary")
    json.dumps(text).encode("ascii")
    assert len(text) <= 400


@pytest.mark.parametrize("depth", [100, 700, 900, 980])
def test_what_is_nested_deep_has_a_form(depth: int) -> None:
    assert shown(b"\x81" * depth + b"\x01")[0] in ("cbor", "binary")
    assert shown(b"[" * depth + b"]" * depth)[0] in ("json", "text")


def test_a_key_is_masked_wherever_it_stands() -> None:
    for payload in (PEM, b'{"privateKey":"' + PEM.replace(b"\n", b"\\n") + b'","x":1}', PEM[:-30]):
        masked = without_keys(payload)
        assert b"secret" not in masked
        assert b"(masked EC PRIVATE KEY)" in masked
    assert without_keys(b'{"privateKey":"' + PEM.replace(b"\n", b"\\n") + b'","x":1}').endswith(b'","x":1}')


def test_other_payloads_are_left_alone() -> None:
    payload = b"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
    assert without_keys(payload) is payload
