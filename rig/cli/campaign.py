# SPDX-License-Identifier: MIT
"""``rig campaign``: plans of many runs of one board. Owns arguments, progress, what is shown."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rig.cli import COMMANDS, EXIT_FAIL, Options, candidates
from rig.errors import UsageFault

if TYPE_CHECKING:
    from rig.campaign.bench_pool import Tell

_FOLDER = click.Path(file_okay=False, path_type=Path)
_MATRIX, _PICTURE = "matrix.json", "matrix"
_SHOWN_FAILURES: Final = 20
_TELL_EVERY_S: Final = 60.0
_HEAD: Final = ("depth", "phase", "operation", "power went", "cuts", "outcomes")


@click.group(short_help=COMMANDS["campaign"])
def campaign() -> None:
    """Run a plan of many runs on one board.

    Example: rig campaign power-cuts --board mps2
    """


@campaign.command("power-cuts")
@click.option("--board", required=True, shell_complete=candidates.boards, help="An emulated board.")
@click.option("--folder", type=_FOLDER, help="Where the plan is kept. Default: build/power-cuts/BOARD.")
@click.option("--protocol", type=click.Choice(["mqtt-json", "mqtt-cbor", "http"]), default="mqtt-cbor",
              show_default=True, help="How the image comes.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(1), default=1, show_default=True, help="Of torn operations, samples."
)
@click.option("--sample", type=click.IntRange(1), help="Judge so many cuts of the update. Default: all.")
@click.option("--kills", type=click.IntRange(0), default=50, show_default=True,
              help="Captured states to compare with a real kill.")  # fmt: skip
@click.option("--services", type=click.IntRange(0), default=50, show_default=True,
              help="States to go on from over the real service.")  # fmt: skip
@click.option("--benches", type=click.IntRange(1), default=2, show_default=True, help="Boards at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def power_cuts(
    ctx: click.Context,
    board: str,
    folder: Path | None,
    protocol: str,
    seed: int,
    sample: int | None,
    kills: int,
    services: int,
    benches: int,
    as_json: bool,
) -> None:
    """Cut the power at every flash operation of an update, and see what the board does.

    Ended at any moment it goes on there when it is called again. Exit code 1 where a board stayed
    dead, ran a wrong image, or did not take the next update.

    Example: rig campaign power-cuts --board mps2 --sample 100
    """
    from rig.campaign.cut_campaign import Campaign, Settings
    from rig.campaign.cut_matrix import document
    from rig.cli.pytest_run import stoppable
    from rig.image.ladder import build_ota
    from rig.project import project_root

    options: Options = ctx.obj
    inventory = options.inventory()
    facts = inventory.board(board)
    if facts.emulator is None or facts.firmware is None or "bootloader" not in facts.features:
        raise UsageFault("a plan of every operation needs an emulated board with a bootloader", board=board,
                         hint="A board at hand is cut by cases: rig qualify --suite recovery")  # fmt: skip
    root = project_root(inventory.path)
    firmware = build_ota(
        facts.firmware.preset,
        project_root=root,
        environ=os.environ,
        say=lambda line: click.echo(line, err=True),
    )
    settings = Settings(board, protocol, seed, sample, kills, services, benches=benches)
    place = folder or Path("build") / "power-cuts" / board
    with stoppable(), _progress() as tell, Campaign(settings, inventory, firmware, place, tell) as plan:
        plan.run()
        found = document(plan.journal)
    _write(found, place)
    click.echo(json.dumps(found["summary"]) if as_json else _text(found, place))
    if found["summary"]["failures"]:
        ctx.exit(EXIT_FAIL)


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar on a terminal; elsewhere a line as a step begins and ends, and every minute of it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    tasks: dict[str, Any] = {}
    last_s = 0.0
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as live:

        def tell(what: str, done: int, total: int) -> None:
            nonlocal last_s
            now_s = time.monotonic()
            if not console.is_terminal and (
                what not in tasks or done == total or now_s - last_s >= _TELL_EVERY_S
            ):
                click.echo(f"rig: {what}: {done} of {total}", err=True)
                last_s = now_s
            if what not in tasks:
                tasks[what] = live.add_task(what, total=total)
            live.update(tasks[what], completed=done, total=total)

        yield tell


def _write(found: Mapping[str, Any], folder: Path) -> None:
    from reports.plates.power_cuts import power_cut_files

    (folder / _MATRIX).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for kind, content in power_cut_files(found).items():
        (folder / f"{_PICTURE}.{kind}").write_bytes(content)


def _text(found: Mapping[str, Any], folder: Path) -> str:
    from rich.console import Console
    from rich.table import Table

    from rig.campaign.cut_matrix import table

    shown = Table(*_HEAD)
    for row in table(found["matrix"]):
        shown.add_row(*row)
    said = found["summary"]
    console = Console(width=110)
    with console.capture() as captured:
        console.print(shown)
    lines = [
        captured.get().rstrip(),
        f"{said['operations']} operations, {said['judged']} cuts judged by {said['states']} states in "
        f"{said['seconds']:.0f} s; next updates: {said['next_updates']}; kills compared: {said['kills']}; "
        f"through the service: {said['through_service']}",
        f"matrix: {folder / _MATRIX}, {folder / _PICTURE}.png",
        *said["failures"][:_SHOWN_FAILURES],
        f"{len(said['failures'])} failures" if said["failures"] else "no dead board, no wrong image",
    ]
    return "\n".join(lines)
