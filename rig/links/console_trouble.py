# SPDX-License-Identifier: MIT
"""What to do about a serial port that cannot be opened: what is there instead, who may, who has it.

Looks at the machine as it is when it is asked, in the thread of who asks; opens no port. Owns the wording of
the hints.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_USUAL = ("ttyACM*", "ttyUSB*")  # below /dev itself, where much else is
_SHOWN = 8


def port_hint(port: str) -> str | None:
    """The hint for a port that did not open, or None; of a device only, never of a port on the network."""
    if not port.startswith("/"):
        return None
    path = Path(port)
    if not path.exists():
        return _what_is_there(path.parent)
    if not os.access(path, os.R_OK | os.W_OK):
        return _who_may(path)
    holders = ", ".join(f"process {pid} ({name})" for pid, name in holders_of(path))
    return f"It is held by {holders}" if holders else None


def holders_of(path: Path) -> list[tuple[int, str]]:
    """Process ids and names of those who have locked a device, else of those who have it open.

    Of other users' processes only root sees which files they have open.
    """
    pids = sorted(set(_who_locked(path))) or sorted(set(_who_opened(path)))
    return [(pid, _name_of(pid)) for pid in pids]


def _what_is_there(folder: Path) -> str:
    patterns = _USUAL if folder == Path("/dev") else ("*",)
    found = [item.name for pattern in patterns for item in folder.glob(pattern) if _is_device(item)]
    shown = ", ".join(sorted(found)[:_SHOWN])
    return f"Is it plugged in and powered? In {folder} there is: {shown or 'no port'}"


def _is_device(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISCHR(path.stat().st_mode)
    return False


def _who_may(path: Path) -> str:
    try:
        group = path.group()
    except KeyError:  # a group without a name
        group = str(path.stat().st_gid)
    return f"It belongs to group '{group}': add the user to it (Debian: adduser USER dialout)"


def _who_locked(path: Path) -> Iterator[int]:
    """By /proc/locks (proc(5)): ``1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF``."""
    inode = path.stat().st_ino
    device = path.stat().st_dev
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    for line in (_PROC / "locks").read_text().splitlines():
        words = line.split()
        if "->" not in words and len(words) > 5 and words[5] == wanted and int(words[4]) > 0:
            yield int(words[4])


def _who_opened(path: Path) -> Iterator[int]:
    real = path.resolve()
    for opened in _PROC.glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if opened.readlink() == real:
                yield int(opened.parts[2])


def _name_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "comm").read_text().strip()
    return "ended meanwhile"
