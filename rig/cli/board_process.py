# SPDX-License-Identifier: MIT
"""The process of one board of several: pytest, and what it shows told to the process that started it.

It is forked by ``nursery_process.py``. The socket keeps messages apart, each one JSON object. They are for
show: the truth is the board's journal, so a message that the other side has no room for is dropped, and a
board never waits for a terminal.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.cli.pytest_run import run_pytest
from rig.evidence.records import case_record

if TYPE_CHECKING:
    from rig.evidence.model import CaseResult


class Teller:
    """A pytest plug-in that takes the place of pytest's own reporter and tells another process."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._run = Path()

    def _tell(self, kind: str, **what: Any) -> None:
        with suppress(OSError):
            self._channel.send(json.dumps({"kind": kind, **what}).encode(), socket.MSG_DONTWAIT)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes the place of pytest's reporter."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """How many cases there will be."""
        self._tell("total", cases=len(session.items))
        return (yield)

    def pytest_rig_run_begins(self, path: Path) -> None:
        """Where artifacts lie."""
        self._run = path

    def pytest_rig_doing(self, what: str) -> None:
        """What the rig does before or between cases."""
        self._tell("doing", what=what)

    def pytest_rig_case_ended(self, result: CaseResult) -> None:
        """A case as its record."""
        self._tell("case", record=case_record(result, self._run, 0))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be imported: no case of this board will run."""
        if report.failed:
            self._tell("trouble", text=f"cannot load {report.nodeid}: {report.longrepr}")


def run_board(told: socket.socket, root: Path, arguments: Sequence[str]) -> int:
    """Runs one board; returns the exit code of its part. ``arguments`` are pytest's."""
    return run_pytest(arguments, root, Teller(told))
