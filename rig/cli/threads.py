# SPDX-License-Identifier: MIT
"""``rig threads``: the tasks of a board's kernel as the probe sees them; the firmware is not asked."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, Options, candidates
from rig.deadline import Deadline
from rig.errors import BoardFault, ImageFault, UsageFault
from rig.links.interfaces import Mark

if TYPE_CHECKING:
    from rig.bench.inventory import Inventory
    from rig.bench.session import BoardSession
    from rig.image.kernel_view import TaskView
    from rig.links.probe_threads import Thread

_BOOT_S = 3.0


@click.command(short_help=COMMANDS["threads"])
@click.argument("board", shell_complete=candidates.boards)
@click.argument("elf", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def threads(options: Options, board: str, elf: Path | None) -> None:
    """List the tasks of the FreeRTOS kernel on BOARD: name, state, priority, stack.

    ELF is the image that the board holds; by default the board's own firmware as it was built last. The core
    is halted for a moment.

    Example: rig threads mps2
    """
    from rig.bench.session import open_session
    from rig.links.probe_threads import list_threads

    inventory = options.inventory()
    path = elf or _built(inventory, board)
    with open_session(inventory, board) as session:
        _await_boot(session)
        if not session.probe.holds(path):
            raise ImageFault(
                f"the board holds another image than {path}",
                board=board,
                hint="Name the ELF that was flashed, or flash this one",
            )
        found = list_threads(session.probe, path)
        _print(found, _stacks(session, path))


def _built(inventory: Inventory, name: str) -> Path:
    from rig.project import firmware_builds, project_root

    board = inventory.board(name)
    if board.firmware is None:
        raise UsageFault("it names no firmware of ours", board=name, hint="Give the ELF that it holds")
    path = firmware_builds(project_root(inventory.path)) / board.firmware.preset / "app.elf"
    if not path.exists():
        raise UsageFault(f"no {path}", board=name, hint="Build it by 'make firmware', or give an ELF")
    return path


def _await_boot(session: BoardSession) -> None:
    """A board that was started just now has no tasks yet; one that says nothing may still have some."""
    if session.board.power.driver != "none":
        with contextlib.suppress(BoardFault):
            session.console.wait_event("ready", Deadline.after(_BOOT_S), since=Mark(0))


def _stacks(session: BoardSession, elf: Path) -> dict[int, TaskView]:
    """Stacks by the tasks' identity; none where the ELF has no debug information."""
    from rig.image.kernel_layout import read_layout
    from rig.image.kernel_view import KernelView

    try:
        view = KernelView(read_layout(elf), session.probe.read_memory)
    except ImageFault:
        return {}
    return {task.tcb: task for task in view.tasks()}


def _print(found: tuple[Thread, ...], stacks: dict[int, TaskView]) -> None:
    if not found:
        click.echo("no tasks: the scheduler does not run")
        return
    click.echo(f"{'task':<16} {'state':<10} {'priority':>8}  {'stack pointer':<13}  stack, never used")
    for thread in found:
        task = stacks.get(thread.tcb)
        size = f"{task.stack_size} bytes, {task.highwater}" if task and task.stack_size else "—"
        row = f"{thread.name:<16} {_state(thread, task):<10} {thread.priority:>8}"
        click.echo(f"{row}  {thread.stack_pointer:#010x}     {size}")


def _state(thread: Thread, task: TaskView | None) -> str:
    """The kernel keeps who waits without time-out among the suspended; only its control block tells."""
    waits = thread.state == "suspended" and task is not None and task.state == "blocked"
    return "blocked" if waits else thread.state
