# SPDX-License-Identifier: MIT
"""Data to inventory records, or every fault at once, each with its place and in words for people.

Owns the wording and the rules that join several facts of a board: ranges that overlap, links that contradict.
What one value may be is ``inventory_values``; what two boards may not share is ``inventory_shared``. Imports
pydantic and yaml: import it lazily.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from rig.bench.inventory import EMULATED, RTT, Board, Inventory, MemoryRange
from rig.bench.inventory_shared import shared_links
from rig.bench.inventory_values import ADDRESS_END, described, nearest, suggestion
from rig.bench.inventory_yaml import Data, Document, Fault, Route, Step, Unreadable, read_document
from rig.errors import InventoryFault

Found = Iterator[tuple[Route, str]]

_INJECTED: Final = frozenset({"name", "at"})  # facts of a Board that are not keys of the file
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
    adapter = TypeAdapter(Board)
    boards, lines = [], document.key_lines("boards")
    for name, entry in entries.items():
        route: Route = ("boards", name)
        try:
            board = _board(adapter, name, entry, f"{shown}:{lines[name]}")
        except ValidationError as error:
            faults += [_fault(document, route, detail) for detail in error.errors(include_url=False)]
        else:
            boards.append(board)
            faults += [document.fault((*route, *inner), text) for inner, text in _contradictions(board)]
        faults += [
            document.fault((*route, key), _unknown(key, Board), at_key=True)
            for key in _INJECTED & (entry.keys() if isinstance(entry, dict) else set())
        ]

    def place_of(route: Route) -> str:
        fault = document.fault(route, "")
        return f"{shown}:{fault.line}:{fault.column}"

    faults += [document.fault(route, text) for route, text in shared_links(boards, place_of)]
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


def _board(adapter: TypeAdapter[Board], name: str, entry: Data, at: str) -> Board:
    injected = {**entry, "name": name, "at": at} if isinstance(entry, dict) else entry
    # By JSON: pydantic's strict mode takes dataclasses from JSON objects but not from Python mappings.
    return adapter.validate_json(json.dumps(injected), strict=True)


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
    known = {item.name for item in dataclasses.fields(record)} - (_INJECTED if record is Board else set())
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


# --- rules that join several facts


def _contradictions(board: Board) -> Found:
    yield from _memory(board)
    yield from _identity(board)
    yield from _power(board)
    yield from _emulator(board)
    yield from _rtt(board)
    if "exact-clock" in board.features and (board.emulator is None or board.emulator.clock != "exact"):
        yield ("features",), "'exact-clock' needs an emulator with clock: exact"
    if not _FULL_IDS[board.probe.type].fullmatch(board.probe.id):
        yield ("probe", "id"), f"{board.probe.id!r} is not a full id: {_ID_SHAPES[board.probe.type]}"


def _memory(board: Board) -> Found:
    for kind, ranges in (("flash", board.flash), ("ram", board.ram)):
        if not ranges:
            yield (kind,), "expected one range or more, got an empty list"
        for index, item in enumerate(ranges):
            if item.end > ADDRESS_END:
                yield (
                    (kind, index),
                    f"range {item.name!r} ends at {item.end:#x}, beyond the 32-bit address space",
                )
    every = [(kind, i, item) for kind in ("flash", "ram") for i, item in enumerate(getattr(board, kind))]
    for (_, _, first), (kind, index, second) in combinations(every, 2):
        if first.name == second.name:
            yield (kind, index, "name"), f"duplicate range name {second.name!r}"
        if first.start < second.end and second.start < first.end:
            yield (kind, index), f"range {_span(second)} overlaps {_span(first)}"


def _span(item: MemoryRange) -> str:
    return f"{item.name!r} ({item.start:#010x} to {item.end:#010x})"


def _identity(board: Board) -> Found:
    device_id, serial = board.identity.device_id, board.identity.serial
    if device_id is not None:
        if device_id.address % 4:
            yield ("identity", "device_id", "address"), f"{device_id.address:#x} is not a multiple of 4"
        if device_id.mask == 0:
            yield ("identity", "device_id", "mask"), "a mask of 0 accepts any chip"
        elif device_id.value & ~device_id.mask:
            yield (
                ("identity", "device_id", "value"),
                f"{device_id.value:#x} has bits outside the mask {device_id.mask:#x}; it never matches",
            )
    for item in board.flash if serial is not None else ():
        if serial is not None and serial.address < item.end and item.start < serial.address + serial.length:
            yield (
                ("identity", "serial"),
                f"lies in flash range {_span(item)}, where an image may overwrite it",
            )


def _power(board: Board) -> Found:
    facts = board.power
    for key in ("on", "off", "status"):
        given = getattr(facts, key) is not None
        if facts.driver == "command" and not given and key != "status":
            yield ("power",), f"driver 'command' needs the argument list {key!r}"
        if facts.driver != "command" and given:
            yield ("power", key), f"only driver 'command' takes it, and the driver is {facts.driver!r}"


def _rtt(board: Board) -> Found:
    _, given, address = board.console.port.partition("rtt://")
    if given and not any(item.start <= int(address, 16) < item.end for item in board.ram):
        ranges = ", ".join(_span(item) for item in board.ram)
        yield ("console", "port"), f"{address} is not in the board's RAM: {ranges}"


def _emulator(board: Board) -> Found:
    parts = (
        (("probe", "type"), board.probe.type, "qemu"),
        (("console", "port"), board.console.port, EMULATED),
        (("power", "driver"), board.power.driver, EMULATED),
    )
    emulator = board.emulator
    for route, value, word in parts:
        if emulator is None and value == word:
            yield route, f"{word!r} needs the facts of an emulator, and the board has none"
        # Any type of probe may sit on an emulated board; its UART and its power switch are QEMU's own.
        if emulator is not None and value != word and word == EMULATED and not value.startswith(RTT):
            yield route, f"expected 'emulated', as the board has an emulator; got {value!r}"
    if emulator is None:
        return
    if emulator.clock == "free" and emulator.icount_shift is not None:
        yield ("emulator", "icount_shift"), "the free clock takes no icount_shift"
    if emulator.clock != "free" and emulator.icount_shift is None:
        yield ("emulator",), f"the {emulator.clock} clock needs the key 'icount_shift'"
    kept = next((item for item in board.flash if item.name == emulator.flash), None)
    if kept is None:
        names = [item.name for item in board.flash]
        yield (
            ("emulator", "flash"),
            f"no flash range {emulator.flash!r}; {suggestion(emulator.flash, names, label='known')}",
        )
    elif emulator.flash_size < kept.size:
        yield ("emulator", "flash_size"), f"{emulator.flash_size:#x} is less than range {_span(kept)}"


_FULL_IDS: Final = {
    "qemu": re.compile(r"[a-z][a-z0-9-]{0,31}"),
    "cmsisdap": re.compile(r"[A-Za-z0-9_.-]{8,}"),
    "stlink": re.compile(r"[0-9A-Fa-f]{24}"),
    "jlink": re.compile(r"[0-9]{6,12}"),
    "remote": re.compile(r"[^:\s]+:[0-9]{1,5}"),
}
_ID_SHAPES: Final = {
    "qemu": "expected a name such as the board's",
    "cmsisdap": "expected 8 characters or more, as 'pyocd list' prints it, without the type",
    "stlink": "expected the 24 hex digits that 'pyocd list' prints, without the type",
    "jlink": "expected the 6 to 12 digits that 'pyocd list' prints, without the type",
    "remote": "expected HOST:PORT",
}
