# SPDX-License-Identifier: MIT
"""Data to inventory records, or every fault at once, each with its place and in words for people.

Owns the wording. What one value may be is ``inventory_values``, what the facts of one board must not say
together is ``inventory_rules``, what two boards must not share is ``inventory_shared``. Imports
pydantic and yaml: import it lazily.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from rig.bench.inventory import Board, Inventory
from rig.bench.inventory_rules import contradictions
from rig.bench.inventory_shared import links_of
from rig.bench.inventory_values import described, nearest, suggestion
from rig.bench.inventory_yaml import Data, Document, Fault, Route, Step, Unreadable, read_document
from rig.errors import InventoryFault

INJECTED: Final = frozenset({"name", "at"})  # facts of a Board that are not keys of the file
_EXPECTED: Final = {
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "string_type": "text",
    "tuple_type": "a list",
}


def check_inventory(path: Path) -> Inventory:
    """Reads a file into records; raises InventoryFault with all faults."""
    shown = _shown(path)
    try:
        document = read_document(path)
    except OSError as error:
        raise InventoryFault(f"cannot read {shown}: {error.strerror}") from error
    except Unreadable as unreadable:
        raise _refusal(shown, [unreadable.fault]) from unreadable
    boards, faults = _boards(document, shown)
    if faults:
        raise _refusal(shown, faults)
    return Inventory(path.resolve(), MappingProxyType({board.name: board for board in boards}))


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _refusal(shown: str, faults: Sequence[Fault]) -> InventoryFault:
    ordered = [fault.at(shown) for fault in sorted(set(faults), key=lambda fault: (fault.line, fault.column))]
    if len(ordered) == 1:
        return InventoryFault(ordered[0])
    return InventoryFault("\n  ".join([f"{shown}: {len(ordered)} faults", *ordered]))


def _boards(document: Document, shown: str) -> tuple[list[Board], list[Fault]]:
    entries, faults = _entries(document)
    boards, lines = [], document.key_lines("boards")
    for name, entry in entries.items():
        route: Route = ("boards", name)
        try:
            board = _board(name, entry, f"{shown}:{lines[name]}")
        except ValidationError as error:
            faults += [_fault(document, route, detail) for detail in error.errors(include_url=False)]
        else:
            boards.append(board)
            faults += [document.fault((*route, *inner), text) for inner, text in contradictions(board)]
        faults += [
            document.fault((*route, key), _unknown(key, Board), at_key=True)
            for key in INJECTED & (entry.keys() if isinstance(entry, dict) else set())
        ]
    faults += _shared_links(document, shown, entries)
    return boards, faults


def _entries(document: Document) -> tuple[dict[str, Data], list[Fault]]:
    data, faults = document.data, list(document.faults)
    if not isinstance(data, dict):
        seen = "an empty file" if data is None else described(data)
        return {}, [*faults, document.fault((), f"expected a mapping with the key 'boards', got {seen}")]
    faults += [
        document.fault((key,), f"unknown key; {suggestion(key, ['boards'], label='known')}", at_key=True)
        for key in data.keys() - {"boards"}
    ]
    boards = data.get("boards")
    if "boards" not in data:
        faults.append(document.fault((), "the key 'boards' is missing"))
    elif not isinstance(boards, dict) or not boards:
        seen = "an empty mapping" if boards == {} else described(boards)
        faults.append(document.fault(("boards",), f"expected a mapping of one board or more, got {seen}"))
    return boards if isinstance(boards, dict) else {}, faults


@cache
def _adapter() -> TypeAdapter[Board]:
    """Made once: that takes longer than to read an inventory."""
    return TypeAdapter(Board)


def _board(name: str, entry: Data, at: str) -> Board:
    injected = {**entry, "name": name, "at": at} if isinstance(entry, dict) else entry
    # By JSON: pydantic's strict mode takes dataclasses from JSON objects but not from Python mappings.
    return _adapter().validate_json(json.dumps(injected), strict=True)


# --- pydantic's findings in our words


def _fault(document: Document, route: Route, detail: ErrorDetails) -> Fault:
    inner: tuple[Step, ...] = detail["loc"]
    where, kind = (*route, *inner), detail["type"]
    if inner == ("name",):
        return document.fault(route, str(detail["ctx"]["error"]), at_key=True)
    if kind == "missing":
        return document.fault(where[:-1], f"the key {inner[-1]!r} is missing", at_key=True)
    if kind == "unexpected_keyword_argument":
        return document.fault(where, _unknown(str(inner[-1]), _record(inner[:-1])), at_key=True)
    return document.fault(where, _wording(kind, detail))


def _wording(kind: str, detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    seen = described(detail["input"])
    if kind == "literal_error":
        words = re.findall(r"'([^']+)'", context["expected"])
        near = nearest(str(detail["input"]), words)
        return f"expected {context['expected']}, got {seen}" + (f"; did you mean {near!r}?" if near else "")
    return f"expected {_EXPECTED[kind]}, got {seen}" if kind in _EXPECTED else f"{detail['msg']}, got {seen}"


def _unknown(key: str, record: type) -> str:
    known = {item.name for item in dataclasses.fields(record)} - (INJECTED if record is Board else set())
    return f"unknown key; {suggestion(key, known, label='known')}"


def _record(route: Sequence[Step]) -> type:
    """The record whose fields stand at ``route`` of a board."""
    record: Any = Board
    for step in route:
        if isinstance(step, str):
            record = _dataclass_in(get_type_hints(record)[step])
    return record  # type: ignore[no-any-return]


def _dataclass_in(hint: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return hint
    return next((found for part in get_args(hint) if (found := _dataclass_in(part))), None)


# --- rules between boards


def _shared_links(document: Document, shown: str, entries: dict[str, Data]) -> Iterator[Fault]:
    """Two boards must not share a probe or a port; the later one is at fault, and the first is named.

    Asks the entries as they stand, so that it is told beside other faults of theirs.
    """
    first: dict[tuple[Route, str], str] = {}
    for name, entry in entries.items():
        for place, named, key in links_of(entry):
            other = first.setdefault((place, key), name)
            if other != name:
                at = document.fault(("boards", other, *place), "").place(shown)
                what = f"{named} is the {place[0]} {place[1]} of board {other!r} ({at}) already"
                yield document.fault(("boards", name, *place), what)
