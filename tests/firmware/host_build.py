# SPDX-License-Identifier: MIT
"""Builds the firmware's programs for this machine: unit tests and clients, with sanitizers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from rig.image.sources import silent, source_path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "firmware" / "test"


def run(*command: str | Path, data: bytes = b"") -> str:
    """What a program prints; its failure fails the test with what it said."""
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode()


def host_program(name: str) -> Path:
    """A program of firmware/test, built in a folder kept between runs."""
    build = ROOT / "build" / "firmware" / "host"
    mbedtls = source_path("mbedtls", ROOT, os.environ, silent)
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", f"-DMBEDTLS_PATH={mbedtls}")
    run("cmake", "--build", build)
    return build / name
