# SPDX-License-Identifier: MIT
"""A FreeRTOS kernel source tree: which release it is, and which heap schemes it brings.

Owns reading a tree and refusing one that the firmware cannot be built with. What the versions differ in is
the matter of ``firmware/platform/kernel_compat.h``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import UsageFault

OLDEST: Final = 9
"""Major version of the oldest kernel that is taken: the first with static allocation."""
_VERSION = re.compile(r'^\s*#define\s+tskKERNEL_VERSION_NUMBER\s+"V(\d+)\.([^"]+)"', re.MULTILINE)
_SOURCES: Final = ("tasks.c", "queue.c", "list.c", "timers.c", "event_groups.c")


@dataclass(frozen=True, slots=True)
class KernelTree:
    """A tree that can be built with. ``version`` as the tree says it, which is not true of all releases."""

    folder: Path
    version: str
    heaps: tuple[str, ...]


def kernel_tree(folder: Path) -> KernelTree:
    """Reads the tree in ``folder``, around ``include/``. Raises UsageFault: no kernel, too old, cut short."""
    header = folder / "include" / "task.h"
    try:
        found = _VERSION.search(header.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise UsageFault(f"{folder} is no FreeRTOS kernel tree: include/task.h: {error.strerror}") from error
    if found is None:
        raise UsageFault(
            f"{folder} is no FreeRTOS kernel tree: include/task.h has no tskKERNEL_VERSION_NUMBER"
        )
    version = f"V{found[1]}.{found[2]}"
    if int(found[1]) < OLDEST:
        raise UsageFault(
            f"the kernel in {folder} is {version}; V{OLDEST}.0.0 or later is needed",
            hint="The firmware's tasks are allocated statically, which older kernels cannot",
        )
    missing = [name for name in _SOURCES if not (folder / name).is_file()]
    if missing:
        raise UsageFault(f"the kernel {version} in {folder} lacks {', '.join(missing)}")
    schemes = sorted(path.stem for path in (folder / "portable" / "MemMang").glob("heap_[1-5].c"))
    return KernelTree(folder, version, tuple(schemes))
