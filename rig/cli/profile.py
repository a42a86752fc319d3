# SPDX-License-Identifier: MIT
"""``rig profile``: what the samples of a benchmark executed, counted from outside, function by function.

Owns the choice of images and the two ways out, table and JSON. It judges no board.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli import COMMANDS, EXIT_ERROR, Options, candidates
from rig.errors import UsageFault

if TYPE_CHECKING:
    from rig.bench.inventory import Inventory
    from rig.image.profile import Profile, ShareChange


@click.command(short_help=COMMANDS["profile"])
@click.argument("board", shell_complete=candidates.boards)
@click.argument("benchmark")
@click.argument("arg", type=int, default=0)
@click.option("--n", "samples", type=click.IntRange(1, 4096), default=2000, help="Samples; default 2000.")
@click.option(
    "--image",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="The ELF to run, or a firmware's build folder. Default: the board's firmware, built.",
)
@click.option(
    "--against",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Compare with another ELF or build folder, or with a profile kept by --json.",
)
@click.option(
    "--capture",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare with a sigrok capture (.sr or CSV) of the board's marker pin instead.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole result as JSON: docs/profiling.md.")
@click.pass_obj
def profile(
    options: Options,
    board: str,
    benchmark: str,
    arg: int,
    samples: int,
    image: Path | None,
    against: Path | None,
    capture: Path | None,
    as_json: bool,
) -> None:
    """Run BENCHMARK with ARG on BOARD and measure it from outside, too.

    On an emulated board the instrument is in the emulator and does not look at the firmware's counter; both
    figures must be the same in every sample. The median sample is shown by function. With --against, so is
    what changed. On any board, a logic analyser on the marker pin does: --capture.

    Exit code: 0, or 3 if what both say differs.

    Example: rig profile mps2 queue.send 16
    """
    from rig.cli.outside import exact_shift

    inventory = options.inventory()
    if capture is not None:
        if against is not None:
            raise click.UsageError("--capture and --against exclude each other")
        _by_pin(inventory, (board, benchmark, arg, samples), image, capture, as_json)
        return
    wanted = (benchmark, arg, samples)
    exact_shift(inventory, board)  # refused before anything is built
    elf = _elf(inventory, board, image)
    before = _before(inventory, board, against, wanted) if against is not None else None
    after = _profiled(inventory, board, elf, wanted)
    if before is not None and before.name != after.name:
        raise UsageFault(f"{against} is a profile of {before.name}, not of {after.name}")
    if as_json:
        click.echo(json.dumps(_document(before, after), indent=2))
    else:
        from rig.cli.profile_table import print_comparison, print_profile

        print_profile(after)
        if before is not None:
            print_comparison(before, after, str(against), elf)
    if not after.agrees:
        click.echo(f"rig: {disagreement(after)}", err=True)
        raise click.exceptions.Exit(EXIT_ERROR)


def disagreement(profile: Profile) -> str:
    """Where firmware and instrument part, as a sentence."""
    assert profile.differs is not None
    number, said, seen = profile.differs
    compared = profile.compared
    return (
        f"firmware and instrument differ in {compared - profile.equal} of {compared} samples, "
        f"first in sample {number}: the firmware says {said}, the instrument {seen} instructions"
    )


def _by_pin(
    inventory: Inventory, order: tuple[str, str, int, int], image: Path | None, capture: Path, as_json: bool
) -> None:
    from rig.cli.marker_pin import measure_pin
    from rig.cli.profile_table import print_pin

    def say(text: str) -> None:
        click.echo(f"rig: {text}", err=True)
        click.pause("rig: press a key when that is done", err=True)

    found = measure_pin(inventory, order, _elf(inventory, order[0], image), capture, say)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        print_pin(found)
    if not found.agrees:
        click.echo("rig: firmware and logic analyser differ by more than both can tell", err=True)
        raise click.exceptions.Exit(EXIT_ERROR)


def _elf(inventory: Inventory, name: str, image: Path | None) -> Path:
    """The ELF of ``--image``, or that of the board's firmware, brought up to date."""
    from rig.image.build import build
    from rig.project import project_root

    if image is not None:
        return _in_folder(image)
    firmware = inventory.board(name).firmware
    if firmware is None:
        raise UsageFault("it names no firmware to build", board=name, hint="Give --image PATH")
    root = project_root(inventory.path)
    say = lambda line: click.echo(f"rig: {line}", err=True)  # noqa: E731
    return build(firmware.preset, project_root=root, environ=os.environ, say=say).elf


def _in_folder(path: Path) -> Path:
    elf = path / "app.elf" if path.is_dir() else path
    if not elf.is_file():
        raise UsageFault(f"no {elf}: expected an ELF file, or the build folder of a firmware")
    return elf


def _before(inventory: Inventory, board: str, path: Path, wanted: tuple[str, int, int]) -> Profile:
    from rig.image.profile import profile_of_json

    if path.suffix != ".json":
        return _profiled(inventory, board, _in_folder(path), wanted)
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageFault(f"{path}: cannot be read as JSON: {error}") from error
    return profile_of_json(data, str(path))


def _profiled(inventory: Inventory, board: str, elf: Path, wanted: tuple[str, int, int]) -> Profile:
    from rig.cli.outside import opened_outside

    with opened_outside(inventory, board, elf) as outside:
        return outside.profile(outside.measure(*wanted))


def _document(before: Profile | None, after: Profile) -> Mapping[str, Any]:
    from rig.image.profile import compared

    if before is None:
        return after.as_json()
    changes: dict[str, tuple[ShareChange, ...]] = compared(before, after)
    return {
        **after.as_json(),
        "against": before.as_json(),
        "changes": {name: [asdict(change) for change in found] for name, found in changes.items()},
    }
