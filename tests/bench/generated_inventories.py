# SPDX-License-Identifier: MIT
"""Inventories as nobody should write them: a good one broken in many ways, and plain garbage.

A good file is taken apart into the texts of its keys and values, changed, and put together again; then the
text itself is damaged, and at last its bytes. What comes out may still be good.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from hypothesis import strategies as st

_SHIPPED = (Path(__file__).parents[2] / "devices.yaml").read_text()
_KEYS = (
    *("", "name", "at", "boards", "<<", "~", "poer", "1", "true", "0x10", "*a", "&a key", "!!str s", '""'),
    *("'a\\nb'", '"\\x1b[31m"', '"\\ud800"', "naïve", "ключ", "\u202eevil", "a" * 2000),
    *("[a]", "{b: 1}", "? x"),
)
_VALUES = (
    *("", "~", "null", "true", "on", "''", "emulated", "🦀", "\u2028", "x" * 5000, "|\n  a", "- -"),
    *("0", "-1", "+1", "1.", "0x", "0x_", "0b1", "0o17", "1_000", "1e999", "-1e999", ".nan", ".inf"),
    *("9" * 24, "9" * 400, "0x" + "F" * 24, "0xFFFFFFFF", "0x100000000", "4294967296"),
    *("4 GiB", "5 GiB", "0 B", "2026-11-26", "12:30:45", "socket://:1", "rfc2217://[::1]:99999"),
    *("[]", "{}", "[1, [2, [3]]]", "{a: {b: c}}", "*a", "&a x", "&a [*a]", "*none", "!!binary aGk=", "!x y"),
    *('"\\0"', '"\\x07\\e[2J"', '"\\ud800"', '"\\U0010FFFF"', '"\\n"', '"\\x85"'),
)
_TEXTS = (
    *("\t", "\n\t", "\r", "\n  ", "\x00", "\x07", "\x7f", "\x85", "\ufeff", "\u2028", "\ufffe"),
    *("---\n", "...\n", "%YAML 9.9\n", "? ", ": ", "- ", *"[]{}'\"|>#&*!@`\\"),
)


@dataclass
class Branch:
    """Keys and what they hold, of which one may come twice; for a list, the keys are empty."""

    is_list: bool
    items: list[tuple[str, Tree]]


Tree = str | Branch
Place = tuple[Branch, int]


def _tree(node: yaml.Node | None, text: str) -> Tree:
    if isinstance(node, yaml.MappingNode):
        return Branch(False, [(str(key.value), _tree(value, text)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return Branch(True, [("", _tree(value, text)) for value in node.value])
    assert node is not None
    return text[node.start_mark.index : node.end_mark.index]


def _places(tree: Tree) -> list[Place]:
    if isinstance(tree, str):
        return []
    inner = [place for _, child in tree.items for place in _places(child)]
    return [(tree, index) for index in range(len(tree.items))] + inner


def _flow(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    if tree.is_list:
        return f"[{', '.join(_flow(child) for _, child in tree.items)}]"
    return f"{{{', '.join(f'{key}: {_flow(child)}' for key, child in tree.items)}}}"


def _block(tree: Tree, depth: int = 0) -> str:
    """Mappings as lines down to the facts of a board, the rest in brackets."""
    if isinstance(tree, str) or tree.is_list or depth > 2 or not tree.items:
        return f" {_flow(tree)}\n"
    lines = [f"{'  ' * depth}{key}:{_block(child, depth + 1)}" for key, child in tree.items]
    return ("\n" if depth else "") + "".join(lines)


@st.composite
def _broken(draw: st.DrawFn) -> str:
    root = yaml.compose(_SHIPPED, Loader=yaml.SafeLoader)
    tree = _tree(root, _SHIPPED)
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 4]))):
        places = _places(tree)
        if places:
            _change(draw, places)
    return _block(tree)


def _change(draw: st.DrawFn, places: list[Place]) -> None:
    parent, index = draw(st.sampled_from(places))
    key, value = parent.items[index]
    kind = draw(st.sampled_from(["drop", "rename", "retype", "twice", "swap", "nest", "alias", "empty"]))
    if kind == "drop":
        del parent.items[index]
    elif kind == "rename":
        parent.items[index] = (draw(st.sampled_from(_KEYS) | st.text(max_size=12)), value)
    elif kind == "retype":
        parent.items[index] = (key, draw(st.sampled_from(_VALUES) | st.text(max_size=20)))
    elif kind == "twice":
        parent.items.insert(index, (key, value))
    elif kind == "swap":
        other, place = draw(st.sampled_from(places))
        parent.items[index] = (key, _flow(other.items[place][1]))
    elif kind == "nest":
        depth = draw(st.sampled_from([1, 5, 15, 40, 3000]))
        parent.items[index] = (key, "[" * depth + _flow(value) + "]" * depth)
    elif kind == "alias":
        other, place = draw(st.sampled_from(places))
        parent.items[index] = (key, f"&a {_flow(value)}")
        other.items[place] = (other.items[place][0], "*a")
    else:
        parent.items[index] = (key, draw(st.sampled_from(["{}", "[]", "''", ""])))


@st.composite
def _damaged(draw: st.DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    length = draw(st.sampled_from([0, 0, 1, 3, 200]))
    return text[:at] + draw(st.sampled_from(_TEXTS) | st.text(max_size=5)) + text[at + length :]


@st.composite
def inventories(draw: st.DrawFn) -> bytes:
    """The content of a ``devices.yaml``: broken facts, then broken text, or what is no inventory at all."""
    kind = draw(st.sampled_from(["facts"] * 6 + ["text"] * 3 + ["coding", "garbage", "bytes"]))
    if kind == "bytes":
        return draw(st.binary())
    text = draw(st.text() if kind == "garbage" else _broken())
    if kind == "text":
        text = draw(_damaged(text))
    codings = ["utf-8-sig", "utf-16", "utf-32", "latin-1"] if kind == "coding" else ["utf-8"]
    coding = draw(st.sampled_from(codings))
    return text.encode(coding, "surrogatepass" if coding.startswith("utf") else "replace")
