# SPDX-License-Identifier: MIT
"""``rig replay``: runs what an emulated board did on a network again, bit for bit, also under a debugger.

Owns finding the records of a run and what is said of each. Touches no board and no network: a record has all
that came to the board.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, EXIT_ERROR, Options, candidates
from rig.cli.report import RUNS

if TYPE_CHECKING:
    from rig.emulator.replay import Replayed
    from rig.evidence.model import Run

_SHOWN: Final = 60  # bytes of a transcript around a difference


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a run: of which board, in which file, of which cases."""

    board: str
    path: Path
    cases: str


@click.command(
    short_help=COMMANDS["replay"],
    epilog="Exit code: 0 the same bytes, 1 others, 2 no such record, 3 it could not be run again.",
)
@click.argument("wanted", metavar="RUN", default="latest", shell_complete=candidates.runs)
@click.option("--case", metavar="TEXT", help="Only records of cases with this text in their name.")
@click.option("--board", metavar="NAME", help="Only records of this board.")
@click.option(
    "--suites", is_flag=True, help="Run the suites again, console and MQTT played, without a board."
)
@click.option("--debug", is_flag=True, help="Wait at the first instruction for a debugger; needs one record.")
@click.pass_obj
def replay(
    options: Options, wanted: str, case: str | None, board: str | None, suites: bool, debug: bool
) -> None:
    """Run what a board did in RUN again, and compare what it says with what it said.

    RUN is one of 'rig qualify --record'. Each record is one power-on of an emulated board with its network
    on: the same instructions, inputs and frames, with nothing around it. --debug waits for a debugger.

    With --suites the suites run again on the transcripts of RUN, of any board: what it said is judged by the
    suites and limits of today. Cases that need more than console and MQTT are SKIPPED.

    Example: rig replay latest --case lease --debug
    """
    from rig.errors import UsageFault
    from rig.evidence.reader import load_run
    from rig.evidence.store import find_run

    run = load_run(find_run(RUNS, wanted))
    if suites:
        raise click.exceptions.Exit(_suites_again(options, run, board, case))
    records = [
        one
        for one in records_of(run)
        if (case is None or case in one.cases) and (board is None or board == one.board)
    ]
    if not records:
        raise UsageFault(_nothing(run), hint="'rig qualify --record' makes them")
    if debug and len(records) > 1:
        listed = "".join(f"\n  {one.board}: {one.path.name}: {one.cases}" for one in records)
        raise UsageFault(f"--debug needs one record, and there are {len(records)}:{listed}")
    worst = [_told(one, run, debug) for one in records]
    raise click.exceptions.Exit(max(worst))


def _suites_again(options: Options, run: Run, board: str | None, case: str | None) -> int:
    """Runs the suites that the run had on its transcripts; returns the exit code of the new run."""
    from rig.cli.progress import Progress
    from rig.cli.pytest_run import run_pytest
    from rig.errors import UsageFault
    from rig.project import project_root, suite_names

    names = [one.name for one in run.boards if board in (None, one.name)]
    if len(names) != 1:
        listed = ", ".join(one.name for one in run.boards)
        raise UsageFault(
            f"--suites plays one board; run {run.run_id} has: {listed}", hint="Name it by --board"
        )
    inventory = options.inventory()
    root = project_root(inventory.path)
    there = {one.suite for one in run.cases if one.board == names[0]} & set(suite_names(root))
    arguments = ["--board", names[0], "--inventory", str(inventory.path), "--played", str(run.path)]
    arguments += ["-k", case] if case else []
    folders = [str(root / "suites" / name) for name in sorted(there)]
    status = run_pytest([*arguments, *folders], root, progress := Progress(sys.stderr, names[0]))
    if progress.run_path is not None:
        from reports.terminal import print_run
        from rig.evidence.reader import load_run

        print_run(load_run(progress.run_path))
    return status


def records_of(run: Run) -> Iterator[Record]:
    """The records of a run that are there, in their order."""
    for event in run.events:
        if (event.source, event.kind) == ("record", "kept"):
            path = run.path / str(event.data["path"])
            if path.exists():
                yield Record(str(event.board), path, str(event.data["cases"]))


def _nothing(run: Run) -> str:
    there = sum(1 for _ in records_of(run))
    return f"run {run.run_id} has {f'{there} records, none of them' if there else 'no record'} of that"


def _told(record: Record, run: Run, debug: bool) -> int:
    """Runs one record again and says what came of it; returns the exit code."""
    from rig.deadline import Deadline
    from rig.emulator.replay import replaying
    from rig.scratch import private_folder

    click.echo(f"{record.board}: {record.path.name}: {record.cases}")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(private_folder(run.path, ".replay-"))
        replay = stack.enter_context(replaying(record.path, folder, debug=debug))
        if replay.gdb is not None:
            _say_how_to_debug(run, record.board, replay.gdb)
        done = replay.finish(None if debug else Deadline.after(replay.longest_s))
    _say(done)
    return 0 if done.is_same else EXIT_ERROR if done.disturbed or not done.ended else 1


def _say_how_to_debug(run: Run, board: str, gdb: str) -> None:
    image = next((one.image_sha256 for one in run.boards if one.name == board), None)
    click.echo(f"the core waits at its first instruction; its image is {str(image)[:12]}:")
    click.echo(f"  gdb-multiarch build/firmware/{board}/app.elf -ex 'target remote {gdb}'")


def _say(done: Replayed) -> None:
    if done.is_same:
        click.echo(f"same: all {len(done.said):,} bytes of its UART")
        return
    ended = "" if done.ended else "; it did not come to the record's end"
    click.echo(f"differs after {done.same:,} of {len(done.expected):,} bytes{ended}")
    if done.disturbed:
        click.echo(f"the record does not hold what was done meanwhile: {', '.join(done.disturbed)}")
    click.echo(f"  was {done.expected[done.same :][:_SHOWN]!r}")
    click.echo(f"  is  {done.said[done.same :][:_SHOWN]!r}")
