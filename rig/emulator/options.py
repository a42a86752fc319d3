# SPDX-License-Identifier: MIT
"""How values are written in QEMU's options."""

from __future__ import annotations

from pathlib import Path


def escaped(path: Path) -> str:
    """A path as a value of an option, in which a comma is written twice."""
    return str(path).replace(",", ",,")
