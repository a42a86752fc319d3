# SPDX-License-Identifier: MIT
"""``rig qualify``: runs the suites on boards and ends with a verdict and a report.

Owns which suites run on which boards. The run itself is the pytest plug-in's, so that
``pytest suites/kernel --board mps2`` makes the same bundle and the same outcomes; one board is run in this
process, several side by side in processes of their own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, Options, candidates
from rig.project import project_root, suite_names

if TYPE_CHECKING:
    from rig.bench.inventory import Board, Inventory
    from rig.evidence.model import Run

ON_REQUEST = ("latency", "ota", "recovery", "soak")
"""Suites that run only when asked for: they take many minutes, and the first of them judges nothing."""


@click.command(short_help=COMMANDS["qualify"])
@click.option(
    "--board",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=candidates.boards,
    help="The board; more of them run at once.",
)
@click.option("--all", "every", is_flag=True, help="Every board of the inventory.")
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME",
    shell_complete=candidates.suites,
    help="Only this suite; may be repeated.",
)
@click.option("--case", "cases", multiple=True, metavar="SUITE/CASE", help="Only this case; may be repeated.")
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How often a case that is not good is tried. A pass then is unstable.",
)
@click.option(
    "--soak-minutes",
    type=click.FloatRange(0, min_open=True),
    default=120,
    show_default=True,
    help="How long the suite soak runs a board.",
)
@click.option(
    "--image-name", metavar="NAME", default="", help="The line of images that it is of, for trends."
)
@click.option("--campaign", metavar="ID", default="", help="The campaign that the run is part of.")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), help="Qualify this image.")
@click.option(
    "--ota-firmware",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use the bootloader and the images of OTA cases that are in this folder.",
)
@click.option("--dut", metavar="SERIAL", help="The unit that must be on this place of the bench.")
@click.option("--operator", metavar="NAME", help="Who answers for this run.")
@click.option(
    "--services",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the board talks to, instead of the rig's own: the JSON of 'rig services up --json'.",
)
@click.option("--force", is_flag=True, help="Program the image also when the board holds it already.")
@click.option("--record", is_flag=True, help="Record emulated boards on a network, for 'rig replay'.")
@click.option("--json", "as_json", is_flag=True, help="The run as JSON on standard output.")
@click.pass_obj
def qualify(
    options: Options,
    names: tuple[str, ...],
    every: bool,
    suites: tuple[str, ...],
    cases: tuple[str, ...],
    attempts: int,
    soak_minutes: float,
    image_name: str,
    campaign: str,
    image: Path | None,
    ota_firmware: Path | None,
    dut: str | None,
    operator: str | None,
    services: Path | None,
    force: bool,
    record: bool,
    as_json: bool,
) -> None:
    """Flash a board, run the suites on it, and keep the evidence in runs/.

    Several boards run side by side: one run, one report, and the worst of their outcomes. --board may be left
    out if there is only one. Without --suite every suite runs but latency, ota, recovery and soak, which take
    long.

    Exit code: 0 pass, 1 FAIL, 2 wrong input, 3 ERROR or nothing ran, 130 stopped.

    Example: rig qualify --board mps2 --suite boot
    """
    from rig.evidence.reader import load_run

    inventory = options.inventory()
    boards = _chosen(inventory, names, every)
    if dut and len(boards) > 1:
        raise click.UsageError("--dut is the serial number of one unit; name one board with it")
    root = project_root(inventory.path)
    arguments = ["--inventory", str(inventory.path)]
    arguments += [str(path) for path in _folders(root, suites or _suites_of(cases))]
    arguments += [word for case in cases for word in ("--case", case)]
    arguments += ["--attempts", str(attempts), "--soak-minutes", str(soak_minutes)]
    given = services.resolve() if services else None
    if given is not None:
        _must_be_services(given, boards)
    for option, value in (
        ("--image", image),
        ("--ota-firmware", ota_firmware.resolve() if ota_firmware else None),
        ("--dut", dut),
        ("--operator", operator),
        ("--services", given),
        ("--campaign", campaign),
        ("--image-name", image_name),
    ):
        arguments += [option, str(value)] if value else []
    arguments += ["--force-flash"] if force else []
    arguments += ["--record"] if record else []
    status, path = _run(boards, arguments, root, operator, image, campaign, image_name)
    if path is not None:
        _show(load_run(path), as_json)
    raise click.exceptions.Exit(status)


def _run(
    boards: tuple[Board, ...],
    arguments: list[str],
    root: Path,
    operator: str | None,
    image: Path | None,
    campaign: str,
    image_name: str,
) -> tuple[int, Path | None]:
    """The run's exit code and its bundle, if it came to have one."""
    from rig.cli.progress import Display, Progress

    if len(boards) == 1:
        from rig.cli.pytest_run import run_pytest

        progress = Progress(sys.stderr, boards[0].name)
        status = run_pytest(["--board", boards[0].name, *arguments], root, progress)
        if progress.run_path is None and progress.interrupted:
            raise KeyboardInterrupt
        return status, progress.run_path
    from reports.html import preload
    from rig.cli.side_by_side import Task, run_side_by_side

    _must_have_images(boards, image)
    display = Display(sys.stderr, [board.name for board in boards])
    task = Task(boards, root, tuple(arguments), operator, image is None, preload, campaign, image_name)
    return run_side_by_side(task, display), display.run_path


