# SPDX-License-Identifier: MIT
"""What a run's figures depend on outside the board: the rig, its tools, and the machine it runs on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from rig.bench.inventory import Board
from rig.events import Scalar

_PACKAGES = ("freertos-rig", "pyocd", "pyserial", "pytest", "numpy")


CAMPAIGN = "campaign"
"""Under this name a run says which campaign asked for it."""


def describe_environment(boards: Iterable[Board], campaign: str = "") -> dict[str, Scalar]:
    """Names and versions, as the run's header keeps them. Blocks for the emulator's version, 20 ms."""
    known: dict[str, Scalar] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "command": " ".join(sys.argv)[:500],
    }
    for package in _PACKAGES:
        known[package] = _version(package)
    if any(board.emulator is not None for board in boards):
        known["qemu"] = _first_line("qemu-system-arm", "--version")
    if campaign:
        known[CAMPAIGN] = campaign
    return known


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _first_line(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown: {error}"
    return done.stdout.partition("\n")[0]
