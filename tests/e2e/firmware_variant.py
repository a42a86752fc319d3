# SPDX-License-Identifier: MIT
"""Builds the firmware of the emulated board with a header of a test's own in front of every source."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from rig.image.sources import kernel_path
from tests.e2e.bench_place import BOARD, PROJECT

_LONGEST_S = 120.0


def firmware_variant(folder: Path, header: str) -> Path:
    """The ELF of the variant, built below ``folder``; takes a few seconds."""
    folder.mkdir(exist_ok=True)
    first = folder / "first.h"
    first.write_text(header)
    configure = ["cmake", "--preset", BOARD, "-B", str(folder), f"-DCMAKE_C_FLAGS=-include {first}"]
    configure.append(f"-DFREERTOS_KERNEL_PATH={kernel_path(PROJECT, os.environ)}")
    configure.append("-DRIG_NETWORK=OFF")
    for command in (configure, ["cmake", "--build", str(folder), "--target", "app"]):
        done = subprocess.run(
            command,
            cwd=PROJECT / "firmware",
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "app.elf"
