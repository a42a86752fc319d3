# SPDX-License-Identifier: MIT
"""A board that runs its firmware built otherwise for a while: another heap scheme of the same kernel tree.

Owns the way there and back: built, flashed, restarted with its identity checked, and then the run's own image
again, however the case ends. What is measured meanwhile is the case's matter.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from rig.image.build import NETWORK, Variant, build
from rig.image.kernel_tree import kernel_tree
from rig.image.sources import kernel_path
from rig.project import project_root

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.pytest_plugin.qualification import Qualification

IMAGE_HEAP: Final = "heap_4"
"""The scheme that every preset is built with (RIG_KERNEL_HEAP in firmware/cmake/kernel.cmake)."""


class OtherFirmware:
    """The fixture ``other_firmware`` of one case."""

    def __init__(self, qualification: Qualification, board: BoardSession) -> None:
        self._qualification = qualification
        self._board = board
        self._root = project_root(qualification.settings.inventory.path)

    @contextlib.contextmanager
    def with_heap(self, scheme: str) -> Iterator[None]:
        """The board runs the firmware with that heap scheme. Skips where none can be built or need be."""
        settings = self._qualification.settings
        if settings.image is not None or settings.board.firmware is None:
            pytest.skip("an image was given: no other can be built beside it")
        if scheme == IMAGE_HEAP:
            pytest.skip(f"{scheme} is the image's own: its rows are heap.alloc and heap.free")
        there = kernel_tree(kernel_path(self._root, os.environ))
        if scheme not in there.heaps:
            has = ", ".join(there.heaps) or "none"
            pytest.skip(f"not in this kernel tree: {there.version} in it has {has}")
        variant = Variant(scheme, {"RIG_KERNEL_HEAP": scheme, NETWORK: "OFF"})
        with self._running(variant, settings.board.firmware.preset):
            yield

    @contextlib.contextmanager
    def _running(self, variant: Variant, preset: str) -> Iterator[None]:
        own = self._qualification.board.image
        say = self._qualification.say
        other = build(preset, project_root=self._root, environ=os.environ, say=say, variant=variant)
        try:
            self._qualification.board.image = other.elf  # a crash is decoded by the image that crashed
            self._board.flash(other.elf)
            self._board.restart()
            yield
        finally:
            self._qualification.board.image = own
            self._board.flash(own)
            self._board.restart()
