# SPDX-License-Identifier: MIT
"""How much longer three boards take than one, side by side on this machine's cores."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.bench import BOARD, QUALIFY, own_bench, process_s
from benchmarks.figures import Comparison, Goal, alternately

_NAMES = (BOARD, "second", "third")
_RATIO = 1.9


def three_against_one() -> Comparison:
    """``rig qualify --all`` with three boards like the shipped one, beside the first of them alone."""
    with own_bench() as inventory:
        _multiply(inventory.path)
        folder = inventory.path.parent
        figure, reference = alternately(
            5,
            "s",
            {
                "rig qualify, three boards side by side": lambda: process_s([*QUALIFY, "--all"], folder),
                f"rig qualify --board {BOARD}": lambda: process_s([*QUALIFY, "--board", BOARD], folder),
            },
        )
    note = f"on {os.cpu_count()} cores; an emulated board keeps about one and a half of them busy"
    return Comparison(figure, (reference,), Goal("ratio at most", _RATIO), note)


def _multiply(inventory: Path) -> None:
    """Writes three boards that differ in nothing but their names."""
    entry = inventory.read_text().split("boards:\n")[1].split("\n\n")[0] + "\n"
    boards = [
        entry.replace(f"  {BOARD}:", f"  {name}:", 1).replace(f"id: {BOARD},", f"id: {name},", 1)
        for name in _NAMES
    ]
    inventory.write_text("boards:\n" + "".join(boards))
