# SPDX-License-Identifier: MIT
"""The folder that a report of several files goes to."""

from __future__ import annotations

from pathlib import Path

from rig.errors import EvidenceFault


def make_folder(folder: Path) -> None:
    """Makes it with those above it, where it is not there yet. Raises EvidenceFault."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvidenceFault(f"cannot make the folder: {error.strerror}", evidence=str(folder)) from error
