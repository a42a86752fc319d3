# SPDX-License-Identifier: MIT
"""``rig dashboard``: the pages about the whole bench, over HTTP or as files, and what is told elsewhere.

Owns the arguments and where things are read from; the pages are ``reports/dashboard``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rig.cli import COMMANDS, Options, candidates
from rig.cli.report import RUNS
from rig.errors import RigError, UsageFault

if TYPE_CHECKING:
    from reports.dashboard.guard import Rules
    from reports.dashboard.sources import Sources
    from rig.evidence.store.store import Store

_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_PORT: Final = 8750
TOLD: Final = RUNS / "told.json"
"""What a webhook was told already."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is read from."""

    store: str
    runs: Path
    qualifications: Path
    power_cuts: Path
    nights: Path


@click.group(invoke_without_command=True, short_help=COMMANDS["dashboard"])
@click.option(
    "--store", metavar="STORE", envvar="RIG_STORE", help="A file, or postgresql://… Default: of the runs."
)
@click.option("--runs-dir", type=_FOLDER, default=RUNS, show_default=True, help="Where the runs are.")
@click.option("--qualifications", type=_FOLDER, default=Path("qualifications"), show_default=True,
              help="Where the JSON of 'rig qualification check --json' is kept.")  # fmt: skip
@click.option("--power-cuts", type=_FOLDER, default=Path("build/power-cuts"), show_default=True,
              help="Where the plans of power cuts are.")  # fmt: skip
@click.option("--nights", type=_FOLDER, default=Path("nights"), show_default=True,
              help="Where 'rig nightly' keeps its nights.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: any.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Another name of this machine.")
@click.option("--token-file", type=_FILE, help="File with the token that opens the pages to others.")
@click.option("--allow-actions", is_flag=True, help="Who has the token may start, abort and answer.")
@click.pass_context
def dashboard(
    ctx: click.Context,
    store: str | None,
    runs_dir: Path,
    qualifications: Path,
    power_cuts: Path,
    nights: Path,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    token_file: Path | None,
    allow_actions: bool,
) -> None:
    """Show the bench: what is wrong since when, what goes on, what is qualified.

    Only this machine is answered, and nothing can be done from the pages, unless a token is given.
    Ctrl-C ends.

    Example: rig dashboard
    """
    places = Places(store or str(runs_dir), runs_dir, qualifications, power_cuts, nights)
    ctx.meta[__name__] = places
    if ctx.invoked_subcommand is not None:
        return
    from reports.dashboard.guard import Rules

    rules = Rules(host, _token(token_file), hosts, allow_actions)
    _serve(ctx.obj, places, rules, port)


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageFault(f"cannot read the token: {error}") from error


def _serve(options: Options, places: Places, rules: Rules, port: int) -> None:
    from reports.dashboard.server import Dashboard, serve
    from rig.cli.dashboard_actions import BenchActions
    from rig.cli.pytest_run import stoppable

    def ready(bound: int) -> None:
        shown = f"[{rules.listens_on}]" if ":" in rules.listens_on else rules.listens_on
        click.echo(f"http://{shown}:{bound}/")
        click.echo("rig: Ctrl-C ends the dashboard", err=True)

    with suppress(KeyboardInterrupt), stoppable(), _opened(places, options) as (sources, kept):
        assert sources.watch is not None
        log = places.runs / "dashboard.log"
        with BenchActions(kept, sources.watch, options.inventory, sources.suites, log) as actions:
            serve(
                Dashboard(sources, rules, actions if rules.may_act else None), rules.listens_on, port, ready
            )


@contextmanager
def _opened(places: Places, options: Options) -> Iterator[tuple[Sources, Store]]:
    """The sources of the pages, and the store."""
    from reports.dashboard.activity import Watch
    from reports.dashboard.sources import Sources
    from rig.cli.compare import compared
    from rig.evidence.store import open_store
    from rig.evidence.trend import analyse

    with open_store(places.store) as store:
        yield (
            Sources(
                store,
                analyse,
                lambda before, after: compared(before, after, ()),
                Watch(places.runs),
                places.qualifications,
                places.power_cuts,
                places.nights,
                _suites(options),
            ),
            store,
        )


