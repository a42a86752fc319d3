# SPDX-License-Identifier: MIT
"""``rig monitor``: what a board does, live, on the run's one clock.

A run in progress is watched by reading its journal along; nothing of the watching can hold it up. Where no
run goes on, the console is opened by the monitor itself, and only listened to. How events look is
``monitor_view.py``'s.
"""

from __future__ import annotations

import queue
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rig.cli import COMMANDS, Options, candidates
from rig.cli.monitor_view import SOURCES, View, Wanted
from rig.deadline import Deadline, poll
from rig.errors import BoardBusy
from rig.events import Event, RunClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rig.evidence.journal_tail import RunTail

_LOOK_S: Final = 0.1
"""How often the journal is looked at."""
_PATIENCE_S: Final = 1.0
_FIRST: Final = 20
"""Events of the past that a live view begins with."""


@click.command(short_help=COMMANDS["monitor"])
@click.argument("board", required=False, shell_complete=candidates.boards)
@click.option("--run", "wanted", metavar="RUN", shell_complete=candidates.runs, help="Show this run instead.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice(SOURCES),
    help="Only events of this source; may be repeated. Default: all but memory and clock.",
)
@click.option("--match", "text", default="", metavar="TEXT", help="Only events that contain this text.")
@click.option("--last", type=click.IntRange(0), metavar="N", help="Begin with the last N events there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--runs-dir", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
    help="Where the runs are.",
)  # fmt: skip
@click.pass_obj
def monitor(
    options: Options,
    board: str | None,
    wanted: str | None,
    sources: tuple[str, ...],
    text: str,
    last: int | None,
    as_json: bool,
    runs_dir: Path,
) -> None:
    """Show what BOARD does: console, MQTT, network, faults, power, probe, cases.

    Follows the run that goes on with the board, until it ends. Where there is none, the board is switched on
    and its console listened to. Times are seconds on the run's clock. Ctrl-C ends.

    Example: rig monitor mps2 --source mqtt --source fault
    """
    if (board is None) == (wanted is None):
        raise click.UsageError("name a board, or a run with --run")
    with suppress(KeyboardInterrupt):
        chosen = Wanted(board, sources, text)
        if wanted is not None:
            from rig.evidence.store import find_run

            _follow(find_run(runs_dir, wanted), chosen, last, as_json=as_json)
        else:
            assert board is not None
            _watch(options, board, runs_dir, chosen, last, as_json=as_json)


def _watch(
    options: Options, board: str, runs_dir: Path, chosen: Wanted, last: int | None, *, as_json: bool
) -> None:
    """A run of the board where one goes on; else its console."""
    from rig.bench.lock import holder
    from rig.evidence.journal_tail import run_in_progress

    inventory = options.inventory()
    inventory.board(board)
    run = run_in_progress(runs_dir, board)
    if run is not None:
        click.echo(f"rig: following run {run.name}", err=True)
        _follow(run, chosen, _FIRST if last is None else last, as_json=as_json)
    elif (user := holder(board, inventory.state_dir)) is not None:
        raise BoardBusy(
            f"is in use by {user}, and no run of it goes on in {runs_dir}",
            board=board,
            hint="Name the folder of its runs with --runs-dir, or a run with --run",
        )
    else:
        click.echo(f"rig: no run goes on with {board}; listening to its console", err=True)
        _listen(options, board, chosen, as_json=as_json)


def _follow(run: Path, chosen: Wanted, last: int | None, *, as_json: bool) -> None:
    """Shows what there is, the last of it only, then what comes, until the run ends or is cut off."""
    from rig.evidence.journal_tail import RunTail

    tail = RunTail(run)
    with _view(tail.started_utc, as_json=as_json, names_board=len(tail.boards) > 1) as view:
        past: deque[Event] = deque(maxlen=last)
        for events in _blocks(tail):
            view.count(events)
            past.extend(filter(chosen, events))
        view.show(past)
        goes_on = True
        while goes_on:
            poll(lambda: tail.behind or not tail.goes_on, Deadline.after(_PATIENCE_S), interval_s=_LOOK_S)
            goes_on = tail.goes_on  # asked first: a writer that has ended has written all before it
            for events in _blocks(tail):
                view.count(events)
                view.show(filter(chosen, events))
    if not tail.ended:
        half = f"; half a record stands in {tail.cut_off}" if tail.cut_off else ""
        click.echo(f"rig: the run was cut off: its journal has no end{half}", err=True)


def _blocks(tail: RunTail) -> Iterator[list[Event]]:
    """What there is to read, block by block; what is damaged is said."""
    while records := tail.new():
        yield _events(records)
        _say_notes(tail)


def _say_notes(tail: RunTail) -> None:
    for note in tail.notes:
        click.echo(f"rig: {note}", err=True)


def _events(records: Iterable[Mapping[str, Any]]) -> list[Event]:
    """Events, and the beginning and end of each case as one."""
    found = (_event(record) for record in records)
    return [event for event in found if event is not None]


def _event(record: Mapping[str, Any]) -> Event | None:
    from rig.evidence.records import event_from

    with suppress(KeyError, TypeError):
        match record["type"]:
            case "event":
                return event_from(record)
            case "case_started" | "case_finished" as kind:
                return _case(record, kind.removeprefix("case_"))
            case "abort":
                return Event(record["t"], "case", "abort", None, {"reason": record["reason"]})
    return None


def _case(record: Mapping[str, Any], kind: str) -> Event:
    said = {key: record[key] for key in ("outcome", "reason", "duration_s") if record.get(key)}
    what = {"case": f"{record['suite']}/{record['case']}", **said}
    return Event(record["t"], "case", kind, record["board"], what)


def _listen(options: Options, board: str, chosen: Wanted, *, as_json: bool) -> None:
    """Powers the board and shows what its links say. Nothing is sent; while this lasts the board is taken."""
    from rig.bench.session import open_session

    clock = RunClock()
    came: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with (
        _view(clock.started_utc, as_json=as_json, names_board=False) as view,
        open_session(options.inventory(), board, clock=clock, sink=came.put),
    ):
        while True:
            events = _waited(came)
            view.count(events)
            view.show(filter(chosen, events))


def _waited(came: queue.SimpleQueue[Event]) -> list[Event]:
    """What came, at least after some time; the rest of what is there is taken along."""
    with suppress(queue.Empty):
        first = came.get(timeout=_LOOK_S)
        return [first, *islice(iter(lambda: _next(came), None), 10_000)]
    return []


def _next(came: queue.SimpleQueue[Event]) -> Event | None:
    with suppress(queue.Empty):
        return came.get_nowait()
    return None


def _view(started_utc: datetime, *, as_json: bool, names_board: bool) -> View:
    return View(sys.stdout, started_utc, as_json=as_json, names_board=names_board)
