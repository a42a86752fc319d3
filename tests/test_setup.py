# SPDX-License-Identifier: MIT
"""``tools/setup`` where it cannot install: one message that lists what is missing, and nothing touched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SETUP = Path(__file__).parents[1] / "tools" / "setup"
NEEDED = ("bash", "env", "dirname", "cat", "sha256sum", "cut", "python3")


def bare_machine(tmp_path: Path, *programs: str) -> dict[str, str]:
    """An environment whose PATH holds these programs and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in programs:
        found = shutil.which(name)
        assert found is not None, name
        (folder / name).symlink_to(found)
    return {"PATH": str(folder)}


def test_a_machine_without_apt_gets_one_list(tmp_path: Path) -> None:
    tools = tmp_path / "project" / "tools"
    tools.mkdir(parents=True)
    for name in ("setup", "system-packages.txt"):
        shutil.copy(SETUP.with_name(name), tools / name)
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, str(tools / "setup")],
        env=bare_machine(tmp_path, *NEEDED),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert "no apt-get" in done.stderr
    assert {"  qemu-system-arm", "  gcc-arm-none-eabi", "  cmake"} <= set(done.stderr.splitlines())
    assert not (tmp_path / "project" / ".venv").exists()


def test_every_package_names_how_to_see_it() -> None:
    rows = [
        line.split()
        for line in SETUP.with_name("system-packages.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert all(len(row) == 2 and row[1].partition(":")[0] in {"command", "file", "python"} for row in rows)
