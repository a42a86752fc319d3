# SPDX-License-Identifier: MIT
"""``rig image``: what is in a firmware image. No board is touched.

Owns which file, run or board an argument means; the accounting is ``rig/image/``, the text ``image_text.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli import COMMANDS, EXIT_FAIL, Options, candidates
from rig.cli.image_sign import info, ladder, sign
from rig.errors import RigError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig.bench.inventory import Board
    from rig.cli.image_budget import Budget
    from rig.image.contents import Contents
    from rig.image.memory_diff import Difference
    from rig.image.memory_table import Table
    from rig.image.stack_worst import StackWorst

TABLE = "image-memory.json"
"""The name under which the memory suite keeps an image's table with its run."""


@click.group(short_help=COMMANDS["image"])
def image() -> None:
    """Say what is in a firmware image; no board is touched.

    Example: rig image memory build/firmware/mps2/app.elf
    """


image.add_command(sign)
image.add_command(info)
image.add_command(ladder)


@image.command(short_help="Memory by region, library, object and symbol.")
@click.argument("wanted", metavar="ELF", shell_complete=candidates.images)
@click.option(
    "--against",
    metavar="ELF",
    shell_complete=candidates.images,
    help="Show the difference from this image to ELF.",
)
@click.option(
    "--map",
    "map_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Linker map of ELF. Default: the file beside it with its name and .map.",
)
@click.option(
    "--board",
    metavar="NAME",
    shell_complete=candidates.boards,
    help="Board whose regions hold. Default: the one whose firmware ELF is, or else its linker script's.",
)
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of limits, in the form of limits.toml; exit code 1 if one is exceeded.",
)
@click.option(
    "--stacks",
    "notes_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What is known of tasks and pointers. Default: stacks.toml beside ELF, or of our firmware.",
)
@click.option("--top", default=12, show_default=True, type=click.IntRange(0), help="Rows of each long list.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as one JSON document.")
@click.pass_context
def memory(
    ctx: click.Context,
    wanted: str,
    against: str | None,
    map_path: Path | None,
    board: str | None,
    budgets: tuple[Path, ...],
    notes_path: Path | None,
    top: int,
    as_json: bool,
) -> None:
    """Show the memory of ELF: regions, libraries, objects, symbols, padding; all sums equal the ELF.

    With --against, what grew, shrank, came, went or moved. Both may also be runs (an id, or 'latest', with
    :BOARD where there are several): the memory suite keeps each image's table.

    Example: rig image memory build/firmware/mps2/app.elf --against latest
    """
    options: Options = ctx.obj
    path = Path(wanted)
    if against is not None:
        if budgets or notes_path:
            raise UsageFault("--budget and --stacks judge one image: leave --against out")
        _print_difference(_tables(options, path, map_path, board, against), top, as_json=as_json)
        return
    of_board = _board(options, _file(wanted), board)
    contents = _contents(path, map_path, of_board)
    from rig.image.stack_notes import find_notes

    stacks = _stacks(contents, notes_path or find_notes(path, _root(options)))
    checked = _checked(budgets, contents, of_board.name if of_board else None, stacks)
    if as_json:
        click.echo(json.dumps(_document(contents, stacks, checked), indent=1))
    else:
        from rig.cli.image_text import contents_lines

        for line in contents_lines(contents, stacks, checked, top):
            click.echo(line)
    if any(budget.exceeded for budget in checked):
        ctx.exit(EXIT_FAIL)


def _document(contents: Contents, stacks: Sequence[StackWorst], budgets: Sequence[Budget]) -> dict[str, Any]:
    from rig.image.memory_table import as_json

    shown = {"stacks": [stack.as_json() for stack in stacks]}
    return as_json(contents) | shown | {"budgets": [budget.as_json() for budget in budgets]}


def _print_difference(tables: tuple[Table, Table], top: int, *, as_json: bool) -> None:
    from rig.image.memory_diff import difference

    found = difference(*tables)
    if as_json:
        click.echo(json.dumps(_difference_document(found), indent=1))
        return
    from rig.cli.image_text import difference_lines

    for line in difference_lines(found, top):
        click.echo(line)


