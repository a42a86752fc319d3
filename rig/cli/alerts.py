# SPDX-License-Identifier: MIT
"""``rig alerts``: what changed, is it real, and what people say of it. Owns arguments and what is shown.

What an alert is and may become is ``rig/evidence/alerts.py``'s; how it is found, ``docs/regression.md``.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from rig.cli import COMMANDS
from rig.cli.store_option import as_json, where
from rig.errors import UsageFault

if TYPE_CHECKING:
    from rig.evidence.alerts import Alert
    from rig.evidence.watch import Night

_Command = TypeVar("_Command", bound=Callable[..., Any])

STATES: Final = ("open", "suspected", "confirmed", "acknowledged", "expected", "fixed", "all")


def by_a_person(command: _Command) -> _Command:
    """The options of a step that a person takes: who, and why."""
    author = click.option("--author", default=getpass.getuser, help="Who says so. Default: your login name.")
    reason = click.option("--reason", required=True, help="Why.")
    return author(reason(command))


@click.group(short_help=COMMANDS["alerts"])
def alerts() -> None:
    """List what changed over the nights, and say what you think of it.

    An alert is named by its id or the beginning of it.

    Example: rig alerts expect 3f9c --reason "the new allocator"
    """


@alerts.command("list")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True, help="Which.")
@click.option("--board", help="Of this board only.")
@where
@as_json
def list_alerts(state: str, board: str | None, where: str, as_json: bool) -> None:
    """List alerts, the newest first.

    Example: rig alerts list --state all --board mps2
    """
    from rig.evidence.alerts import OPEN
    from rig.evidence.store import open_store
    from rig.evidence.watch import alert_as_json

    with open_store(where) as store:
        known = store.alerts()
    wanted = {"all": STATES, "open": OPEN}.get(state, (state,))
    found = [alert for alert in known if alert.state in wanted and board in (None, alert.key.board)]
    if as_json:
        click.echo(json.dumps([alert_as_json(alert) for alert in found], indent=2))
    else:
        click.echo(_listed(found) if found else f"no alerts ({state})")


@alerts.command()
@where
@as_json
def watch(where: str, as_json: bool) -> None:
    """Look at every series of the store, as after a night.

    Says what is new, which cases are to be run again to confirm it, and which
    images a bisect is wanted between. Exit code 4 while a regression is
    confirmed and nobody has acknowledged, expected or fixed it.

    Example: rig alerts watch --json
    """
    from rig.evidence.measurement import EXIT_REGRESSION
    from rig.evidence.store import open_store
    from rig.evidence.watch import unanswered
    from rig.evidence.watch import watch as walk

    with open_store(where) as store:
        night = walk(store, datetime.now(UTC))
        known = store.alerts()
    click.echo(json.dumps(night.as_json(), indent=2) if as_json else _night(night))
    if unanswered(known):
        raise click.exceptions.Exit(EXIT_REGRESSION)


@alerts.command()
@click.argument("alert_id", metavar="ALERT")
@by_a_person
@where
def ack(alert_id: str, author: str, reason: str, where: str) -> None:
    """Say that you have seen it; it stays open.

    Example: rig alerts ack 3f9c --reason "known, see the driver's change"
    """
    from rig.evidence.alerts import acknowledge

    _step(where, alert_id, lambda alert: acknowledge(alert, author, reason, datetime.now(UTC)))


@alerts.command()
@click.argument("alert_id", metavar="ALERT")
@by_a_person
@where
def fix(alert_id: str, author: str, reason: str, where: str) -> None:
    """Say that it is repaired; it is opened again if runs show that it is not.

    Example: rig alerts fix 3f9c --reason "reverted"
    """
    from rig.evidence.alerts import fix as fixed

    _step(where, alert_id, lambda alert: fixed(alert, author, reason, datetime.now(UTC)))


@alerts.command()
@click.argument("alert_id", metavar="ALERT")
@by_a_person
@where
def expect(alert_id: str, author: str, reason: str, where: str) -> None:
    """Say that it was wanted: the series has a new baseline, and is quiet.

    Example: rig alerts expect 3f9c --reason "two instructions for an assertion"
    """
    from rig.evidence.alerts import expect as expected
    from rig.evidence.store import open_store

    with open_store(where) as store:
        alert = find(store.alerts(), alert_id)
        ended, baseline = expected(alert, author, reason, datetime.now(UTC), store.baselines())
        store.save_baseline(baseline)
        store.save_alert(ended)
    click.echo(f"{ended.id} is expected; baseline '{baseline.name}' version {baseline.version}")


def find(known: Sequence[Alert], wanted: str) -> Alert:
    """The alert of that id, or beginning of one; raises UsageFault, with the candidates."""
    found = [alert for alert in known if alert.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(alert.id for alert in (found or known)[:10]) or "none"
    what = f"'{wanted}' means {len(found)} alerts" if found else f"no alert '{wanted}'"
    raise UsageFault(f"{what}: there are {listed}")


def _step(where: str, alert_id: str, step: Callable[[Alert], Alert]) -> None:
    from rig.evidence.store import open_store

    with open_store(where) as store:
        moved = step(find(store.alerts(), alert_id))
        store.save_alert(moved)
    click.echo(f"{moved.id} is {moved.state}")


def _night(night: Night) -> str:
    lines = [_listed(night.news) if night.news else f"nothing new in {night.series} series"]
    for rerun in night.reruns:
        of = f" with image {rerun.image_sha256[:12]}" if rerun.image_sha256 else ""
        lines.append(f"run again: {rerun.board} {rerun.suite}/{rerun.case}, {rerun.times} times{of}")
    for bisect in night.bisects:
        ends = f"{(bisect.good_image or '')[:12]} (good) and {(bisect.bad_image or '')[:12]} (bad)"
        lines.append(f"bisect: {bisect.key.board} {bisect.key.name} between {ends}")
    lines += [f"left out, dated after now: {run_id}" for run_id in night.ahead]
    return "\n".join(lines)


def _listed(found: Sequence[Alert]) -> str:
    return "\n".join(line for alert in found for line in _lines(alert))


def _lines(alert: Alert) -> Iterator[str]:
    """What is said of an alert at the shell: what, from what to what since when, and the last word on it."""
    from rig.evidence.measurement import show

    key, indent = alert.key, " " * len(alert.id)
    state = "dropped" if alert.dropped else alert.state
    figure = f"{key.board} {key.suite}/{key.case} {key.name} {key.statistic}"
    yield f"{alert.id}  {state:<12}  {alert.kind:<5}  {figure}"
    levels = f"{show(round(alert.before, 4))} → {show(round(alert.after, 4))} {alert.unit}"
    share = f" ({100 * (alert.after - alert.before) / abs(alert.before):+.1f} %)" if alert.before else ""
    yield f"{indent}  {levels}{share}, {alert.detail.get('verdict')} since {alert.since_run}"
    if alert.reason:
        yield f"{indent}  {alert.author}: {alert.reason}"
