# SPDX-License-Identifier: MIT
"""The disk is full in the middle of a run: ERROR, and what was kept up to then can be read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from tests.e2e.bench_place import BenchPlace

pytestmark = pytest.mark.emulated

KIB = {"at once": 4, "before the first case": 48, "in the first cases": 160, "in the middle": 560}
"""Sizes of the disk, by when it gets full: a whole run takes about 1200 KiB."""


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of its own, of so many KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(folder)]
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk of its own")
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("disk", KIB.values(), ids=KIB, indirect=True)
def test_full_disk_is_an_error_and_the_journal_is_readable(disk: Path, place: BenchPlace) -> None:
    done = place.rig("qualify", "--suite", "kernel", "--suite", "memory", cwd=disk)
    assert done.code == 3, done.err
    assert "Traceback" not in done.err
    assert "INTERNALERROR" not in done.err
    assert "No space left on device" in done.err
    ended = [line.split()[2] for line in done.err.splitlines() if line.startswith("PASS ")]
    folders = [path for path in (disk / "runs").glob("*") if path.is_dir()]
    if not ended and not any((folder / "journal.jsonl").exists() for folder in folders):
        return  # not even its beginning could be kept, and nothing else was promised
    run = load_run(folders[0])
    assert run.outcome is Outcome.ERROR
    kept = [f"{case.suite}/{case.case}" for case in run.cases if case.outcome is Outcome.PASS]
    assert kept == ended
