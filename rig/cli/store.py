# SPDX-License-Identifier: MIT
"""``rig store``: the results of many runs in one database. Owns arguments and what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rig.cli import COMMANDS, EXIT_ERROR
from rig.cli.report import RUNS
from rig.cli.store_option import as_json, where

if TYPE_CHECKING:
    from rig.evidence.model import Run
    from rig.evidence.store import Store
    from rig.evidence.store.intake import Intake

_SAMPLE_DAYS: Final = 90
_PLACE = click.Path(path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(short_help=COMMANDS["store"])
def store() -> None:
    """Keep the results of many runs in one database.

    It is SQLite as it comes, and PostgreSQL where several hosts share it. The
    bundles of the runs stay the truth.

    Example: rig store ingest runs
    """


@store.command()
@click.argument("places", metavar="[RUN|FOLDER]...", nargs=-1, type=_PLACE)
@where
@as_json
def ingest(places: tuple[Path, ...], where: str, as_json: bool) -> None:
    """Take in bundles that the store does not know, checked against their hashes.

    A folder of runs (default: runs) is scanned: what is new or has grown is
    taken in, so that a store that was away catches up. A bundle that is damaged
    is refused and named; exit code 3.

    Example: rig store ingest runs --store postgresql://rig@db.lab/rig
    """
    from rig.evidence.store import open_store
    from rig.evidence.store.intake import take_in

    with open_store(where) as opened:
        _say_intake(take_in(opened, places or (RUNS,)), as_json)


@store.command()
@click.argument("folder", type=_FOLDER, default=RUNS)
@where
@as_json
def rebuild(folder: Path, where: str, as_json: bool) -> None:
    """Make the store again from the bundles in FOLDER (default: runs).

    Alerts and baselines are in no bundle and stay. In a store that holds runs of
    other folders too, only those of this folder are read again.

    Example: rig store rebuild
    """
    from rig.evidence.store.intake import remake
    from rig.evidence.store.store import database_at

    database = database_at(where)
    try:
        _say_intake(remake(database, folder), as_json)
    finally:
        database.close()


@store.command()
@click.option("--samples", "sample_days", metavar="DAYS", type=click.IntRange(0), default=_SAMPLE_DAYS,
              show_default=True, help="Drop raw samples older than that.")  # fmt: skip
@click.option("--runs", "run_days", metavar="DAYS", type=click.IntRange(1), help="Drop whole runs, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@where
@as_json
def prune(sample_days: int, run_days: int | None, dry_run: bool, where: str, as_json: bool) -> None:
    """Make room: raw samples go first, whole runs only if you say so.

    Trends and verdicts need no samples. Runs that a baseline or an open alert
    stands on stay whole. The bundles of runs are not touched.

    Example: rig store prune --samples 30 --runs 730
    """
    from rig.evidence.store import open_store
    from rig.evidence.store.prune import prune as prune_store

    now = datetime.now(UTC)
    runs_before = None if run_days is None else now - timedelta(days=run_days)
    with open_store(where) as opened:
        pruned = prune_store(opened, now - timedelta(days=sample_days), runs_before, dry=dry_run)
    if as_json:
        click.echo(json.dumps({**asdict(pruned), "dry_run": dry_run}))
        return
    verb = "would go" if dry_run else "gone"
    size = f"{pruned.series} series of samples ({pruned.bytes / 1e6:.1f} MB)"
    click.echo(f"{verb}: {size}, {_runs_of(len(pruned.runs))}")
    if pruned.kept:
        click.echo(f"kept for a baseline or an open alert: {', '.join(pruned.kept)}")


@store.command()
@click.argument("folder", type=_FOLDER)
@click.option("--format", "shape", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("--board", help="Only this board's rows.")
@click.option("--days", type=click.IntRange(1), help="Only runs of the last DAYS days.")
@where
@as_json
def export(folder: Path, shape: str, board: str | None, days: int | None, where: str, as_json: bool) -> None:
    """Write the tables of all runs into FOLDER: cases and measurements.

    The columns are those of 'rig report --format csv' (docs/tables.md).

    Example: rig store export tables --format parquet --days 365
    """
    from reports.history_files import write_history
    from rig.evidence.store import open_store

    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    with open_store(where) as opened:
        written = write_history(_runs(opened, board, since), folder, shape)
    click.echo(
        json.dumps({"files": [str(path) for path in written]}) if as_json else "\n".join(map(str, written))
    )


def _runs(opened: Store, board: str | None, since: datetime | None) -> Iterator[Run]:
    """The runs, oldest first, each as it is asked for."""
    for indexed in reversed(opened.runs(board=board)):
        if since is None or indexed.started_utc >= since:
            run = opened.whole(indexed.run_id)
            if run is not None:  # another process may have pruned it just now
                yield run if board is None else _of_board(run, board)


def _of_board(run: Run, board: str) -> Run:
    cases = tuple(case for case in run.cases if case.board == board)
    return replace(run, cases=cases, measurements=tuple(m for m in run.measurements if m.board == board))


def _say_intake(intake: Intake, as_json: bool) -> None:
    """Says what became of the bundles; those that were refused make it exit code 3."""
    from reports.text import printable

    if as_json:
        said: dict[str, Any] = asdict(intake)
        said["refused"] = [{"path": str(r.path), "why": r.why} for r in intake.refused]
        click.echo(json.dumps(said))
    else:
        cut_off = f" ({len(intake.incomplete)} cut off)" if intake.incomplete else ""
        counted = f"{len(intake.unchanged)} unchanged, {len(intake.refused)} refused"
        click.echo(f"{_runs_of(len(intake.taken))} taken in{cut_off}, {counted}")
        for refused in intake.refused:
            click.echo(f"refused {refused.path}: {printable(refused.why)}", err=True)
    if intake.refused:
        raise click.exceptions.Exit(EXIT_ERROR)


def _runs_of(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"