def _chosen(inventory: Inventory, names: tuple[str, ...], every: bool) -> tuple[Board, ...]:
    """The boards to run, each once. Nobody but the person knows which of several are on the bench."""
    if every and names:
        raise click.UsageError("--all and --board exclude each other")
    if every or len(inventory.boards) == 1:
        names = names or tuple(inventory.boards)
    if not names:
        listed = ", ".join(inventory.boards)
        raise click.UsageError(f"which board? Name one or more with --board, or --all of them: {listed}")
    return tuple(inventory.board(name) for name in dict.fromkeys(names))


def _must_have_images(boards: tuple[Board, ...], image: Path | None) -> None:
    """Wrong input is said before a run begins; what ``Settings.of_options`` checks for one board."""
    from rig.errors import UsageFault

    if image is not None and not image.is_file():
        raise UsageFault(f"no image {image}")
    for board in boards:
        if image is None and board.firmware is None:
            raise UsageFault("it names no firmware to build", board=board.name, hint="Give --image FILE")


def _must_be_services(path: Path, boards: tuple[Board, ...]) -> None:
    """As above: each board's process reads them again."""
    from rig.services.given import read_services

    for board in boards:
        read_services(path, emulated=board.emulator is not None)


def _suites_of(cases: tuple[str, ...]) -> tuple[str, ...]:
    """The suites that the cases are of."""
    if wrong := [case for case in cases if "/" not in case]:
        raise click.UsageError(f"--case {wrong[0]}: expected SUITE/CASE, such as kernel/boots")
    return tuple(dict.fromkeys(case.partition("/")[0] for case in cases))


def _folders(root: Path, wanted: tuple[str, ...]) -> list[Path]:
    there = suite_names(root)
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise click.UsageError(f"no suite {unknown[0]!r}; there are: {', '.join(there)}")
    chosen = wanted or [name for name in there if name not in ON_REQUEST]
    return [root / "suites" / name for name in chosen]


def _show(run: Run, as_json: bool) -> None:
    from reports.html import render_html
    from reports.terminal import print_run
    from rig.errors import EvidenceFault
    from rig.evidence.export import run_as_json
    from rig.evidence.measurement import Outcome

    if as_json:
        click.echo(json.dumps(run_as_json(run), indent=2))
    else:
        print_run(run)
    if run.outcome is Outcome.ABORTED:  # who stopped it waits for no page; Ctrl-C may have hit an import, too
        click.echo(f"report: 'rig report --format html {run.run_id}' makes it", err=as_json)
        return
    try:
        page = render_html(run, run.path / "report.html")
    except EvidenceFault as fault:  # the outcome stands without a page
        click.echo(f"rig: no report: {fault}", err=True)
    else:
        click.echo(f"report: {page}", err=as_json)
