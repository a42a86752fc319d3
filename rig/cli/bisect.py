# SPDX-License-Identifier: MIT
"""``rig bisect``: which revision brought the change of an alert. Owns arguments and what is shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, Options
from rig.cli.alerts import find
from rig.cli.store_option import where
from rig.errors import RigFault, ToolFault, UsageFault

if TYPE_CHECKING:
    from rig.campaign.bisect import Answer, Tried
    from rig.campaign.bisect_plan import BisectPlan
    from rig.campaign.kept_file import KeptFile
    from rig.campaign.qualify_process import QualifyProcess
    from rig.evidence.alerts import Alert

_TRIED: Final = "tried"
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help=COMMANDS["bisect"])
@click.argument("alert_id", metavar="ALERT")
@click.argument("file", type=_FILE)
@click.option("--good", required=True, metavar="REVISION", help="One that has not the change.")
@click.option("--bad", required=True, metavar="REVISION", help="One that has it.")
@click.option(
    "--times", type=click.IntRange(1), help="Runs of each. Default: as many as confirmed the alert."
)
@click.option("--run-minutes", type=click.IntRange(1), default=60, show_default=True,
              help="Of a build, and of a run.")  # fmt: skip
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("bisects"),
              show_default=True, help="Where bisections are kept.")  # fmt: skip
@where
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def bisect(
    options: Options,
    alert_id: str,
    file: Path,
    good: str,
    bad: str,
    times: int | None,
    run_minutes: int,
    folder: Path,
    where: str,
    as_json: bool,
) -> None:
    """Build revisions by the commands in FILE and run the alert's case, until the first bad one is found.

    Ended at any moment it goes on there when it is called again. FILE names two commands: docs/nightly.md.

    Exit code: 0 found, 2 wrong input, 3 not found.

    Example: rig bisect 3f9c bisect.toml --good v1.2 --bad main
    """
    from rig.campaign.bisect import bisect as search
    from rig.campaign.bisect_plan import load_bisect
    from rig.campaign.kept_file import KeptFile
    from rig.campaign.qualify_process import QualifyProcess
    from rig.cli.pytest_run import stoppable
    from rig.evidence.store import open_store

    plan = load_bisect(file.resolve())
    inventory = options.inventory()
    with open_store(where) as store:
        alert = find(store.alerts(), alert_id)
    inventory.board(alert.key.board)
    revisions = plan.list_revisions(good, bad)
    place = folder / alert.id
    count = times or int(alert.detail.get("reruns") or 1)
    with stoppable(), KeptFile(place / "bisect.sqlite", (_TRIED,)) as kept:
        kept.claim({"alert": alert.id, "times": count, "build": list(plan.build), "file": plan.file})
        runner = QualifyProcess(inventory.path, place.resolve(), place / "runs.log", apart=True)
        trial = _Trial(plan, runner, alert, count, run_minutes * 60, place)
        click.echo(f"rig: {len(revisions) - 1} revisions after {good} up to {bad}", err=True)
        answer = search(revisions, _kept(kept, trial.attempt))
    click.echo(json.dumps(answer.document(), indent=2) if as_json else _text(answer, alert))
    if len(answer.among) > 1:
        raise RigFault(
            "the revisions between could not be tried, so that the first bad one is not told apart"
        )


def _kept(kept: KeptFile, attempt: Callable[[str], Tried]) -> Callable[[str], Tried]:
    """As ``attempt``, but once for each revision, also over several calls of the command."""
    from rig.campaign.bisect import Tried

    known = {name: Tried.of_document(said) for name, said in kept.found(_TRIED).items()}

    def once(revision: str) -> Tried:
        if revision not in known:
            found = attempt(revision)
            kept.add(_TRIED, revision, found.document())
            known[revision] = found
        tried = known[revision]
        click.echo(f"rig: {revision}: {tried.word} {_figures(tried)}", err=True)
        return tried

    return once


class _Trial:
    """Builds a revision, and runs the case of the alert on its board."""

    def __init__(
        self,
        plan: BisectPlan,
        runner: QualifyProcess,
        alert: Alert,
        times: int,
        limit_s: float,
        folder: Path,
    ) -> None:
        self._plan, self._runner, self._alert = plan, runner, alert
        self._times, self._limit_s, self._folder = times, limit_s, folder

    def attempt(self, revision: str) -> Tried:
        """What it is; blocks while it builds and runs."""
        from rig.campaign.bisect import Tried, word_of

        alert, figures, why = self._alert, [], ""
        try:
            image = self._plan.make(revision, self._folder / "builds.log", self._limit_s)
            for number in range(1, self._times + 1):
                figures.append(self._figure(image, f"bisect {alert.id} {revision} {number}"))
        except UsageFault:
            raise
        except ToolFault as fault:
            why = str(fault)
        if why:
            return Tried(revision, "none", (), why)
        return Tried(revision, word_of(figures, alert.before, alert.after), tuple(figures))

    def _figure(self, image: Path, asked: str) -> float:
        from rig.campaign.qualify_process import run_asked_by

        key = self._alert.key
        words = ["--case", f"{key.suite}/{key.case}", "--image", str(image)]
        end = self._runner.run(key.board, asked, words, self._limit_s, threading.Event())
        run = run_asked_by(self._runner.runs_dir, asked) if end.run_id else None
        for m in run.measurements if run else ():
            if (m.board, m.suite, m.case, m.name) == (key.board, key.suite, key.case, key.name):
                return float(m.mean if key.statistic == "value" else getattr(m, key.statistic))
        raise ToolFault(
            f"its run has no figure {key.name}: {end.why or end.outcome.value} {end.run_id}".rstrip()
        )


def _figures(tried: Tried) -> str:
    from rig.evidence.measurement import show

    return ", ".join(show(figure) for figure in tried.figures) or tried.why


def _text(answer: Answer, alert: Alert) -> str:
    from rig.evidence.measurement import show

    key = alert.key
    lines = [f"{key.board} {key.suite}/{key.case} {key.name} {key.statistic}, "
             f"{show(alert.before)} → {show(alert.after)} {alert.unit}"]  # fmt: skip
    lines += [f"{one.word:<5}  {one.revision}  {_figures(one)}" for one in answer.tried]
    if len(answer.among) == 1:
        lines.append(f"first bad: {answer.among[0]} (the last good one is {answer.good})")
    else:
        lines.append(f"first bad: one of {', '.join(answer.among)} (the last good one is {answer.good})")
    return "\n".join(lines)