def _difference_document(found: Difference) -> dict[str, Any]:
    changes = [
        {"change": c.verb, "name": c.name, "before": c.before, "after": c.after, "delta": c.delta,
         "was": c.was, "now": c.now}
        for c in found.changes
    ]  # fmt: skip
    total = {"before": found.before.total, "after": found.after.total, "delta": found.delta}
    return {"before": found.before.name, "after": found.after.name, "total": total, "changes": changes}


def _tables(
    options: Options, path: Path, map_path: Path | None, board: str | None, against: str
) -> tuple[Table, Table]:
    """(before, after)"""
    return _table(options, Path(against), None, board), _table(options, path, map_path, board)


def _table(options: Options, path: Path, map_path: Path | None, board: str | None) -> Table:
    from rig.image.memory_table import read_table, table_of

    if not path.is_file():
        return read_table(_kept(str(path), board))
    if path.suffix == ".json":
        return read_table(path)
    contents = _contents(path, map_path, _board(options, path, board))
    if not contents.has_symbols:
        raise UsageFault(f"{path}: no symbol table (stripped): it cannot be compared to the symbol")
    return table_of(contents)


def _file(wanted: str) -> Path:
    path = Path(wanted)
    if path.is_dir():
        raise UsageFault(f"{path} is a folder", hint="Give the ELF in it")
    if not path.exists():
        raise UsageFault(f"no image {path}", hint="A run's table can only be compared: give --against")
    return path


def _kept(wanted: str, board: str | None) -> Path:
    """The table that the memory suite kept with a run: ``RUN`` or ``RUN:BOARD``."""
    from rig.cli.report import RUNS
    from rig.evidence.reader import load_run
    from rig.evidence.store import find_run

    name, _, of_board = wanted.partition(":")
    try:
        run = load_run(find_run(RUNS, name), with_events=False)
    except UsageFault as fault:
        raise UsageFault(f"{wanted} is no file, and no run: {fault}") from fault
    found = {c.board: path for c in run.cases for n, path in c.artifacts.items() if n == TABLE}
    chosen = of_board or board or (next(iter(found)) if len(found) == 1 else "")
    if chosen not in found:
        there = ", ".join(sorted(found)) or "none"
        raise UsageFault(
            f"run {run.run_id} has no table of the image of {chosen or 'one board'}; it has: {there}",
            hint="The memory suite keeps it; name the board as RUN:BOARD",
        )
    return found[chosen]


def _contents(elf: Path, map_path: Path | None, board: Board | None) -> Contents:
    from rig.image.static_memory import read_contents

    return read_contents(elf, [*board.flash, *board.ram] if board is not None else [], map_path)


def _board(options: Options, elf: Path, name: str | None) -> Board | None:
    """The board of that name, or the one whose own firmware the ELF is; None for an ELF from elsewhere."""
    if name is not None:
        return options.inventory().board(name)
    if not _may_be_ours(options, elf):
        return None
    preset = elf.resolve().parent.name
    boards = options.inventory().boards.values()
    return next((b for b in boards if b.firmware is not None and b.firmware.preset == preset), None)


def _may_be_ours(options: Options, elf: Path) -> bool:
    """Whether it lies in a folder of firmware builds; reading the inventory takes a tenth of a second."""
    from rig.project import firmware_builds

    root = _root(options)
    return root is not None and elf.resolve().parent.parent == firmware_builds(root).resolve()


def _root(options: Options) -> Path | None:
    """The project of the inventory, None without one."""
    from rig.project import project_root

    path = options.path()
    try:
        return project_root(path) if path is not None else None
    except RigError:
        return None


def _stacks(contents: Contents, notes: Path | None) -> tuple[StackWorst, ...]:
    """The stacks of an image that has notes on them; none without symbols or notes."""
    if notes is None or not contents.has_symbols:
        return ()
    from rig.image.stack_notes import load_notes
    from rig.image.stack_worst import stacks_of

    return stacks_of(contents.elf, load_notes(notes))


def _checked(
    paths: Sequence[Path], contents: Contents, board: str | None, stacks: Sequence[StackWorst]
) -> list[Budget]:
    if not paths:
        return []
    from rig.cli.image_budget import check
    from rig.image.static_names import stack_sizes

    return check(paths, contents, board, stack_sizes(stacks))
