# SPDX-License-Identifier: MIT
"""How words and figures are written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x00b\x07", r"a\x00b\x07"),
        ("line\r\nnext\tcolumn", "line\nnext\tcolumn"),
        ("over\rwritten", r"over\x0dwritten"),
        ("byte \udcff", r"byte \xff"),
        ("half \ud83d", r"half \ud83d"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202ecba", r"abc\u202ecba"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
        ("naïve 漢字 ✓", "naïve 漢字 ✓"),
    ],
)
def test_what_cannot_be_printed_is_written_out(said: str, shown: str) -> None:
    assert text.printable(said) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_can_always_be_encoded_and_never_moves_the_cursor(said: str) -> None:
    shown = text.printable(said)
    shown.encode()
    assert not any(ord(c) < 0x20 and c not in "\n\t" for c in shown)
    assert text.printable(shown) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (2000, "2,000"),
        (-5, "−5"),
        (1234.5678, "1,235"),
        (12.5, "12.5"),
        (0.0123456, "0.01235"),
        (1.5e-12, "1.500e−12"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (None, "–"),
    ],
)
def test_a_figure_keeps_its_digits(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


def test_a_limit_prints_itself() -> None:
    assert text.limit(80, 120) == "80 <= x <= 120"
    assert text.limit(None, 1200, "p99") == "p99 <= 1,200"
    assert text.limit(0.5, None) == "0.5 <= x"
    assert text.limit(None, None) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.42, "0.42 s"),
        (12.34, "12.3 s"),
        (59.99, "1 min 00 s"),
        (245.2, "4 min 05 s"),
        (7620, "2 h 07 min"),
        (math.nan, "unknown"),
        (-1, "unknown"),
    ],
)
def test_a_duration_is_said_as_people_do(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_sizes_are_binary_and_shares_are_of_something() -> None:
    assert [text.size(n) for n in (512, 61_644, 4 << 20)] == ["512 B", "60.2 KiB", "4 MiB"]
    assert text.percent(1, 4) == "25.0 %"
    assert text.percent(1, 0) == "–"


def test_a_long_text_is_cut_with_the_count_of_what_is_left_out() -> None:
    head, left_out = text.cut("x" * 10_000, 700, 12)
    assert (len(head), left_out) == (700, 9_300)
    assert text.cut("a\nb\nc\nd", 700, 2) == ("a\nb", 4)
    assert text.one_line("a\n  b\x1b", 10) == r"a b\x1b"
    assert text.one_line("x" * 300) == "x" * 199 + "…"
