# SPDX-License-Identifier: MIT
"""The console manual is what the command table says, and the table keeps its own rules."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from suites.boot.test_boot import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "firmware" / "protocol" / "generate.py"
MANUAL = ROOT / "docs" / "console-commands.md"


def _generate(kind: str, out: Path) -> str:
    subprocess.run([sys.executable, str(GENERATOR), kind, str(out)], check=True, timeout=60)
    return out.read_text(encoding="utf-8")


def test_manual_is_current(tmp_path: Path) -> None:
    fresh = _generate("docs", tmp_path / "manual.md")
    assert MANUAL.read_text(encoding="utf-8") == fresh, (
        "docs/console-commands.md is stale: "
        "python firmware/protocol/generate.py docs docs/console-commands.md"
    )


def test_table_has_a_handler_for_every_command(tmp_path: Path) -> None:
    header = _generate("header", tmp_path / "table.h")
    sources = "".join(path.read_text() for path in (ROOT / "firmware").rglob("cmd_*.c"))
    declared = re.findall(r"^void (command_\w+)\(", header, re.MULTILINE)
    assert declared
    assert [name for name in declared if f"void {name}(" not in sources] == []


def test_the_boot_suite_expects_the_commands_of_each_feature() -> None:
    promised: dict[str, tuple[str, ...]] = {}
    for command in tomllib.loads((ROOT / "firmware/protocol/commands.toml").read_text())["command"]:
        if "feature" in command:
            promised[command["feature"]] = (*promised.get(command["feature"], ()), command["name"])
    assert {feature: sorted(names) for feature, names in COMMANDS.items()} == {
        feature: sorted(names) for feature, names in promised.items()
    }


@pytest.mark.parametrize("arguments", [[], ["header"], ["pdf", "out"]])
def test_generator_refuses_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(GENERATOR), *arguments], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
