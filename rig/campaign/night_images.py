# SPDX-License-Identifier: MIT
"""The images of a night: built by their commands, and kept, so that all of the night runs the same bytes.

What cannot be built, or is gone, is told by its runs as not made; the rest of the night goes on.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rig.campaign.kept_file import KeptFile
from rig.campaign.night_plan import PlannedImage
from rig.child import spawn
from rig.deadline import Deadline
from rig.errors import RigError, ToolFault

IMAGES: Final = "images"
"""The table of what was kept, and the folder it lies in."""


class NightImages:
    """The images of one night, in ``folder``; ``kept`` remembers them over a restart of the controller."""

    def __init__(self, folder: Path, kept: KeptFile, work_in: Path, limit_s: float) -> None:
        self._folder, self._kept = folder / IMAGES, kept
        self._work_in, self._limit_s = work_in, limit_s

    def prepare(self, images: tuple[PlannedImage, ...], say: Callable[[str], None]) -> None:
        """Builds and keeps each that is not kept yet. Blocks while they build."""
        known = self._kept.found(IMAGES)
        for image in images:
            if image.file is None or "sha256" in known.get(image.name, {}):
                continue
            say(f"image {image.name}")
            try:
                self._kept.add(IMAGES, image.name, {"sha256": self._made(image, image.file)})
            except RigError as fault:
                self._kept.add(IMAGES, image.name, {"trouble": str(fault)})

    def find(self, image: PlannedImage) -> Path | None:
        """The kept file; None for the board's own firmware. Raises ToolFault where there is none."""
        if image.file is None:
            return None
        known = self._kept.found(IMAGES).get(image.name, {})
        if "sha256" not in known:
            raise ToolFault(f"image {image.name}: {known.get('trouble', 'it was never built')}")
        path = self._path(image)
        if not path.is_file() or _hash(path) != known["sha256"]:
            raise ToolFault(
                f"image {image.name}: {path} is gone or is not what it was at the begin of the night"
            )
        return path

    def _made(self, image: PlannedImage, file: Path) -> str:
        log = self._folder / f"{image.name}.build.log"
        if image.build:
            with spawn(list(image.build), log=log, cwd=self._work_in) as child:
                if not child.wait(Deadline.after(self._limit_s)):
                    raise ToolFault(
                        f"its build took longer than {self._limit_s / 60:g} minutes", evidence=str(log)
                    )
                how = child.exit_reason()
            if how != "ended with status 0":
                raise ToolFault(f"its build {how}", evidence=str(log))
        if not file.is_file():
            made = "its build made no" if image.build else "there is no"
            raise ToolFault(f"{made} {file}")
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, self._path(image))
        return _hash(self._path(image))

    def _path(self, image: PlannedImage) -> Path:
        assert image.file is not None
        return self._folder / f"{image.name}{image.file.suffix}"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
