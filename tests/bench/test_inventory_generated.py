# SPDX-License-Identifier: MIT
"""A thousand generated inventories: each is taken or refused with a place, and none ends in a traceback.

What is taken is valid by the schema for editors too.

With RIG_EVIDENCE=1 all of them; else a sample. ``generated_inventories.py`` says how they come about.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from jsonschema import Draft202012Validator

from rig.bench.inventory import Inventory, load_inventory
from rig.bench.inventory_schema import inventory_schema
from rig.bench.inventory_yaml import read_document
from rig.cli import main
from rig.errors import InventoryFault
from tests.bench.generated_inventories import inventories

EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
EXAMPLES = 1000 if EVIDENCE else 100
SCHEMA = Draft202012Validator(inventory_schema())
PLACE = re.compile(r"devices\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S")
SEVERAL = re.compile(r"devices\.yaml: [0-9]+ faults")

many = settings(
    max_examples=EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.fixture(scope="module")
def seen() -> Iterator[Counter[str]]:
    """What became of the inventories of this module, printed at its end."""
    counted: Counter[str] = Counter()
    yield counted
    print("generated inventories:", ", ".join(f"{number} {what}" for what, number in counted.items()))
    assert counted.keys() >= {"loaded", "refused", "exit 0", "exit 2"}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "devices.yaml"


def places_of(fault: InventoryFault) -> list[str]:
    """Each fault that is told, as a line; the heading of several is left out."""
    first, *rest = str(fault).split("\n")
    return [line.removeprefix("  ") for line in rest] if SEVERAL.fullmatch(first) else [first, *rest]


@many
@given(content=inventories())
@example(content=b'boards: {"\\x1b[2J": 1}')
@example(content=b'boards: {a: {description: "\\ud800"}}')
@example(content=b"boards: {a: {core_hz: 1.0e999}}")
def test_every_inventory_is_taken_or_refused_with_its_places(
    seen: Counter[str], bench: Path, content: bytes
) -> None:
    bench.write_bytes(content)
    try:
        inventory = load_inventory(bench)
    except InventoryFault as fault:
        seen["refused"] += 1
        for line in places_of(fault):
            assert PLACE.match(line), line
            assert line.isprintable(), line
            assert len(line) < 1000
    else:
        seen["loaded"] += 1
        assert isinstance(inventory, Inventory)
        assert inventory.boards
        assert list(SCHEMA.iter_errors(read_document(bench).data)) == []


@many
@given(content=inventories())
def test_no_inventory_brings_the_command_line_down(seen: Counter[str], bench: Path, content: bytes) -> None:
    bench.write_bytes(content)
    result = CliRunner().invoke(main, ["boards"])
    seen[f"exit {result.exit_code}"] += 1
    assert result.exit_code in (0, 2), result.output
    assert not re.search(r"Traceback|a bug of the rig", result.output)
    assert result.stderr == "" if result.exit_code == 0 else result.stderr.startswith("rig: devices.yaml:")
