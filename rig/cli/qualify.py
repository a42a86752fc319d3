# SPDX-License-Identifier: MIT
"""``rig qualify``: runs the suites on a board and ends with a verdict and a report.

Owns which suites run and what is shown meanwhile. The run itself is the pytest plug-in's, so that
``pytest suites/kernel --board mps2`` makes the same bundle and the same outcomes.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, Options

if TYPE_CHECKING:
    from rig.evidence.model import Run


@click.command(short_help=COMMANDS["qualify"])
@click.option("--board", metavar="NAME", help="The board; may be left out if there is only one.")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only this suite; may be repeated.")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), help="Qualify this image.")
@click.option("--dut", metavar="SERIAL", help="The unit that must be on this place of the bench.")
@click.option("--operator", metavar="NAME", help="Who answers for this run.")
@click.option("--force", is_flag=True, help="Program the image also when the board holds it already.")
@click.option("--json", "as_json", is_flag=True, help="The run as JSON on standard output.")
@click.pass_obj
def qualify(
    options: Options,
    board: str | None,
    suites: tuple[str, ...],
    image: Path | None,
    dut: str | None,
    operator: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Flash a board, run the suites on it, and keep the evidence in runs/.

    Exit code: 0 pass, 1 FAIL, 2 wrong input, 3 ERROR or nothing ran, 130 stopped.
    """
    from rig.cli.progress import Progress
    from rig.evidence.reader import load_run
    from rig.project import project_root

    inventory = options.inventory()
    name = inventory.board(board).name if board else _only(list(inventory.boards))
    arguments = ["--board", name, "--inventory", str(inventory.path)]
    root = project_root(inventory.path)
    arguments += [str(path) for path in _folders(root / "suites", suites)]
    for option, value in (("--image", image), ("--dut", dut), ("--operator", operator)):
        arguments += [option, str(value)] if value else []
    arguments += ["--force-flash"] if force else []
    progress = Progress(sys.stderr)
    status = _run_pytest(arguments, root, progress)
    if progress.run_path is None and progress.interrupted:
        raise KeyboardInterrupt
    if progress.run_path is None:
        raise click.exceptions.Exit(status)
    _show(load_run(progress.run_path), as_json)
    raise click.exceptions.Exit(status)


def _run_pytest(arguments: list[str], root: Path, progress: object) -> int:
    """Runs pytest in this process; SIGTERM ends it as Ctrl-C does, with the board let go."""
    import pytest

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        fixed = ["--rootdir", str(root), "-p", "no:cacheprovider", "-p", "rig.pytest_plugin", "-q"]
        return int(pytest.main([*fixed, *arguments], plugins=[progress]))
    finally:
        signal.signal(signal.SIGTERM, before)


def _only(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    raise click.UsageError(f"which board? Name one with --board: {', '.join(names)}")


def _folders(suites: Path, wanted: tuple[str, ...]) -> list[Path]:
    there = sorted(path.parent.name for path in suites.glob("*/test_*.py"))
    there = list(dict.fromkeys(there))
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise click.UsageError(f"no suite {unknown[0]!r}; there are: {', '.join(there)}")
    order = ["boot", "kernel", "memory"]
    chosen = wanted or sorted(there, key=lambda name: (name not in order, name))
    return [suites / name for name in chosen]


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
