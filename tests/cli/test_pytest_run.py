# SPDX-License-Identifier: MIT
"""How suites are run: stopped also where the interrupt itself is lost, and never dealt to workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = """
import os, signal, sys

def test_the_plugins():
    assert not {{"xdist", "execnet"}} & sys.modules.keys()

def test_first():
    try:
        os.kill(os.getpid(), signal.{name})
        signal.pause()
    except KeyboardInterrupt:
        pass  # as a finalizer or a library may do

def test_second():
    open("second", "w").close()
"""
RUN = """
import sys
from pathlib import Path
from rig.cli.pytest_run import run_pytest
sys.exit(run_pytest(["test_cases.py"], Path(), object()))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_no_case_begins_after_an_interrupt_that_was_lost(tmp_path: Path, name: str) -> None:
    (tmp_path / "test_cases.py").write_text(CASES.format(name=name))
    environ = {"PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert not (tmp_path / "second").exists()
