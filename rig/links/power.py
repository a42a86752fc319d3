# SPDX-License-Identifier: MIT
"""The power link of a physical board: a command that switches, or a supply that is always on.

Owns running the inventory's argument lists (never a shell) and reading the state back. The power of an
emulated board is its process: ``emulator/board.py``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from rig.bench.inventory import Board
from rig.errors import LinkLost
from rig.links.interfaces import Power

_COMMAND_S = 30.0


class AlwaysOn:
    """A supply that nobody can switch; off and on do nothing, and say so in no way."""

    def __init__(self, board: str) -> None:
        self.board = board
        self.is_on = True

    def on(self) -> None:
        """Nothing: it is on."""

    def off(self) -> None:
        """Nothing: it stays on."""


class CommandPower:
    """A supply that is switched by running commands; the status command, where there is one, is believed."""

    def __init__(
        self, board: str, on: Sequence[str], off: Sequence[str], status: Sequence[str] | None
    ) -> None:
        self.board = board
        self._on, self._off, self._status = tuple(on), tuple(off), tuple(status or ())
        self._switched_on = False

    def on(self) -> None:
        """Switches on and reads the state back. Raises LinkLost."""
        self._switch(self._on, True)

    def off(self) -> None:
        """Switches off and reads the state back. Raises LinkLost."""
        self._switch(self._off, False)

    @property
    def is_on(self) -> bool:
        """What the status command says; without one, what was switched last."""
        if not self._status:
            return self._switched_on
        status = self._run(self._status)
        if status.returncode not in (0, 1):
            raise self._lost(self._status, status)
        return status.returncode == 0

    def _switch(self, argv: Sequence[str], wanted: bool) -> None:
        done = self._run(argv)
        if done.returncode != 0:
            raise self._lost(argv, done)
        self._switched_on = wanted
        if self.is_on is not wanted:
            raise LinkLost(
                f"{argv[0]} reported success, but the supply is still {'off' if wanted else 'on'}",
                board=self.board,
                hint="Some hubs claim to switch and do not: try another port",
            )

    def _run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv,
                capture_output=True,
                text=True,
                timeout=_COMMAND_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LinkLost(f"the power command {argv[0]} failed: {error}", board=self.board) from error

    def _lost(self, argv: Sequence[str], done: subprocess.CompletedProcess[str]) -> LinkLost:
        said = (done.stderr or done.stdout).strip()[-200:] or "nothing"
        return LinkLost(
            f"the power command {' '.join(argv)} ended with status {done.returncode}; it said: {said}",
            board=self.board,
        )


def power_of(board: Board) -> Power:
    """The power link of a physical board by its inventory entry."""
    facts = board.power
    if facts.driver == "command" and facts.on is not None and facts.off is not None:
        return CommandPower(board.name, facts.on, facts.off, facts.status)
    return AlwaysOn(board.name)
