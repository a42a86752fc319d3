# SPDX-License-Identifier: MIT
"""How long a person waits: for the command line, for one case, and for a whole qualification."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import BOARD, BUILD, QUALIFY, RIG, ROOT, own_bench, process_s, qemu_boot_s
from benchmarks.figures import Comparison, Goal, Series, alternately
from benchmarks.help_time import COMMANDS, wall_s
from rig.evidence.reader import load_run

_CASE = ROOT / "suites" / "boot" / "test_boot.py::test_banner_names_the_flashed_image"


def help_text() -> Comparison:
    """``rig --help``, the command people wait for without knowing why."""
    names = ("rig --help", "python -c 'import click'")
    measures = {name: partial(wall_s, COMMANDS[name]) for name in names}
    figure, reference = alternately(20, "s", measures)
    return Comparison(figure, (reference,), Goal("at most", 0.15))


def image_memory() -> Iterator[Comparison]:
    """``rig image memory``, the whole command, beside binutils' listing of the same ELF."""
    for name in ("mps2", "stm32f4"):
        elf = BUILD.parent / name / "app.elf"
        measures: dict[str, list[str | Path]] = {
            f"rig image memory, {name}": [RIG, "image", "memory", str(elf)],
            "arm-none-eabi-nm -S --size-sort -l": ["arm-none-eabi-nm", "-S", "--size-sort", "-l", str(elf)],
            "python -c 'import click, elftools'": [
                sys.executable,
                "-c",
                "import click, elftools.elf.elffile",
            ],
        }
        timed = {label: partial(process_s, argv, ROOT) for label, argv in measures.items()}
        figure, *references = alternately(10, "s", timed)
        yield Comparison(figure, tuple(references), Goal("at most", 0.5))


def one_case() -> Comparison:
    """One pytest process that flashes, boots and expects the banner."""
    with own_bench() as inventory:
        folder = inventory.path.parent
        empty = folder / "test_empty.py"
        empty.write_text("def test_empty() -> None:\n    pass\n")
        flash = inventory.state_dir / BOARD / "flash.bin"
        place = ["--board", BOARD, "--inventory", str(inventory.path), "--runs-dir", str(folder / "runs")]
        figure, *references = alternately(
            7,
            "s",
            {
                "one case: flash, boot, expect the banner": lambda: _pytest_s(
                    folder, _CASE, *place, "--force-flash"
                ),
                "the same pytest with an empty test": lambda: _pytest_s(
                    folder, empty, "-p", "no:hypothesispytest"
                ),
                "QEMU's boot of the flashed firmware": lambda: qemu_boot_s(flash),
            },
        )
    return Comparison(figure, tuple(references), Goal("at most", 1.5))


def qualification() -> Comparison:
    """``rig qualify``, the firmware being built."""
    with own_bench() as inventory:
        folder = inventory.path.parent
        flash = inventory.state_dir / BOARD / "flash.bin"
        figure, reference = alternately(
            5,
            "s",
            {
                f"rig qualify --board {BOARD}": lambda: process_s([*QUALIFY, "--board", BOARD], folder),
                "QEMU's boot of the flashed firmware": lambda: qemu_boot_s(flash),
            },
        )
    return Comparison(figure, (reference,), Goal("at most", 20.0))


def at_work() -> Comparison:
    """How much of a run the board has something to do: from the first command to the last sample."""
    rows = []
    with own_bench() as inventory:
        folder = inventory.path.parent
        for _ in range(5):
            command_s = process_s([*QUALIFY, "--board", BOARD], folder)
            rows.append((*_work_s(max((folder / "runs").glob("*Z-*"))), command_s))
    work, run, command = (tuple(column) for column in zip(*rows, strict=True))
    references = (Series("the run, by its record", "s", run), Series("the whole command", "s", command))
    figure = Series("board at work: first command to last sample", "s", work)
    return Comparison(figure, references, Goal("ratio at least", 0.7))


def _work_s(path: Path) -> tuple[float, float]:
    """Seconds from the first command sent to the end of the last case that measured; of the run."""
    run = load_run(path)
    measured = {(m.suite, m.case) for m in run.measurements}
    first = min(event.t_ns for event in run.events if event.kind == "sent") / 1e9
    last = max(c.started_ns / 1e9 + c.duration_s for c in run.cases if (c.suite, c.case) in measured)
    return last - first, run.duration_s


def _pytest_s(folder: Path, *arguments: str | Path) -> float:
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider", "-q"]
    plugin = ["-p", "rig.pytest_plugin"]
    return process_s([sys.executable, "-m", "pytest", *settings, *plugin, *arguments], folder)
