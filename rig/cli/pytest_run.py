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

from rig.project import is_shipped


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM ends what runs in here as Ctrl-C does: by KeyboardInterrupt, with the boards let go."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM wait from here until what is yielded is called, at the latest until the end of this.

    For what must be whole before it can be ended in order. Threads started meanwhile never get these signals.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield release
    finally:
        release()


def run_pytest(arguments: Sequence[str], root: Path, watcher: object) -> int:
    """Runs suites with the rig's plug-in; ``watcher`` has its hooks. Returns the exit code of the run."""
    import pytest

    fixed = ["--rootdir", str(root), "-p", "no:cacheprovider", "-p", "rig.pytest_plugin", "-q"]
    with stoppable():
        return int(pytest.main([*fixed, *_read_only(root), *arguments], plugins=[watcher]))


def _read_only(root: Path) -> list[str]:
    """For suites that came with a wheel: no bytecode beside them, no settings of whatever is around them."""
    if not is_shipped(root):
        return []
    sys.dont_write_bytecode = True
    return ["-c", os.devnull]
