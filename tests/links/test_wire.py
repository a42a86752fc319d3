# SPDX-License-Identifier: MIT
from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import UsageFault
from rig.links.wire import (
    LINE_MAX,
    SEQ_MAX,
    TEXT_MAX,
    Frame,
    Parser,
    Splitter,
    Text,
    crc16,
    escape,
    format_request,
    frame_line,
    unescape,
    without_secrets,
)
from tests.links import scripted_board
from tests.links.scripted_board import frame

WORDS = st.from_regex(r"[a-z][a-z0-9_.]{0,8}", fullmatch=True)
FIELDS = st.dictionaries(WORDS, st.text(max_size=6), max_size=4)  # fits a line

SEQS = st.integers(1, SEQ_MAX)


@st.composite
def board_lines(draw: st.DrawFn, seqs: st.SearchStrategy[int] = SEQS) -> bytes:
    """Any frame the board may send."""
    fields = "".join(f" {key}={escape(value)}" for key, value in draw(FIELDS).items())
    index = draw(st.integers(0, 999))
    if draw(st.booleans()):
        head = f"!{index} {draw(WORDS)}"
    else:
        head = f"{draw(seqs)}.{index} {draw(st.sampled_from(['data', 'ok', 'err']))}"
    return frame_line("$", head + fields, "\r\n")


JUNK = st.one_of(
    st.binary(max_size=40),
    st.text(alphabet="$!*@%.0123 abcdef\r\n\0", max_size=40).map(str.encode),
    st.sampled_from([b"I (12) net: link up\r\n", b"$1.0 da", b"$!3 boot*", b"\xff\xfe$", b"$" * 50]),
)
STREAMS = st.lists(st.one_of(JUNK, board_lines()), max_size=12).map(b"".join)


def chunks_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


def test_the_crc_is_the_one_of_the_grammar() -> None:
    assert crc16(b"123456789") == 0x29B1
    assert crc16(b"") == 0xFFFF


@given(st.binary(max_size=300))
def test_both_ends_compute_the_same_crc(data: bytes) -> None:
    assert crc16(data) == scripted_board.crc(data)


@given(st.text())
def test_values_survive_the_line(value: str) -> None:
    assert unescape(escape(value).encode("ascii")) == value


def test_a_value_that_is_no_utf8_shows_its_bytes() -> None:
    assert unescape(b"a%FFb") == "a\\xffb"


def test_a_request_has_the_shape_of_the_grammar() -> None:
    line = format_request(7, "bench.run", {"id": "yield", "n": 1000, "note": "a b*"})
    body = b"7 bench.run id=yield n=1000 note=a%20b%2A"
    assert line == b"@" + body + b"*%04X\n" % scripted_board.crc(body)


@pytest.mark.parametrize(
    ("seq", "command", "args"),
    [
        (0, "id", {}),
        (2**31, "id", {}),
        (1, "id me", {}),
        (1, "id", {"K": 1}),
        (1, "ping", {"text": "x" * 400}),
    ],
)
def test_a_request_outside_the_grammar_is_refused(seq: int, command: str, args: dict[str, str | int]) -> None:
    with pytest.raises(UsageFault):
        format_request(seq, command, args)


@given(board_lines())
def test_a_frame_is_read_back_as_it_was_sent(line: bytes) -> None:
    (found,) = Parser().feed(line)
    head, *fields = found.body.split(b" ")
    assert b"$" + found.body + b"*%04X\r\n" % crc16(found.body) == line
    assert (found.start, found.end) == (0, len(line))
    assert found.kind == "event" or head == b"%d.%d" % (found.seq, found.index)
    assert len(found.fields) == len(fields) - 1


@given(FIELDS)
def test_fields_come_back_unescaped(fields: dict[str, str]) -> None:
    body = "5.0 ok" + "".join(f" {key}={escape(value)}" for key, value in fields.items())
    found = Parser().feed(frame(body))
    assert found[0].fields == fields


@given(STREAMS, st.lists(st.integers(0, 5000), max_size=12))
def test_how_the_stream_is_cut_makes_no_difference_to_frames(data: bytes, cuts: list[int]) -> None:
    whole, cut = Parser(), Parser()
    expected = whole.feed(data)
    assert [found for chunk in chunks_of(data, cuts) for found in cut.feed(chunk)] == expected
    assert cut.damaged == whole.damaged


@given(STREAMS, st.lists(st.integers(0, 5000), max_size=12))
def test_how_the_stream_is_cut_makes_no_difference_to_text(data: bytes, cuts: list[int]) -> None:
    expected = Splitter().feed(data)
    splitter = Splitter()
    assert [item for chunk in chunks_of(data, cuts) for item in splitter.feed(chunk)] == expected


