# SPDX-License-Identifier: MIT
"""What stands in an image by address and by name, on images made by hand."""

from __future__ import annotations

import struct

import pytest

from rig.image.machine_code import MachineCode, _Marks
from rig.image.symbols import ElfSymbol

CODE, DATA = 0x1000, 0x2000
HALFWORDS = bytes.fromhex("7047") * 32  # bx lr


def _function(name: str, address: int) -> ElfSymbol:
    return ElfSymbol(name, address, 4, "function", 1, is_global=True)


def _image(data: bytes, *names: str, start: int = DATA, size: int | None = None) -> MachineCode:
    """Functions of four bytes in a row from CODE, and one object whose bytes are ``data``."""
    functions = [_function(name, CODE + 4 * place) for place, name in enumerate(names)]
    table = ElfSymbol("s_table", start, len(data) if size is None else size, "object", 2, is_global=False)
    segments = [(CODE, HALFWORDS), (start, data)]
    return MachineCode(segments, [*functions, table], _Marks([], []), {}, [(CODE, CODE + len(HALFWORDS))])


def _pointed_to(code: MachineCode) -> list[str]:
    (table,) = code.objects
    return [function.name for function in code.functions_in(table)]


def _words(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def test_words_with_the_thumb_bit_are_pointers() -> None:
    code = _image(_words(CODE + 5, CODE + 1, CODE, CODE + 7, 0), "first", "second", "third")
    assert _pointed_to(code) == ["first", "second"]
    assert code.taken == {"first", "second"}


@pytest.mark.parametrize("lead", [1, 2, 3])
def test_only_aligned_words_that_are_whole_count(lead: int) -> None:
    inside = _image(bytes(4 - lead) + _words(CODE + 1), "first", start=DATA + lead)
    assert _pointed_to(inside) == ["first"]
    shifted = _image(_words(CODE + 1), "first", start=DATA + lead)
    assert _pointed_to(shifted) == []
    cut = _image(_words(CODE + 1, CODE + 5)[:-lead], "first", "second")
    assert _pointed_to(cut) == ["first"]


def test_an_object_that_is_larger_than_what_is_loaded_ends_there() -> None:
    assert _pointed_to(_image(_words(CODE + 1), "first", size=1 << 31)) == ["first"]


def test_a_copy_stands_for_its_function_until_that_is_there() -> None:
    code = _image(b"", "send.part.0", "send.constprop.0", "receive.isra.0", "receive")
    found = [code.named(name) for name in ("send", "receive", "send.part.0", "nobody")]
    assert [function and function.name for function in found] == ["send.part.0", "receive", None, None]


def test_patterns_are_of_plain_names() -> None:
    code = _image(b"", "send.part.0", "send_all", "receive")
    assert [function.name for function in code.matching("send")] == ["send.part.0"]
    assert [function.name for function in code.matching("*e*")] == ["send.part.0", "send_all", "receive"]
    assert code.matching("all") == []
