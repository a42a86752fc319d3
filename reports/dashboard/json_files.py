# SPDX-License-Identifier: MIT
"""JSON documents of a folder, for pages: what is too large, damaged or outside of it is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_documents(folder: Path, pattern: str, largest: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each JSON object of at most ``largest`` bytes with its path relative to the folder, by name."""
    for path in sorted(folder.glob(pattern)):
        document = _read(folder, path, largest)
        if document is not None:
            yield path.relative_to(folder).as_posix(), document


def _read(folder: Path, path: Path, largest: int) -> dict[str, Any] | None:
    try:
        if not path.resolve().is_relative_to(folder.resolve()) or path.stat().st_size > largest:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
