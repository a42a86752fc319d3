# SPDX-License-Identifier: MIT
"""The JSON Schema for editors: takes what the rig takes, refuses every fault that a schema can express."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from rig.bench.inventory_schema import inventory_schema
from rig.bench.inventory_yaml import Unreadable, read_document
from rig.cli import main
from tests.bench.test_inventory_faults import EMULATED_FAULTS, FAULTS

SHIPPED = (Path(__file__).parents[2] / "devices.yaml").read_text()
EXAMPLE = "# A board on the bench looks like this:\n#\n"

# What only the rig itself can see: sums, names that refer to each other, and what is no YAML for it.
BEYOND = {
    *("duplicate key", "range over the end", "overlap", "flash over RAM", "two ranges of a name"),
    *("serial in flash", "serial in RAM", "serial over the end", "device id in flash"),
    *("device id never matches", "a key that is a list"),
    *("unknown range", "small file", "file over the end", "file over RAM", "serial outside the file"),
    *("RTT outside RAM", "tabs", "open bracket", "unknown alias", "second document", "control character"),
}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema as a program has it that knows nothing of the rig."""
    schema = json.loads(CliRunner().invoke(main, ["schema"]).stdout)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _refusals(validator: Draft202012Validator, folder: Path, text: str) -> list[str]:
    path = folder / "devices.yaml"
    path.write_text(text)
    return [error.message for error in validator.iter_errors(read_document(path).data)]


def test_what_the_rig_takes_is_valid(validator: Draft202012Validator, tmp_path: Path, physical: str) -> None:
    head, example = SHIPPED.split(EXAMPLE)
    used = head + "\n".join(line.removeprefix("#") for line in example.splitlines())
    for text in (SHIPPED, used, physical, physical.replace("0x20000}", "'128 KiB'}")):
        assert _refusals(validator, tmp_path, text) == []


def test_what_an_editor_takes_for_text_is_valid(
    validator: Draft202012Validator, tmp_path: Path, physical: str
) -> None:
    """In YAML 1.2, which editors read, 100_000_000 is a text."""
    assert "core_hz: 100_000_000" in physical
    text = physical.replace("100_000_000", '"100_000_000"').replace("0xFFF,", '"0xF_FF",')
    assert _refusals(validator, tmp_path, text) == []


@pytest.mark.parametrize("name", [*FAULTS, *EMULATED_FAULTS])
def test_each_fault_is_refused_but_for_what_no_schema_can_say(
    validator: Draft202012Validator, tmp_path: Path, physical: str, name: str
) -> None:
    old, new, _ = {**FAULTS, **EMULATED_FAULTS}[name]
    good = physical if name in FAULTS else SHIPPED
    try:
        refusals = _refusals(validator, tmp_path, good.replace(old, new, 1))
    except Unreadable:
        assert name in BEYOND
    else:
        assert bool(refusals) is (name not in BEYOND), refusals


def test_no_board_at_all(validator: Draft202012Validator) -> None:
    nothing: list[object] = [None, [], {}, {"boards": {}}, {"boards": None}, {"boards": []}]
    for data in nothing:
        assert not validator.is_valid(data)


def _records(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (name, key, value)
        for name, record in schema["$defs"].items()
        for key, value in record["properties"].items()
    ]


def test_every_key_is_explained() -> None:
    schema = inventory_schema()
    assert all(record["description"] for record in schema["$defs"].values())
    silent = [
        f"{name}.{key}"
        for name, key, value in _records(schema)
        if not value.get("description") and "$ref" not in value
    ]
    assert silent == []
    told = schema["$defs"]["MemoryRange"]["properties"]["size"]["description"]
    assert told == "in bytes, 1 or more. Ranges of one board do not overlap"


def test_the_schema_has_the_keys_of_the_file_and_no_others() -> None:
    board = inventory_schema()["$defs"]["Board"]
    assert {"name", "at"}.isdisjoint(board["properties"])
    assert {"name", "at"}.isdisjoint(board["required"])
    assert board["additionalProperties"] is False
