# SPDX-License-Identifier: MIT
"""One process at a time per board: an advisory lock that says who holds it.

Owns the file ``<state dir>/<board>/lock``. The operating system drops the lock when its holder ends, however
it ends; what the file says about a holder counts only while somebody holds the lock.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rig.deadline import Deadline, poll
from rig.errors import BoardBusy, RigFault

# A holder writes its name just after it has the lock, and `holder()` takes the lock for an instant to see
# whether it is free; a taker waits that long for a name before it believes in a holder without one.
_NAMELESS_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a board. ``since``: UTC, ISO 8601, to the second."""

    pid: int
    command: str
    user: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}) of {self.user} since {self.since}"


@contextmanager
def board_lock(board: str, state_dir: Path, deadline: Deadline | None = None) -> Iterator[None]:
    """Holds the board until the context is left; blocks at most until the deadline (None: does not wait).

    Raises BoardBusy that names the holder, RigFault when the file cannot be made. A child process does not
    inherit the lock (unless it is forked without exec).
    """
    path = _path(board, state_dir)
    file = _open(board, path)
    try:
        if not _take(file, deadline or Deadline.after(0)):
            raise BoardBusy(
                f"is in use by {_read(file) or 'another process'}", board=board, evidence=str(path)
            )
        _write(file, json.dumps(asdict(_myself())))
        try:
            yield
        finally:
            _write(file, "")
    finally:
        os.close(file)


def holder(board: str, state_dir: Path) -> Holder | None:
    """Who holds the board now, or None when it is free. Does not block and makes no file."""
    try:
        file = os.open(_path(board, state_dir), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        poll(lambda: _read(file) is not None, Deadline.after(_NAMELESS_S))
        return _read(file)
    else:
        return None
    finally:
        os.close(file)


def _path(board: str, state_dir: Path) -> Path:
    return state_dir / board / "lock"


def _open(board: str, path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RigFault(
            f"cannot open its lock: {error.strerror}",
            board=board,
            evidence=str(path),
            hint="The folder .rig beside devices.yaml must be writable for everybody who uses the bench",
        ) from error


def _take(file: int, deadline: Deadline) -> bool:
    if poll(lambda: _try(file), deadline, interval_s=0.05):
        return True
    # Free but for somebody who only looks, or taken by somebody who has not yet written a name?
    poll(lambda: _try(file) or _alive(_read(file)), Deadline.after(_NAMELESS_S))
    return _try(file)


def _try(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(found: Holder | None) -> bool:
    return found is not None and Path(f"/proc/{found.pid}").exists()


def _read(file: int) -> Holder | None:
    with suppress(ValueError, TypeError):  # empty, half written, or of another version
        return Holder(**json.loads(os.pread(file, 4096, 0)))
    return None


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, text.encode(), 0)


def _myself() -> Holder:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    return Holder(os.getpid(), command, _user(), _now())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
