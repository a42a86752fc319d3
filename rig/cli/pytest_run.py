# SPDX-License-Identifier: MIT
"""Running pytest on the suites in this very process, and being stopped in order while it does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from rig.project import is_shipped

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
_UNWANTED: Final = ("no:cacheprovider", "no:xdist", "no:xdist.looponfail")
"""Plug-ins left out: nothing is written beside suites, and a board's cases are never dealt to workers."""


class Stop:
    """Whether a person or a program asked for an end; a pytest plug-in that begins no case after that.

    The interrupt alone is not enough: Python raises it wherever it stands, and what stands there may lose it
    (a finalizer, a callback out of C, a bare except in a library).
    """

    asked = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Asks before each case."""
        if self.asked:
            raise KeyboardInterrupt
        return (yield)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """SIGTERM ends what runs in here as Ctrl-C does: by KeyboardInterrupt, with the boards let go."""
    stop = Stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in _STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM wait from here until what is yielded is called, at the latest until the end of this.

    For what must be whole before it can be ended in order. Threads started meanwhile never get these signals.
    """

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield release
    finally:
        release()


def run_pytest(arguments: Sequence[str], root: Path, watcher: object) -> int:
    """Runs suites with the rig's plug-in; ``watcher`` has its hooks. Returns the exit code of the run."""
    plugins = [word for name in (*_UNWANTED, "rig.pytest_plugin") for word in ("-p", name)]
    fixed = ["--rootdir", str(root), *plugins, "-q"]
    with stoppable() as stop:
        return int(pytest.main([*fixed, *_read_only(root), *arguments], plugins=[watcher, stop]))


def _read_only(root: Path) -> list[str]:
    """For suites that came with a wheel: no bytecode beside them, no settings of whatever is around them."""
    if not is_shipped(root):
        return []
    sys.dont_write_bytecode = True
    return ["-c", os.devnull]
