# SPDX-License-Identifier: MIT
"""A lock between processes on a folder that one of them rebuilds (sources, build output).

Owns the lock file and the wait for it. The operating system drops the lock when its holder dies, however it
dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rig.deadline import Deadline, poll
from rig.errors import ToolFault


@contextmanager
def locked(path: Path, timeout_s: float, say: Callable[[str], None]) -> Iterator[None]:
    """Holds an exclusive lock on the file ``path`` (made when missing); blocks until its holder lets go.

    Raises ToolFault when it is not free in ``timeout_s`` seconds, or when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise ToolFault(f"cannot write {path}: {error.strerror}") from error
    with file:
        if not _taken(file):
            say(f"waiting for another process that works on {path.parent}")
            if not poll(lambda: _taken(file), Deadline.after(timeout_s), interval_s=0.05):
                raise ToolFault(f"another process holds {path} for more than {timeout_s:.0f} s")
        yield


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