# $53269$1.0 (one bit of the seq 5326941 flipped) is a frame with seq 1: the CRC is at its initial value after
# 532694. There is no shorter such number, and the host takes replies to the seq it awaits only.
@given(board_lines(st.integers(1, 99_999)), st.integers(0, 10**6), st.lists(st.integers(0, 400), max_size=3))
def test_a_flipped_bit_never_makes_another_frame(line: bytes, where: int, cuts: list[int]) -> None:
    (sent,) = Parser().feed(line)
    bit = where % (8 * len(line))
    bad = scripted_board.damage(line, bit // 8, bit % 8)
    parser = Parser()
    found = [item for chunk in chunks_of(bad + b"\n", cuts) for item in parser.feed(chunk)]
    assert [item.body for item in found] in ([], [sent.body])


@pytest.mark.parametrize(
    "line", [frame("12.3 data a=1 b=2"), frame("!0 boot count=1"), frame("4.0 ok k=4+4*"[:-1])]
)
def test_every_single_flipped_bit_is_caught(line: bytes) -> None:
    for bit in range(8 * len(line)):
        assert Parser().feed(scripted_board.damage(line, bit // 8, bit % 8) + b"\n") == []


def test_a_log_line_cut_by_a_frame_is_joined_again() -> None:
    items = Splitter().feed(b"I (12) net: li" + frame("1.0 ok") + b"nk up\r\nnext\r\n")
    assert isinstance(items[0], Frame)
    assert items[1:] == [Text(b"I (12) net: link up", True), Text(b"next", True)]


def test_a_frame_after_a_cut_frame_on_the_same_line_is_found() -> None:
    parser = Parser()
    (found,) = parser.feed(b"$!3 cra" + frame("!0 boot count=2"))
    assert found.fields == {"count": "2"}


def test_an_event_line_that_came_twice_is_one_event() -> None:
    line = frame("!3 crash cause=assert")
    assert len(Parser().feed(line + line)) == 1


def test_the_same_boot_line_after_a_power_cut_is_a_second_boot() -> None:
    line = frame("!0 boot count=1 cause=power")
    assert len(Parser().feed(line + b"I (1) app: sta" + line)) == 2
    assert len(Parser().feed(line + line)) == 1


def test_damaged_lines_are_counted_and_stay_text() -> None:
    parser, bad = Parser(), scripted_board.damage(frame("1.0 data k=v"), at=9)
    parser.feed(b"price $5\n" + bad)
    assert (parser.damaged, parser.last_damaged) == (1, bad)
    assert Splitter().feed(bad) == [Text(bad.rstrip(), True)]


def test_a_line_without_end_costs_bounded_memory() -> None:
    parser, splitter = Parser(), Splitter()
    pieces = 0
    for _ in range(100):
        assert parser.feed(b"$1.0 ok" + b"x" * 100_000) == []
        pieces += len(splitter.feed(b"$1.0 ok" + b"x" * 100_000))
        assert parser.undecided <= LINE_MAX + 8
    assert pieces >= 100 * 100_000 // TEXT_MAX
    assert [found.seq for found in parser.feed(frame("9.0 ok"))] == [9]


def test_a_frame_longer_than_a_line_is_refused() -> None:
    longest = frame("1.0 ok k=" + "v" * (LINE_MAX - 17))
    assert len(longest) == LINE_MAX
    assert len(Parser().feed(longest)) == 1
    assert Parser().feed(frame("1.0 ok k=" + "v" * (LINE_MAX - 16))) == []


def test_text_without_a_line_end_can_be_flushed() -> None:
    splitter = Splitter()
    assert splitter.feed(b"password: ") == []
    assert splitter.flush() == [Text(b"password: ", False)]
    assert splitter.flush() == []


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        ({"ssid": "lab", "key": "a b*c"}, b"@7 wifi.connect ssid=lab key=(not kept)\n"),
        ({"key": "x", "ms": 5}, b"@7 wifi.connect key=(not kept) ms=5\n"),
        ({"user": "me", "password": "x"}, b"@7 wifi.connect user=me password=(not kept)\n"),
    ],
)
def test_of_a_request_no_secret_is_kept(args: dict[str, str | int], kept: bytes) -> None:
    assert without_secrets(format_request(7, "wifi.connect", args)) == kept


def test_of_other_requests_all_is_kept() -> None:
    line = format_request(7, "cred.key", {"label": "key=1", "keys": "x"})
    assert without_secrets(line) == line
    assert (
        without_secrets(b"typed wifi.connect ssid=a key=b\r\n")
        == b"typed wifi.connect ssid=a key=(not kept)\r\n"
    )
