# SPDX-License-Identifier: MIT
"""What the benchmarks measure on: a bench of their own in a temporary folder, and programs beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rig.bench.inventory import FILE_NAME, Inventory, load_inventory

ROOT = Path(__file__).resolve().parents[1]
BOARD = "mps2"
BUILD = ROOT / "build" / "firmware" / BOARD
RIG = Path(sys.executable).with_name("rig")
QUALIFY = [RIG, "qualify", *(word for suite in ("boot", "kernel", "memory") for word in ("--suite", suite))]
"""A run of the suites without a network, by which the speed of a run is told."""


@contextlib.contextmanager
def own_bench() -> Iterator[Inventory]:
    """The shipped inventory with its state and runs in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        shutil.copy(ROOT / FILE_NAME, Path(name))
        yield load_inventory(Path(name) / FILE_NAME)


def process_s(argv: Sequence[str | Path], folder: Path) -> float:
    """Seconds from start to end of a process that must succeed; what it printed is shown when it did not."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in argv], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(
            f"{' '.join(map(str, argv))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return seconds


def seconds_until(text: bytes, argv: Sequence[str]) -> float:
    """Seconds from the start of a program until a line with this text; the program is killed then."""
    begin = time.perf_counter()
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            if not any(text in line for line in program.stdout):
                raise SystemExit(f"{argv[0]} ended without {text!r}: {program.stderr.read().decode()}")
            return time.perf_counter() - begin
        finally:
            program.kill()


def qemu_start_s() -> float:
    """Seconds until a QEMU of the board's machine, with nothing of ours, greets its controller."""
    return seconds_until(
        b'"QMP"',
        [
            "qemu-system-arm",
            "-nodefaults",
            "-display",
            "none",
            "-S",
            "-machine",
            "mps2-an385",
            "-qmp",
            "stdio",
        ],
    )


def qemu_boot_s(flash_file: Path) -> float:
    """Seconds until QEMU alone has booted the firmware in this flash file and it takes commands."""
    argv = [
        "qemu-system-arm",
        *("-nodefaults", "-display", "none", "-machine", "mps2-an385,memory-backend=flash0"),
        *("-object", f"memory-backend-file,id=flash0,size=16M,mem-path={flash_file},share=on"),
        *("-device", f"loader,file={BUILD / 'boot.elf'}", "-serial", "stdio"),
        *("-icount", "shift=7,sleep=off"),
    ]
    return seconds_until(b" ready ", argv)
