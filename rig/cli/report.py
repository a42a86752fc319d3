# SPDX-License-Identifier: MIT
"""``rig report``: shows a run again, in every form there is. Touches no board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, candidates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rig.evidence.model import Run

RUNS = Path("runs")
FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "table": "summary and figures for the terminal",
        "json": "the run for other programs",
        "junit": "JUnit XML for continuous integration",
        "html": "one page that needs nothing else",
        "pdf": "the same, to hand over or to print",
        "csv": "tables of cases, measurements and samples",
        "parquet": "the same tables with their types",
        "figures": "latency and memory as SVG and PNG, for papers and datasheets",
    }
)
_FILES: Final = ("html", "pdf")
_FOLDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"csv": "tables", "parquet": "tables", "figures": "figures"}
)
"""Formats that are several files, and the folder of the run that they go to."""


@click.command(
    short_help=COMMANDS["report"],
    epilog="Formats: " + "; ".join(f"{name}, {what}" for name, what in FORMATS.items()) + ".",
)
@click.argument("wanted", metavar="RUN", default="latest", shell_complete=candidates.runs)
@click.option(
    "--format",
    "shape",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="What to make of it.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File to write; for csv, parquet and figures the folder. Without it: standard output, for html and "
    "pdf report.html and report.pdf in the run's folder, for csv and parquet its folder tables/, for figures "
    "its folder figures/.",
)
def report(wanted: str, shape: str, output: Path | None) -> None:
    """Show the run RUN: its id, the beginning or end of its id, its folder, or 'latest'.

    The report goes to standard output; where a file is written, its path does, with what a figure shows.
    Messages go to standard error. The exit code tells whether the report was made, not how the run ended.

    Example: rig report latest --format junit --output results.xml
    """
    from rig.evidence.reader import load_run
    from rig.evidence.store import find_run

    _check(output, shape)
    run = load_run(find_run(RUNS, wanted))
    say_incomplete(run)
    if shape in _FILES:
        click.echo(_page(shape)(run, output or run.path / f"report.{shape}"))
    elif shape in _FOLDERS:
        for line in _written(run, output or run.path / _FOLDERS[shape], shape):
            click.echo(line)
    elif output is not None:
        _write(output, _document(run, shape))
        click.echo(output)
    elif shape == "table":
        from reports.terminal import print_run

        print_run(run)
    else:
        click.echo(_document(run, shape), nl=False)


def say_incomplete(run: Run) -> None:
    """Says on standard error what is missing of a run that was cut off or damaged."""
    from reports.text import printable

    if not run.complete:
        notes = printable("; ".join(run.notes) or "it was cut off")
        click.echo(f"run {run.run_id} is incomplete: {notes}", err=True)


def _check(output: Path | None, shape: str) -> None:
    """Refuses a folder where a file is to be, and the other way round, before anything is read."""
    if output is not None and output.is_dir() and shape not in _FOLDERS:
        raise click.BadParameter(f"{output} is a folder; {shape} is one file", param_hint="--output")
    if output is not None and output.is_file() and shape in _FOLDERS:
        raise click.BadParameter(f"{output} is a file; {shape} is a folder of files", param_hint="--output")


def _written(run: Run, folder: Path, shape: str) -> Iterator[str]:
    """Writes the files of a format that has several; yields a line on each when it is there."""
    if shape == "figures":
        from reports.plates import write_plates

        for plate in write_plates(run, folder):
            first, *others = plate.files
            yield f"{first} {' '.join(path.suffix for path in others)}  {plate.shows}"
        return
    from reports.table_files import write_tables

    for path in write_tables(run, folder, shape):
        yield str(path)


def _page(shape: str) -> Callable[[Run, Path], Path]:
    if shape == "pdf":
        from reports.pdf import render_pdf

        return render_pdf
    from reports.html import render_html

    return render_html


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
