# SPDX-License-Identifier: MIT
"""``rig boards``: every board is shown, with who holds it; a file's text is never taken for markup."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rig.bench.lock import board_lock
from rig.cli import main

SHIPPED = Path(__file__).parents[2] / "devices.yaml"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A folder with the shipped inventory and nothing else."""
    (tmp_path / "devices.yaml").write_text(SHIPPED.read_text())
    return tmp_path


def _boards(bench: Path, *args: str, columns: int = 200) -> Result:
    runner = CliRunner(env={"COLUMNS": str(columns)})
    return runner.invoke(main, ["--inventory", str(bench / "devices.yaml"), "boards", *args])


def test_the_table(bench: Path) -> None:
    result = _boards(bench)
    assert result.exit_code == 0
    shown = ("mps2", "mps2_an385 (QEMU mps2-an385)", "console, crash-record", "not yet run", str(bench))
    for text in shown:
        assert text in result.stdout
    assert not (bench / ".rig").exists()


def test_the_table_in_a_narrow_terminal_keeps_the_names(bench: Path) -> None:
    assert "mps2 " in _boards(bench, columns=50).stdout


def test_who_holds_a_board(bench: Path) -> None:
    assert "process" not in _boards(bench).stdout
    with board_lock("mps2", bench / ".rig"):
        assert f"process {os.getpid()}" in _boards(bench).stdout
        facts, *others = json.loads(_boards(bench, "--json").stdout)
    assert facts["in_use_by"]["pid"] == os.getpid()
    assert [other["in_use_by"] for other in others] == [None] * len(others)


def test_json_has_every_fact(bench: Path) -> None:
    facts = json.loads(_boards(bench, "--json").stdout)[0]
    assert facts["name"] == "mps2"
    assert facts["identity"]["device_id"]["address"] == 0x4002FFFC
    assert facts["flash"] == [{"name": "app", "start": 0x21000000, "size": 0xFFF000}]
    assert facts["features"] == sorted(facts["features"])
    assert facts["in_use_by"] is None


def test_brackets_in_a_description_are_text(bench: Path) -> None:
    path = bench / "devices.yaml"
    path.write_text(path.read_text().replace("description: QEMU's", "description: '[red]x[/red]' #"))
    assert "[red]x[/red]" in _boards(bench).stdout


def test_a_faulty_inventory_is_told_on_standard_error(bench: Path) -> None:
    path = bench / "devices.yaml"
    path.write_text(path.read_text().replace("core_hz", "core_khz"))
    result = _boards(bench)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "boards.mps2.core_khz: unknown key; did you mean 'core_hz'?" in result.stderr
