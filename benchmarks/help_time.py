# SPDX-License-Identifier: MIT
"""How long ``rig --help`` takes, beside an empty Python and one that imports click, interleaved in one run.

Run: ``python benchmarks/help_time.py``. Prints medians of 20 runs after one to warm up. Goal: below 0.15 s.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

RUNS = 20
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "rig --help": [str(Path(sys.executable).with_name("rig")), "--help"],
}


def wall_s(argv: list[str]) -> float:
    """Seconds from start to end of one process."""
    begin = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Prints a line per command: its median and its ratio to the empty Python's."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS + 1):
        for name, argv in COMMANDS.items():
            times[name].append(wall_s(argv))
    medians = {name: median(series[1:]) for name, series in times.items()}
    reference = medians["python -c pass"]
    for name, value in medians.items():
        print(f"{name:26} {value * 1000:6.1f} ms  {value / reference:5.2f}×")


if __name__ == "__main__":
    main()
