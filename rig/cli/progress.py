# SPDX-License-Identifier: MIT
"""What a person sees while a run goes on: a live line on a terminal, plain lines elsewhere.

A pytest plug-in that takes the place of pytest's own reporter. Owns no outcome: it shows those that were
recorded. Writes to a copy of standard error, as pytest captures the original.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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


class Progress:
    """Shows cases as they end. ``run_path`` is the run's bundle once there is one.

    ``interrupted``: a person stopped pytest, which may have been before there was a run.
    """

    def __init__(self, stream: TextIO) -> None:
        self.run_path: Path | None = None
        self.interrupted = False
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
        self._task = self._live.add_task("starting", total=None)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes the place of pytest's reporter."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """The live line is there while cases run."""
        self._live.update(self._task, total=len(session.items))
        with self._live:
            return (yield)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C; or pytest itself, which ends sessions by errors of that kind."""
        self.interrupted = excinfo.type is KeyboardInterrupt

    def pytest_rig_run_begins(self, path: Path, board: str) -> None:
        """The run has a bundle."""
        self.run_path = path
        self._console.print(f"run {path.name} on {board}, evidence in {path}", markup=False, soft_wrap=True)

    def pytest_rig_doing(self, what: str) -> None:
        """What the rig does before or between cases."""
        self._live.update(self._task, description=what)
        if self._live.disable:
            self._console.print(what, markup=False)

    def pytest_rig_case_ended(self, result: CaseResult) -> None:
        """One line per case."""
        self._live.advance(self._task)
        style = _STYLES[result.outcome]
        label = f"{result.board}  {result.suite}/{result.case}"
        self._console.print(f"[{style}]{result.outcome:<8}[/] ", end="")
        self._console.print(f"{label}  {result.duration_s:.2f} s", markup=False, soft_wrap=True)
        reason = result.reason.strip()
        if reason:
            text = "         " + reason.replace("\n", "\n         ")
            self._console.print(text, markup=False, style="dim", soft_wrap=True)  # paths stay whole

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be imported is said at once."""
        if report.failed:
            self._console.print(f"cannot load {report.nodeid}: {report.longrepr}", markup=False)
