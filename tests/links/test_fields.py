# SPDX-License-Identifier: MIT
from __future__ import annotations

import ast
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.errors import BoardGarbled
from rig.links.fields import Fields, exactly, only

ROOT = Path(__file__).parents[2]
JUDGING = ("suites", "rig/pytest_plugin", "rig/bench")
CONVERSIONS = {"int", "float", "bytes.fromhex", "IPv4Address", "IPv4Network", "json.loads"}


def test_a_field_that_must_be_there_and_is_not_is_the_boards_fault() -> None:
    fields = Fields({"handle": "3"})
    assert (fields["handle"], fields.get("end")) == ("3", None)
    with pytest.raises(BoardGarbled, match="lacks the field 'end', which it must have; it has: handle"):
        fields["end"]
    with pytest.raises(BoardGarbled, match="lacks the field 'end'"):
        fields.integer("end")


SOUND: list[tuple[str, str, object]] = [
    ("integer", "-12", -12),
    ("positive", "7", 7),
    ("number", "1.25", 1.25),
    ("flag", "1", True),
    ("octets", "C0ff", b"\xc0\xff"),
    ("octets", "", b""),
    ("address", "10.0.2.15", IPv4Address("10.0.2.15")),
    ("listed", "0,1,128", [0, 1, 128]),
    ("listed", "", []),
    ("json", '{"a":1}', {"a": 1}),
]


@pytest.mark.parametrize(("read", "value", "meant"), SOUND)
def test_a_field_is_read_as_what_it_must_be(read: str, value: str, meant: object) -> None:
    assert getattr(Fields({"it": value}), read)("it") == meant


NONSENSE = {
    "integer": ("", "twelve", "1_000", " 1", "0x10", "1.0", "--1", "\u0661"),
    "positive": ("0", "-1", "many"),
    "number": ("", "nan", "inf", "1e999", "1.", "-"),
    "flag": ("", "2", "true", "00"),
    "octets": ("C", "0G", "C0 FF", "0x00"),
    "address": ("", "10.0.2", "10.0.2.256", "localhost"),
    "json": ("", "{", "a"),
    "listed": (",", "1,", "1,x"),
}


@pytest.mark.parametrize(("read", "value"), [(read, value) for read in NONSENSE for value in NONSENSE[read]])
def test_nonsense_in_a_field_is_the_boards_fault(read: str, value: str) -> None:
    fields = Fields({"it": value, "end": "ok"})
    with pytest.raises(BoardGarbled) as garbled:
        getattr(fields, read)("it")
    assert f"in the field 'it', it is {value!r}" in str(garbled.value)
    assert "'end': 'ok'" in str(garbled.value)


def test_hexadecimal_and_whole_lines() -> None:
    assert Fields(at="0x2000f000", crc="DEADBEEF").integer("crc", 16) == 0xDEADBEEF
    assert Fields(at="0x2000f000").integer("at", 16) == 0x2000F000
    assert Fields(a="1", b="2").integers() == {"a": 1, "b": 2}
    with pytest.raises(BoardGarbled, match="to the base 16 in the field 'crc'"):
        Fields(crc="-1").integer("crc", 16)
    with pytest.raises(BoardGarbled, match="in the field 'b', it is 'two'"):
        Fields(a="1", b="two").integers()


def test_more_or_less_than_must_be_there_is_the_boards_fault() -> None:
    assert only(["core"], "the core") == "core"
    assert exactly(2, "ab", "both") == "ab"
    for rows in ([], ["a", "b"]):
        with pytest.raises(BoardGarbled, match=f"expected 1 of the core, there are {len(rows)}"):
            only(rows, "the core")


# --- nobody reads them otherwise


def conversions_of_a_field(tree: ast.AST) -> Iterator[int]:
    """Lines in which something taken by a name out of an answer is made a number by itself.

    A nonsense there raises ValueError, which ends a case as ERROR where it is the board that is wrong.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in CONVERSIONS:
            taken = node.args[0]
            key = taken.slice if isinstance(taken, ast.Subscript) else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield node.lineno


def test_conversions_are_found() -> None:
    found = 'int(said["a"])\nfloat(ask("b")["c"])\nbytes.fromhex(row["d"])\nint(row["e"], 16)'
    assert list(conversions_of_a_field(ast.parse(found))) == [1, 2, 3, 4]
    assert list(conversions_of_a_field(ast.parse('int(names[0])\nint(text)\nsaid.integer("a")'))) == []


def test_no_suite_converts_what_a_board_said_by_itself() -> None:
    paths = [path for place in JUDGING for path in sorted((ROOT / place).rglob("*.py"))]
    assert len(paths) > 50
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        for line in conversions_of_a_field(ast.parse(path.read_text("utf-8")))
    ] == []
