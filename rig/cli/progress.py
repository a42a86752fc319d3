# SPDX-License-Identifier: MIT
"""What a person sees while a run goes on: a live line per board on a terminal, plain lines elsewhere.

``Progress`` takes the place of pytest's own reporter where a board is run in this process. Owns no outcome:
it shows those that were recorded. Writes to a copy of standard error, as pytest captures the original.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as LiveProgress

if TYPE_CHECKING:
    from rig.evidence.model import CaseResult

_STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "ERROR": "bold yellow",
    "SKIPPED": "dim",
    "ABORTED": "bold magenta",
}


class Display:
    """Shows cases as they end, on one live line per board. A context manager: the lines are there meanwhile.

    ``run_path`` is the run's bundle once there is one. With several boards each line names its own.
    """

    def __init__(self, stream: TextIO, boards: Sequence[str]) -> None:
        self.run_path: Path | None = None
        file = os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8", errors="backslashreplace")
        self._console = Console(file=file, force_terminal=stream.isatty(), highlight=False)
        self._live = LiveProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not stream.isatty(),
            transient=True,
        )
        self._boards = {board: self._live.add_task("", total=None) for board in boards}
        for board in boards:
            self._describe(board, "starting")

    def __enter__(self) -> Display:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begins(self, path: Path) -> None:
        """The run has a bundle."""
        self.run_path = path
        boards = ", ".join(self._boards)
        self._console.print(f"run {path.name} on {boards}, evidence in {path}", markup=False, soft_wrap=True)

    def total(self, board: str, cases: int) -> None:
        """How many cases the board has."""
        self._live.update(self._boards[board], total=cases)

    def doing(self, board: str | None, what: str) -> None:
        """What the rig does before or between cases of a board, or (None) for all of them."""
        for name in self._boards if board is None else [board]:
            self._describe(name, what)
        if self._live.disable:
            shown = what if board is None else self._named(board, what)
            self._console.print(shown, markup=False, soft_wrap=True)

    def case_ended(self, result: CaseResult) -> None:
        """One line per case."""
        self._live.advance(self._boards[result.board], 1 if result.attempt == 1 else 0)
        style = _STYLES[result.outcome]
        again = f", attempt {result.attempt}" if result.attempt > 1 else ""
        label = f"{result.board}  {result.suite}/{result.case}{again}"
        self._console.print(f"[{style}]{result.outcome:<8}[/] ", end="")
        self._console.print(f"{label}  {result.duration_s:.2f} s", markup=False, soft_wrap=True)
        reason = result.reason.strip()
        if reason:
            text = "         " + reason.replace("\n", "\n         ")
            self._console.print(text, markup=False, style="dim", soft_wrap=True)  # paths stay whole

    def trouble(self, text: str) -> None:
        """What is wrong with the rig or the suites, said at once."""
        self._console.print(text, markup=False, soft_wrap=True)

    def _describe(self, board: str, what: str) -> None:
        self._live.update(self._boards[board], description=self._named(board, what))

    def _named(self, board: str, what: str) -> str:
        return what if len(self._boards) == 1 else f"{board}: {what}"


class Progress:
    """The pytest plug-in that shows a run on one board, in place of pytest's own reporter.

    ``interrupted``: a person stopped pytest, which may have been before there was a run.
    """

    def __init__(self, stream: TextIO, board: str) -> None:
        self._board = board
        self.interrupted = False
        self._display = Display(stream, [board])

    @property
    def run_path(self) -> Path | None:
        """The run's bundle once there is one."""
        return self._display.run_path

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes the place of pytest's reporter."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """The live line is there while cases run."""
        self._display.total(self._board, len(session.items))
        with self._display:
            return (yield)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C; or pytest itself, which ends sessions by errors of that kind."""
        self.interrupted = excinfo.type is KeyboardInterrupt

    def pytest_rig_run_begins(self, path: Path) -> None:
        """The run has a bundle."""
        self._display.begins(path)

    def pytest_rig_doing(self, what: str) -> None:
        """What the rig does before or between cases."""
        self._display.doing(self._board, what)

    def pytest_rig_case_ended(self, result: CaseResult) -> None:
        """A case was recorded."""
        self._display.case_ended(result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be imported is said at once."""
        if report.failed:
            self._display.trouble(f"cannot load {report.nodeid}: {report.longrepr}")
