# SPDX-License-Identifier: MIT
"""``rig nightly``: the bench runs by itself, with one answer in the morning. Owns arguments and words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, Options
from rig.cli.report import RUNS
from rig.cli.store_option import where
from rig.errors import RigFault

if TYPE_CHECKING:
    from rig.campaign.night import Morning
    from rig.campaign.night_result import CaseNight

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_RESULT: Final = "night.json"
_SHOWN: Final = 40


@click.command(short_help=COMMANDS["nightly"])
@click.argument("file", type=_FILE)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("nights"),
              show_default=True, help="Where nights are kept.")  # fmt: skip
@click.option(
    "--new", "anew", is_flag=True, help="Begin anew, though the last night did not come to its end."
)
@where
@click.option("--webhook-file", type=_FILE, help="File with an address to post what is new of alerts to.")
@click.option("--site", default="", metavar="URL", help="Where people reach the dashboard.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def nightly(
    options: Options,
    file: Path,
    folder: Path,
    anew: bool,
    where: str,
    webhook_file: Path | None,
    site: str,
    as_json: bool,
) -> None:
    """Run the plan FILE on its boards, look at every trend, and run again what looks wrong.

    Ended at any moment it goes on there when it is called again within 20 hours. No two of the same plan run
    at once, and no board keeps the others.

    Exit code: 0 all good, 1 a case failed or is unstable, 2 wrong plan, 3 something was not judged,
    4 a regression is confirmed and nobody has answered it, or an image is slower or larger than the plan's
    baseline for certain, 130 stopped.

    Example: rig nightly nightly.toml
    """
    from rig.campaign.night import open_night
    from rig.campaign.night_plan import load_plan
    from rig.campaign.qualify_process import QualifyProcess
    from rig.cli.dashboard import TOLD, tell_news
    from rig.cli.pytest_run import stoppable
    from rig.cli.qualify import ON_REQUEST
    from rig.evidence.bundle import write_json
    from rig.evidence.measurement import EXIT_REGRESSION, Outcome, exit_code
    from rig.evidence.store import open_store
    from rig.evidence.store.store import database_at
    from rig.evidence.watch import Night as Walk
    from rig.evidence.watch import unanswered, watch
    from rig.project import project_root, suite_names

    inventory = options.inventory()
    suites = suite_names(project_root(inventory.path))
    plan = load_plan(file.resolve(), list(inventory.boards), suites)
    if not plan.suites and not plan.cases:
        plan = plan.of_suites(tuple(name for name in suites if name not in ON_REQUEST))

    database_at(where)  # a wrong address is told now, not in the morning

    def look() -> Walk:
        RUNS.mkdir(exist_ok=True)  # of a night without a run
        with open_store(where) as store:
            return watch(store, datetime.now(UTC))

    def tell(line: str) -> None:
        click.echo(f"rig: {line}", err=True)

    place = folder / file.stem
    runner = QualifyProcess(inventory.path, Path.cwd(), place / "runs.log", plan.attempts, plan.soak_minutes)
    with (
        stoppable(),
        open_night(plan, place, runner, look, tell, state_dir=inventory.state_dir, anew=anew) as night,
    ):
        morning = night.run()
        write_json(night.folder / _RESULT, morning.document())
        regressed = 0
        try:
            with open_store(where) as store:
                regressed = len(unanswered(store.alerts()))
                if webhook_file is not None:
                    tell(f"{tell_news(store, webhook_file, TOLD, site)} told")
        except RigFault as fault:  # the verdict of the runs stands, whoever cannot be reached
            tell(str(fault))
    if as_json:
        click.echo(json.dumps(morning.document(), indent=2))
    else:
        _show(morning, regressed)
    click.echo(f"result: {night.folder / _RESULT}", err=True)
    outcome = morning.result.outcome
    if outcome is Outcome.PASS and (regressed or any(pair.regressed for pair in morning.beside)):
        raise click.exceptions.Exit(EXIT_REGRESSION)
    if outcome is Outcome.PASS and morning.watch_trouble:
        outcome = Outcome.ERROR
    raise click.exceptions.Exit(exit_code(outcome))


def _show(morning: Morning, regressed: int) -> None:
    from reports.terminal_comparison import figure_table
    from reports.terminal_text import standard_console
    from reports.text import plural
    from rig.evidence.comparison import Word

    console = standard_console()
    for pair in morning.beside:
        moved = pair.moved
        worse = sum(change.verdict is Word.REGRESSED for change in moved)
        told = f"{pair.board}: {pair.image} beside {pair.baseline}, {pair.runs[1]} and {pair.runs[0]} runs"
        click.echo(f"{told}: {len(moved)} of {plural(pair.compared, 'figure')} moved, {worse} for the worse")
        for line in figure_table(moved[:_SHOWN], console.width) if moved else ():
            console.print(line)
        if len(moved) > _SHOWN:
            click.echo(f"and {plural(len(moved) - _SHOWN, 'more figure')}, see {_RESULT}")
    for said in _text(morning, regressed):
        click.echo(said)


def _text(morning: Morning, regressed: int) -> Iterator[str]:
    from reports.text import plural

    result = morning.result
    trouble = result.trouble
    for case in trouble[:_SHOWN]:
        yield from _lines(case)
    if len(trouble) > _SHOWN:
        yield f"and {plural(len(trouble) - _SHOWN, 'more case')}, see {_RESULT}"
    for job, why in result.not_made:
        yield f"NOT MADE  {job}: {why}"
    if morning.watch_trouble:
        yield f"the trends were not looked at: {morning.watch_trouble}"
    elif morning.walk is not None:
        open_now = plural(regressed, "confirmed regression") + " nobody has answered"
        yield f"{plural(morning.walk.series, 'series', 'series')} looked at, {open_now}"
    quiet = sum(case.quarantine is not None for case in trouble)
    counted = f"{plural(len(result.cases), 'case')}, {len(trouble) - quiet} in trouble, {quiet} in quarantine"
    yield f"{result.outcome.value}: night {morning.campaign}, {plural(result.runs, 'run')}, {counted}"


def _lines(case: CaseNight) -> Iterator[str]:
    where = f"{case.board} {case.image}" if case.image != "own" else case.board
    yield f"{case.word:<8}  {where}  {case.case}  not good in {case.bad} of {case.runs} runs, see {case.run}"
    if case.reason:
        yield f"          {case.reason}"
    if case.quarantine is not None:
        entry = case.quarantine
        yield f"          in quarantine until {entry.expires} by {entry.owner}: {entry.reason}"
