# SPDX-License-Identifier: MIT
"""``rig console``: powers a board and talks with its firmware; the dialogue itself is ``terminal.py``'s."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from rig.cli import COMMANDS, Options, candidates
from rig.deadline import Deadline
from rig.errors import BoardFault
from rig.links.interfaces import Mark

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink

_BOOT_S = 3.0


@click.command(short_help=COMMANDS["console"])
@click.argument("board", shell_complete=candidates.boards)
@click.option("--raw", is_flag=True, help="Show frames as they come over the wire too.")
@click.option("--reset", is_flag=True, help="Reset the board first, to see it boot.")
@click.option("--network", is_flag=True, help="An emulated board with its network on, on the free clock.")
@click.pass_obj
def console(options: Options, board: str, raw: bool, reset: bool, network: bool) -> None:
    """Talk with the firmware of BOARD: type 'help'. Ctrl-D or Ctrl-C ends.

    Works in a pipe too.

    Example: echo help | rig console mps2
    """
    from rig.bench.session import open_session
    from rig.cli.terminal import run_console
    from rig.emulator.arrangement import AS_LISTED, Arrangement

    arrangement = Arrangement(clock="free", network=True) if network else AS_LISTED
    with open_session(options.inventory(), board, arrangement=arrangement) as session:
        if reset:
            session.probe.reset()
        if reset or session.board.power.driver != "none":
            _await_boot(session.console)
        begin = Mark(0)  # all that the board said since its power came on
        raise click.exceptions.Exit(run_console(session.console, sys.stdin, sys.stdout, raw=raw, since=begin))


def _await_boot(console: ConsoleLink) -> None:
    """A board that has just been started takes no commands yet; one that never does may still talk."""
    with contextlib.suppress(BoardFault):
        console.wait_event("ready", Deadline.after(_BOOT_S), since=Mark(0))
