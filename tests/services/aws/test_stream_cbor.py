# SPDX-License-Identifier: MIT
"""The flat CBOR reader beside cbor2: the same maps, and nothing else; and any bytes end in an answer."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.services.aws.stream_cbor import read_flat_map
from rig.services.aws.stream_request import Format, StreamRefused, read_fields, read_get, read_token

HOWS: tuple[Format, ...] = ("json", "cbor")
CODES = {
    "",
    "InvalidCbor", "InvalidJson", "InvalidRequest", "BlockSizeOutOfBounds", "OffsetOutOfBounds",
    "BlockCountLimitExceeded", "BlockBitmapLimitExceeded",
}  # fmt: skip
VALUES = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=80), st.binary(max_size=80), st.none())
MAPS = st.dictionaries(st.text(max_size=5), VALUES, max_size=30)
REQUESTS = st.fixed_dictionaries(
    {}, optional={name: st.one_of(VALUES, st.integers(0, 300)) for name in "csflonb"}
)


@given(MAPS)
def test_a_flat_map_is_read_as_cbor2_wrote_it(told: dict[str, Any]) -> None:
    assert read_flat_map(cbor2.dumps(told)) == told


@given(MAPS, st.data())
def test_what_is_cut_off_or_goes_on_is_refused(told: dict[str, Any], data: st.DataObject) -> None:
    whole = cbor2.dumps(told)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for wrong in (whole[:cut], whole + b"\0"):
        with pytest.raises(ValueError, match=r".+"):
            read_flat_map(wrong)


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda rest: b"\xa2\x61f\x00" + rest)))
def test_any_bytes_are_what_cbor2_says_or_refused(data: bytes) -> None:
    try:
        found = read_flat_map(data)
    except ValueError:
        return
    theirs = {key: None if value is cbor2.undefined else value for key, value in cbor2.loads(data).items()}
    assert found == theirs


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xbf\x61f\x00\xff",  # a map without a stated length
        b"\xa1\x7f\x60\x61f\xff\x00",  # a key in chunks
        b"\xa1\x61f\x18\x00",  # a number longer than it need be
    ],
)
def test_other_ways_to_write_a_map(encoded: bytes) -> None:
    assert read_flat_map(encoded) == cbor2.loads(encoded) == {"f": 0}


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xa1\x00\x00",  # a key that is no text
        b"\xa2\x61f\x00\x61f\x01",  # a key twice
        b"\xa1\x61f\xf4",  # false
        b"\xa1\x61f\xfb" + bytes(8),  # a float
        b"\xa1\x61f\xa0",  # a map within
        b"\xa1\x61f\xc1\x00",  # a tag
        b"\xa1\x61f\x1c",  # no such length
        b"\xa1\x61f\x1f",  # a number without one
        b"\xa1\x61f\x61\xff",  # no UTF-8
        b"\xa1\x61f\x7f\x41a\xff",  # a chunk of bytes in a text
        b"\xa1\x61f\x7f\x7f\x60\xff\xff",  # chunks in chunks
        b"\xa1\x61f\xff",
        b"\x80",
    ],
)
def test_anything_else_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_flat_map(encoded)


@given(st.one_of(st.binary(max_size=80), REQUESTS.map(cbor2.dumps)))
def test_any_request_is_read_or_refused_with_a_code(payload: bytes) -> None:
    for how in HOWS:
        code = ""
        try:
            fields = read_fields(payload, how)
            read_token(fields)
            blocks = read_get(fields, how).blocks()
            assert 1 <= len(blocks) <= 512
        except StreamRefused as refused:
            code = refused.code
        assert code in CODES
