# SPDX-License-Identifier: MIT
"""``rig threads`` on the emulated board: the tasks of its kernel, and images that the board does not hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rig.image.build import build

pytestmark = pytest.mark.emulated

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A folder with the shipped inventory, and the firmware built."""
    build("mps2", project_root=PROJECT, environ=os.environ, say=lambda _: None)
    shutil.copy(PROJECT / "devices.yaml", tmp_path)
    (tmp_path / "build").symlink_to(PROJECT / "build")
    return tmp_path


def rig(bench: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rig.cli import main; main()", *args]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        command, cwd=bench, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_tasks_with_their_stacks(bench: Path) -> None:
    assert rig(bench, "flash", "mps2", "build/firmware/mps2/app.elf").returncode == 0
    done = rig(bench, "threads", "mps2")
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0].strip(): line for line in done.stdout.splitlines()[1:]}
    assert {"console", "IDLE", "noise", "Tmr Svc"} <= rows.keys()
    assert re.search(r"console +blocked +3  0x2[0-9a-f]{7} +\d+ bytes, \d+$", rows["console"])
    assert sum(" running " in line for line in rows.values()) == 1


def test_another_image_than_the_board_holds_is_refused(bench: Path) -> None:
    done = rig(bench, "threads", "mps2")  # a new board: its flash is blank
    assert done.returncode == 2
    assert "the board holds another image than" in done.stderr
    assert "flash this one" in done.stderr


def test_a_board_without_firmware_of_ours_needs_the_elf(bench: Path) -> None:
    """The example of the shipped inventory, a board on the bench, without its firmware."""
    inventory = bench / "devices.yaml"
    example = inventory.read_text().split("looks like this:\n#\n")[1]
    entry = "\n".join(line.removeprefix("#") for line in example.splitlines())
    inventory.write_text("boards:\n" + entry.replace("    firmware: {preset: nucleo-f411}", ""))
    done = rig(bench, "threads", "nucleo-03")
    assert done.returncode == 2, done.stderr
    assert "Give the ELF that it holds" in done.stderr
