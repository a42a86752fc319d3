# SPDX-License-Identifier: MIT
"""``rig report``: shows a run again: as a table, JSON, JUnit XML or one HTML file. Touches no board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, candidates

if TYPE_CHECKING:
    from rig.evidence.model import Run

RUNS = Path("runs")


@click.command(short_help=COMMANDS["report"])
@click.argument("wanted", metavar="RUN", default="latest", shell_complete=candidates.runs)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json", "junit", "html"]),
    default="table",
    show_default=True,
    help="What to make of it.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write. Without it: standard output, for html report.html in the run's folder.",
)
def report(wanted: str, shape: str, output: Path | None) -> None:
    """Show the run RUN: its id, the beginning or end of its id, its folder, or 'latest'.

    The report goes to standard output; where a file is written, its path does. Messages go to standard
    error. The exit code tells whether the report was made, not how the run ended.

    Example: rig report latest --format junit --output results.xml
    """
    from reports.text import printable
    from rig.evidence.reader import load_run
    from rig.evidence.store import find_run

    run = load_run(find_run(RUNS, wanted))
    if not run.complete:
        notes = printable("; ".join(run.notes) or "it was cut off")
        click.echo(f"run {run.run_id} is incomplete: {notes}", err=True)
    if shape == "html":
        from reports.html import render_html

        click.echo(render_html(run, output or run.path / "report.html"))
    elif output is not None:
        _write(output, _document(run, shape))
        click.echo(output)
    elif shape == "table":
        from reports.terminal import print_run

        print_run(run)
    else:
        click.echo(_document(run, shape), nl=False)


def _document(run: Run, shape: str) -> str:
    """The report as text, ended by a newline."""
    if shape == "junit":
        from reports.junit import render_junit

        return render_junit(run)
    if shape == "json":
        import json

        from rig.evidence.export import run_as_json

        return json.dumps(run_as_json(run), indent=2, ensure_ascii=True) + "\n"
    from reports.terminal import as_text

    return as_text(run)


def _write(path: Path, content: str) -> None:
    from rig.evidence.bundle import write_atomic

    write_atomic(path, content.encode())
