# SPDX-License-Identifier: MIT
"""YAML text to plain data that remembers where each key and value stands.

Owns what is YAML: scalars (true, false, null, numbers; ``on`` and ``off`` are text), duplicate keys, and the
caps against files that would eat the machine. Does not know what an inventory is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import yaml

MAX_BYTES: Final = 4 << 20
MAX_NODES: Final = 400_000
MAX_DEPTH: Final = 16
MAX_MESSAGE: Final = 500

Step = str | int
Route = tuple[Step, ...]
Data = str | int | float | bool | None | list["Data"] | dict[str, "Data"]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong at one place. ``line`` and ``column`` count from 1; an empty ``route``: the file."""

    line: int
    column: int
    route: Route
    text: str

    def at(self, file: str) -> str:
        """``file:line:col: boards.mps2.poer: what was expected``."""
        said = f"{dotted(self.route)}: {self.text}" if self.route else self.text
        return f"{self.place(file)}: {_one_line(said)}"

    def place(self, file: str) -> str:
        """``file:line:col``."""
        return f"{file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data (aliases resolved), its places, and the faults found while reading it."""

    data: Data
    faults: tuple[Fault, ...]
    root: yaml.Node | None

    def fault(self, route: Route, text: str, *, at_key: bool = False) -> Fault:
        """A fault at the value of ``route``, or at its key; at the nearest parent where there is none."""
        node, key = self.root, self.root
        for step in route:
            found = _child(node, step)
            if found is None:
                at_key = True
                break
            key, node = found
        line, column = _place(key if at_key else node)
        return Fault(line, column, route, text)

    def key_lines(self, key: str) -> dict[str, int]:
        """The line of each key of the mapping under a top-level key."""
        found = _child(self.root, key)
        return {str(name): _place(node)[0] for name, node, _ in _children(found[1] if found else None)}


def _one_line(text: str) -> str:
    """What a file says is not for a terminal to obey: control codes are shown, and no message floods it."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= MAX_MESSAGE else f"{shown[:MAX_MESSAGE]}…"


class Unreadable(Exception):
    """The text is no YAML at all, or more than is read; carries the one fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


def dotted(route: Route) -> str:
    """A route as people write it: ``boards.mps2.flash[0].size``."""
    words = (f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in route)
    return "".join(words).removeprefix(".")


def _short(key: str) -> str:
    return key if len(key) <= 60 else f"{key[:60]}…"


def read_document(path: Path) -> Document:
    """Reads a file. Raises Unreadable for what is no YAML, and OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Unreadable(Fault(1, 1, (), f"more than {MAX_BYTES >> 20} MiB; an inventory is smaller"))
    return _build(_compose(_decode(raw)))


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        seen = f"byte 0x{error.object[error.start]:02x}"
        raise Unreadable(Fault(line, column, (), f"expected UTF-8 text, got {seen}")) from error


class _TooDeep(Exception):
    pass


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes and no objects; refuses depth, which overruns the stack of the C parser."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # filled below
    depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:
        del current_node, current_index
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self.depth -= 1


def _tag(name: str) -> str:
    return f"tag:yaml.org,2002:{name}"


for _name, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(0|[1-9][0-9_]{0,24}|0x[0-9a-fA-F_]{1,24})", list("-+0123456789")),
    ("float", r"[-+]?(0|[1-9][0-9]{0,19})(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(_tag(_name), re.compile(rf"^(?:{_pattern})$"), _first)


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in str(error.problem):  # the C scanner, which reads ahead, has a limit of its own
            raise _too_deep() from error
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        context = f" {error.context}" if error.context else ""
        rows = text.splitlines()
        tab = line <= len(rows) and "\t" in rows[line - 1][: column + 1]
        hint = ". Indent with spaces, not tabs" if tab else ""
        raise Unreadable(Fault(line, column, (), f"no YAML:{context}: {error.problem}{hint}")) from error
    except yaml.reader.ReaderError as error:
        before = text[: _first_unprintable(text)]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise Unreadable(Fault(line, column, (), f"no YAML: {error.reason}")) from error
    except _TooDeep as error:
        raise _too_deep() from error


def _too_deep() -> Unreadable:
    return Unreadable(Fault(1, 1, (), f"nested more than {MAX_DEPTH} deep"))


def _first_unprintable(text: str) -> int:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return found.start() if found else 0


class _Builder:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.nodes = 0

    def fault(self, node: yaml.Node, route: Route, text: str) -> None:
        self.faults.append(Fault(*_place(node), route, text))

    def build(self, node: yaml.Node, route: Route) -> Data:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unreadable(Fault(*_place(node), (), f"aliases unfold to more than {MAX_NODES} values"))
        if len(route) > MAX_DEPTH:
            raise Unreadable(Fault(*_place(node), (), f"aliases nest more than {MAX_DEPTH} deep"))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, route)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*route, index)) for index, child in enumerate(node.value)]
        return self.scalar(node, route)

    def mapping(self, node: yaml.MappingNode, route: Route) -> dict[str, Data]:
        data: dict[str, Data] = {}
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fault(key, route, "expected a key that is a word")
                continue
            name = str(key.value)
            if name in first:
                line, column = _place(first[name])
                self.fault(key, (*route, name), f"duplicate key; it already stands at {line}:{column}")
                continue
            first[name] = key
            data[name] = self.build(value, (*route, name))
        return data

    def scalar(self, node: yaml.Node, route: Route) -> Data:
        text = str(node.value)
        if node.tag == _tag("str"):
            return text
        try:
            return _SCALARS[node.tag](text)
        except KeyError:
            self.fault(node, route, f"YAML tags such as {node.tag!r} are not used here")
        except ValueError:
            self.fault(node, route, f"expected a number, got {text!r}")
        return text


_SCALARS: Final[Mapping[str, Callable[[str], Data]]] = {
    _tag("int"): lambda text: int(text.replace("_", ""), 0),
    _tag("float"): float,
    _tag("bool"): lambda text: text == "true",
    _tag("null"): lambda text: None,  # noqa: ARG005 - a constructor like the others
}


def _build(root: yaml.Node | None) -> Document:
    builder = _Builder()
    data = builder.build(root, ()) if root is not None else None
    return Document(data, tuple(builder.faults), root)


def _children(node: yaml.Node | None) -> Iterator[tuple[Step, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, value, value) for index, value in enumerate(node.value))


def _child(node: yaml.Node | None, step: Step) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for name, key, value in _children(node) if name == step), None)


def _place(node: yaml.Node | None) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)
