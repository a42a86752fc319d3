# SPDX-License-Identifier: MIT
"""Folders for what must not outlive its owner: keys, frames, memory. What a killed one left goes next.

Owns how such a folder is made and how it is known that its owner is dead; not what is in it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LOCK: Final = "lock"


@contextlib.contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder of this user alone in ``parent``, removed at the end.

    Those of that prefix whose owner was killed are removed first: the kernel lets a dead owner's lock go
    (flock(2)).
    """
    for left in parent.glob(f"{prefix}*"):
        _remove_if_left(left)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if folder.stat().st_uid != os.geteuid():
            return
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
