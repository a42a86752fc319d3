# SPDX-License-Identifier: MIT
"""The site as files: the same pages by the same templates, with links that work from a folder or a disk.

Nothing sensitive is in it that is not on the pages, and no page asks a host for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.dashboard.site import STATIC, Visit, pages, render
from reports.dashboard.sources import Sources
from rig.errors import EvidenceFault

MARK = ".rig-dashboard"
"""A file that says that a folder was written by an export, so that the next one may write over it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the first page, how many pages, and their bytes."""

    home: Path
    pages: int
    octets: int


def export(sources: Sources, folder: Path) -> Exported:
    """Writes all pages. Raises EvidenceFault where the folder holds something else, or cannot be written."""
    _take(folder)
    written = octets = 0
    for name in pages(sources):
        content = render(sources, name, Visit())
        if content is None:
            continue  # gone since it was listed
        octets += _write(folder / name, content.encode())
        written += 1
    for name, path in STATIC.items():
        octets += _write(folder / "static" / name, path.read_bytes())
    return Exported(folder / "index.html", written, octets)


def _take(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise EvidenceFault(
                "expected an empty folder or one of an earlier export",
                evidence=str(folder),
                hint="Name another folder",
            )
        (folder / MARK).write_text("rig dashboard export\n")
    except OSError as error:
        raise EvidenceFault(f"cannot write there: {error.strerror}", evidence=str(folder)) from error


def _write(path: Path, content: bytes) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise EvidenceFault(f"cannot write the page: {error.strerror}", evidence=str(path)) from error
    return len(content)
