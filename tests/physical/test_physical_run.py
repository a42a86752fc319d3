# SPDX-License-Identifier: MIT
"""Commands of the rig on the physical path, each in a process of its own as a person runs them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from rig.evidence.measurement import Outcome
from rig.image.image import load_image
from tests.physical.bench import PROBE_ID, PhysicalBench
from tests.physical.image_build import Built

pytestmark = pytest.mark.emulated


def test_the_boot_suite_passes(bench: PhysicalBench, image: Built) -> None:
    done = bench.rig("qualify", "--suite", "boot", "--image", image.elf)
    assert done.returncode == 0, done.stdout + done.stderr
    run = bench.run()
    assert {case.outcome for case in run.cases} == {Outcome.PASS}
    (board,) = run.boards
    assert board.image_sha256 == load_image(image.elf).sha256
    assert "emulated" not in board.identity  # nothing of the run takes it for an emulated board
    assert board.identity["probe"] == "cmsisdap"
    assert {"console", "probe", "power"} <= {event.source for event in run.events}


def test_what_the_board_lacks_is_skipped_and_named(bench: PhysicalBench, image: Built) -> None:
    done = bench.rig("qualify", "--image", image.elf)
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [case for case in bench.run().cases if case.outcome is Outcome.SKIPPED]
    assert skipped
    said = "board microbit (has no feature '[a-z0-9-]+'|cannot reach this machine's loopback; give it .*)"
    assert [case.reason for case in skipped if not re.fullmatch(said, case.reason)] == []


def test_flash_and_console_by_hand(bench: PhysicalBench, image: Built) -> None:
    flashed = bench.rig("flash", "microbit", image.hex)
    assert flashed.returncode == 0, flashed.stderr
    assert "flashed and read back by flash algorithm on the core" in flashed.stdout
    again = bench.rig("flash", "microbit", image.bin)
    assert "is there already, compared byte by byte" in again.stdout
    talked = bench.rig("console", "microbit", "--reset", typed="id\nping hello\n")
    assert talked.returncode == 0, talked.stderr
    assert "serial=0000000312345678" in talked.stdout
    assert "text=hello" in talked.stdout


def test_pyocd_lists_the_probe(bench: PhysicalBench) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pyocd", "list", "--probes"],
        env={"PATH": "/usr/bin:/bin", **bench.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(rf"Rig Simulated CMSIS-DAP\s+{PROBE_ID}", listed.stdout), listed.stdout + listed.stderr
