# SPDX-License-Identifier: MIT
"""The image that a run puts on its board: the one that was given, or the board's firmware, built now."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rig.child import require_programs
from rig.project import project_root

if TYPE_CHECKING:
    from rig.pytest_plugin.settings import Settings


def require_tools(settings: Settings) -> None:
    """All that this machine lacks is said at once. Raises ToolFault."""
    from rig.image.build import PROGRAMS

    emulator = ["qemu-system-arm", "setpriv"] if settings.board.emulator is not None else []
    require_programs([*([] if settings.image is not None else PROGRAMS), *emulator])


def image_of(settings: Settings, say: Callable[[str], None]) -> Path:
    """Where the image is. Raises what a build does."""
    there = settings.image or settings.built
    if there is not None:
        return there.resolve()
    from rig.image.build import build

    assert settings.board.firmware is not None
    built = build(
        settings.board.firmware.preset,
        project_root=project_root(settings.inventory.path),
        environ=os.environ,
        say=say,
    )
    return built.elf
