# SPDX-License-Identifier: MIT
"""Cases of one name in one suite are refused before anything is touched; those as shipped all differ."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _collected(folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "--board",
        "mps2",
    ]
    return subprocess.run(
        [*argv, "--rootdir", str(folder), *map(str, paths)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_the_cases_as_shipped_all_differ() -> None:
    done = _collected(ROOT, ROOT / "suites")
    assert done.returncode == 3, done.stdout + done.stderr  # nothing ran
    assert "tests collected" in done.stdout


def test_two_cases_of_one_name_are_refused_with_their_files(tmp_path: Path) -> None:
    suite = tmp_path / "suites" / "demo"
    suite.mkdir(parents=True)
    for name in ("test_a.py", "test_b.py"):
        (suite / name).write_text("def test_same() -> None:\n    pass\n")
    shutil.copyfile(ROOT / "conftest.py", tmp_path / "conftest.py")
    shutil.copyfile(ROOT / "devices.yaml", tmp_path / "devices.yaml")
    done = _collected(tmp_path, suite)
    assert done.returncode == 4
    said = done.stdout + done.stderr
    assert "two cases are called demo/same" in said
    assert "test_a.py" in said
    assert "test_b.py" in said
