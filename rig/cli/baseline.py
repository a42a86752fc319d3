# SPDX-License-Identifier: MIT
"""``rig baseline``: from which run on a board's figures are looked at anew. Owns arguments and output."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from rig.cli import COMMANDS
from rig.cli.alerts import by_a_person
from rig.cli.store_option import as_json, where
from rig.errors import UsageFault


@click.group(short_help=COMMANDS["baseline"])
def baseline() -> None:
    """Name a run from which a board's figures are looked at anew.

    What was before it raises no alert; limits stay what they are. A name that
    is set again gets the next version, and old versions are kept.

    Example: rig baseline set release --board mps2 --reason "kernel V11.1.0"
    """


@baseline.command("set")
@click.argument("name")
@click.argument("run_id", metavar="[RUN]", default="latest")
@click.option("--board", required=True, help="Whose figures.")
@by_a_person
@where
def set_run(name: str, run_id: str, board: str, author: str, reason: str, where: str) -> None:
    """Make RUN ('latest' of the board if it is left out) the baseline of a board.

    Example: rig baseline set release --board mps2 --reason "kernel V11.1.0"
    """
    from rig.evidence.alerts import set_baseline
    from rig.evidence.store import open_store

    with open_store(where) as store:
        ran = [run.run_id for run in store.runs(board=board)]
        if not ran:
            known = ", ".join(b.name for b in store.boards()) or "none"
            raise UsageFault(f"no run of board '{board}' in the store; it has runs of {known}")
        meant = ran[:1] if run_id == "latest" else [r for r in ran if r.startswith(run_id)]
        if len(meant) != 1:
            raise UsageFault(f"'{run_id}' means {len(meant)} runs of {board}; the newest is {ran[0]}")
        made = set_baseline(name, board, meant[0], author, reason, datetime.now(UTC), store.baselines())
        store.save_baseline(made)
    click.echo(f"baseline '{made.name}' version {made.version}: {board} from run {made.run_id}")


@baseline.command("list")
@where
@as_json
def list_baselines(where: str, as_json: bool) -> None:
    """List every version of every baseline, with author and reason.

    Example: rig baseline list --json
    """
    from rig.evidence.store import open_store

    with open_store(where) as store:
        known = store.baselines()
    if as_json:
        click.echo(json.dumps([asdict(b) | {"set_utc": b.set_utc.isoformat()} for b in known], indent=2))
        return
    for b in known:
        of = b.board if b.key is None else f"{b.board} {b.key.name} {b.key.statistic}"
        click.echo(f"{b.name}  version {b.version}  {of}  from {b.run_id}  {b.author}: {b.reason}")
    if not known:
        click.echo("no baselines")
