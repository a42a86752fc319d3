# SPDX-License-Identifier: MIT
"""A JSON Schema (draft 2020-12) of ``devices.yaml``, for editors: from the same records as the check.

Owns turning the records and their docstrings into a schema, and the rules between facts that one can say. It
refuses nothing that ``load_inventory`` takes; what it cannot say (ranges that overlap, two boards on one
probe, duplicate keys) only ``load_inventory`` refuses. Imports pydantic: import it lazily.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter

from rig.bench import inventory
from rig.bench.inventory import EMULATED, Board
from rig.bench.inventory_check import INJECTED
from rig.bench.inventory_rules import FULL_IDS
from rig.bench.inventory_values import Name, text_schema

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def inventory_schema() -> Schema:
    """The schema of a whole file, as what ``json.dumps`` takes."""
    board = TypeAdapter(Board).json_schema()
    records: dict[str, Schema] = {**board.pop("$defs"), "Board": board}
    for name, record in records.items():
        _describe(record, getattr(inventory, name))
        record |= _RULES.get(name, {})
    boards = {
        "description": "The boards of this bench, by name.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": TypeAdapter(Name).json_schema(),
        "additionalProperties": {"$ref": "#/$defs/Board"},
    }
    return {
        "$schema": DIALECT,
        "title": inventory.FILE_NAME,
        "description": "The inventory of a FreeRTOS qualification rig: facts about boards, no options.",
        "type": "object",
        "properties": {"boards": boards},
        "required": ["boards"],
        "additionalProperties": False,
        "$defs": records,
    }


def _describe(schema: Schema, record: type) -> None:
    """Puts the words of the record's docstring where they belong; facts that are no keys are left out."""
    names = [field.name for field in dataclasses.fields(record)]
    summary, told = _told(record, names)
    schema["description"] = summary
    properties = schema["properties"]
    for name in names:
        if name in INJECTED and record is Board:
            del properties[name]
            schema["required"].remove(name)
            continue
        properties[name].pop("title", None)
        if name in told:
            properties[name]["description"] = told[name]


def _told(record: type, names: list[str]) -> tuple[str, dict[str, str]]:
    """(summary, {field: what it means}) of a docstring with a "``field``: …" for each field."""
    text = " ".join((inspect.getdoc(record) or "").split())
    summary, *pieces = re.split(rf"``({'|'.join(names)})``: ", text)
    told = zip(pieces[::2], pieces[1::2], strict=True)
    return _plain(summary), {name: _plain(meaning) for name, meaning in told}


def _plain(text: str) -> str:
    """For people who write the file: there, a fact that is None is one that is left out."""
    return re.sub(r"\bNone\b", "left out", text).strip().replace("``", "'").removesuffix(".")


# --- rules that join several facts, as far as a schema can say them


def _if(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    return {"if": condition, "then": then, "else": {} if otherwise is None else otherwise}


def _has(**values: Schema) -> Schema:
    """Each key is there, with such a value."""
    return {"properties": values, "required": list(values)}


def _if_there(**values: Schema) -> Schema:
    return {"properties": values}


def _const(value: str) -> Schema:
    return {"const": value}


_ABSENT: Final[Schema] = {"type": "null"}
_OTHER: Final[Schema] = {"not": _const(EMULATED)}
_EMULATED_BOARD: Final = _has(emulator={"type": "object"})
_RULES: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "DeviceId": {"allOf": [_if_there(address={"multipleOf": 4}, mask={"not": {"const": 0}})]},
        "ProbeFacts": {
            "allOf": [
                _if(_has(type=_const(kind)), _if_there(id=text_schema(pattern.pattern)))
                for kind, pattern in FULL_IDS.items()
            ]
        },
        "PowerFacts": _if(
            _has(driver=_const("command")),
            {"required": ["on", "off"]},
            _if_there(on=_ABSENT, off=_ABSENT, status=_ABSENT),
        ),
        "EmulatorFacts": _if(
            _has(clock=_const("free")), _if_there(icount_shift=_ABSENT), {"required": ["icount_shift"]}
        ),
        "Board": {
            "allOf": [
                _if_there(flash={"minItems": 1}, ram={"minItems": 1}),
                _if(
                    _EMULATED_BOARD,
                    {
                        "required": ["firmware"],
                        **_if_there(
                            console=_if_there(port=_const(EMULATED)), power=_if_there(driver=_const(EMULATED))
                        ),
                    },
                    _if_there(
                        console=_if_there(port=_OTHER),
                        power=_if_there(driver=_OTHER),
                        probe=_if_there(type={"not": _const("qemu")}),
                    ),
                ),
                _if(
                    _has(features={"contains": _const("exact-clock")}),
                    _has(emulator=_has(clock=_const("exact"))),
                ),
            ]
        },
    }
)
