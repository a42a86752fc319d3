# SPDX-License-Identifier: MIT
"""``rig compare``: what changed between two runs. Touches no board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, candidates
from rig.cli.report import RUNS, say_incomplete

if TYPE_CHECKING:
    from rig.evidence.comparison import Comparison


_PAGE: Final = ".html"


@click.command(
    short_help=COMMANDS["compare"],
    epilog="Exit code: 0 nothing got worse, 4 a regression, 3 nothing could be compared, 2 wrong input.",
)
@click.argument("run_a", shell_complete=candidates.runs)
@click.argument("run_b", default="latest", shell_complete=candidates.runs)
@click.option(
    "--across",
    multiple=True,
    metavar="KEY",
    help="Compare figures although this key of their contexts differs (kernel, compiler, flags …); may be "
    "repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Show what did not change, too.")
@click.option("--json", "as_json", is_flag=True, help="The comparison as JSON.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write instead of standard output; one that ends in .html becomes a page.",
)
def compare(
    run_a: str, run_b: str, across: tuple[str, ...], everything: bool, as_json: bool, output: Path | None
) -> None:
    """Show what changed from the run RUN_A, the baseline, to RUN_B ('latest' if it is left out).

    A run is named by its id, the beginning or end of its id, its folder, or 'latest'. On the exact clock
    every difference is a change; other figures must differ by more than chance, more than 1 % and more than
    they do between runs of the same image. Figures that were not taken in the same way are named and not
    compared.

    Example: rig compare 20261122T101500Z-a1b2 latest
    """
    from rig.evidence.bundle import write_atomic
    from rig.evidence.store import find_run

    path_a, path_b = find_run(RUNS, run_a), find_run(RUNS, run_b)
    comparison = compared(path_a, path_b, across)
    for run in (comparison.before, comparison.after):
        say_incomplete(run)
    if output is not None:
        write_atomic(output, _document(comparison, everything, as_json, output).encode())
        click.echo(output)
    elif as_json:
        click.echo(_document(comparison, everything, as_json, None), nl=False)
    else:
        from reports.terminal_comparison import print_comparison

        print_comparison(comparison, everything=everything)
    raise click.exceptions.Exit(comparison.exit_code)


def compared(path_a: Path, path_b: Path, across: tuple[str, ...]) -> Comparison:
    """The comparison of the bundles in two folders; raises EvidenceFault for one that cannot be read."""
    from rig.evidence.history import History
    from rig.evidence.reader import load_run
    from rig.evidence.regression import compare as compare_runs

    before, after = (load_run(path, with_events=False) for path in (path_a, path_b))
    history = History(RUNS, {before.run_id, after.run_id})
    return compare_runs(before, after, across=across, earlier=history.earlier)


def _document(comparison: Comparison, everything: bool, as_json: bool, output: Path | None) -> str:
    if not as_json and output is not None and output.suffix == _PAGE:
        from reports.comparison_page import comparison_page

        return comparison_page(comparison, output.parent)
    if not as_json:
        from reports.terminal_comparison import comparison_as_text

        return comparison_as_text(comparison, everything=everything)
    import json

    from rig.evidence.comparison_json import comparison_as_json

    said = comparison_as_json(comparison, everything=everything)
    return json.dumps(said, indent=2, ensure_ascii=True) + "\n"