def _suites(options: Options) -> tuple[str, ...]:
    from rig.project import project_root, suite_names

    try:
        return tuple(suite_names(project_root(options.path() or Path("devices.yaml"))))
    except RigError:
        return ()


@dashboard.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.pass_context
def export(ctx: click.Context, folder: Path) -> None:
    """Write the same pages to DIR, to be opened from there or put on a web server.

    Example: rig dashboard export site
    """
    from reports.dashboard.export import export as export_pages

    with _opened(ctx.meta[__name__], ctx.obj) as (sources, _):
        written = export_pages(sources, folder)
    click.echo(f"{written.home}: {written.pages:,} pages, {written.octets / 1e6:,.1f} MB")


@dashboard.command()
@click.option("--webhook-file", type=_FILE, required=True, help="File with the address to post to.")
@click.option("--told", type=click.Path(dir_okay=False, path_type=Path), default=TOLD,
              show_default=True, help="What was told already.")  # fmt: skip
@click.option("--site", default="", metavar="URL", help="Where people reach the dashboard.")
@click.pass_context
def notify(ctx: click.Context, webhook_file: Path, told: Path, site: str) -> None:
    """Post what is new about alerts to a webhook; nothing where nothing is new.

    The address is read from a file, since it often holds a secret.

    Example: rig dashboard notify --webhook-file hook.txt
    """
    with _opened(ctx.meta[__name__], ctx.obj) as (_, store):
        click.echo(f"{tell_news(store, webhook_file, told, site)} told")


def tell_news(store: Store, webhook_file: Path, told: Path, site: str) -> int:
    """Posts what is new beside the file ``told``; how many alerts that were. Raises UsageFault, RigFault."""
    from reports.dashboard.news import news, payload
    from reports.dashboard.webhook import post
    from rig.evidence.bundle import read_json, write_json

    found = news(store.alerts(), {k: str(v) for k, v in read_json(told).items()})
    if found:
        post(_token(webhook_file) or "", payload(found, site))
    write_json(told, dict(found.told))
    return len(found.alerts)


@dashboard.command()
@click.argument("before", metavar="RUN_A", shell_complete=candidates.runs)
@click.argument("after", metavar="[RUN_B]", default="latest", shell_complete=candidates.runs)
@click.option("--site", default="", metavar="URL", help="Address of the whole comparison, to link to.")
@click.pass_context
def summary(ctx: click.Context, before: str, after: str, site: str) -> None:
    """Print what changed between two runs as Markdown, for a merge request.

    Example: rig dashboard summary 20261122T101500Z-a1b2
    """
    from reports.dashboard.merge_request import merge_summary
    from rig.cli.compare import compared
    from rig.evidence.store import find_run

    places: Places = ctx.meta[__name__]
    pair = [find_run(places.runs, wanted) for wanted in (before, after)]
    click.echo(merge_summary(compared(pair[0], pair[1], ()), site), nl=False)


@dashboard.command()
@click.argument("board", shell_complete=candidates.boards)
@click.argument("text", metavar="ANSWER")
@click.option("--author", required=True, metavar="NAME", help="Who answers.")
@click.pass_context
def answer(ctx: click.Context, board: str, text: str, author: str) -> None:
    """Answer what a case asks of a person, without a browser.

    Example: rig dashboard answer qual-03 done --author dana
    """
    from reports.dashboard.activity import Watch
    from rig.evidence.prompts import Answer, give_answer

    places: Places = ctx.meta[__name__]
    busy = [a for a in Watch(places.runs).look() if a.board == board and a.prompts]
    if not busy:
        raise UsageFault("no case of it waits for a person", board=board)
    give_answer(busy[0].path, busy[0].prompts[0], Answer(text, author))
    click.echo(json.dumps({"run": busy[0].run_id, "prompt": busy[0].prompts[0].text}))
