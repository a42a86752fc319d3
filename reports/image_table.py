# SPDX-License-Identifier: MIT
"""The largest objects and symbols of the image that a run was made with, from the table it keeps of it.

Owns the reading of that artifact (``docs/image-memory.md``); one that cannot be read shows nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from rig.evidence.model import CaseResult

ARTIFACT: Final = "image-memory.json"
MOST_OBJECTS: Final = 15
MOST_SYMBOLS: Final = 15


@dataclass(frozen=True, slots=True)
class Row:
    """Bytes of an object by region, or of a symbol in its section."""

    library: str
    object: str
    name: str
    size: int
    regions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ImageTable:
    """The largest of both, how many more there are with how many bytes, and what belongs to no symbol."""

    objects: tuple[Row, ...] = ()
    more_objects: tuple[int, int] = (0, 0)
    symbols: tuple[Row, ...] = ()
    more_symbols: tuple[int, int] = (0, 0)
    unattributed: int = 0
    padding: int = 0
    total: int = 0

    def __bool__(self) -> bool:
        return bool(self.objects or self.symbols)


def image_table(attempts: Iterable[CaseResult]) -> ImageTable:
    """Reads the table that one of the attempts kept."""
    paths = [case.artifacts[ARTIFACT] for case in attempts if ARTIFACT in case.artifacts]
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if paths:
            return _table(json.loads(paths[-1].read_bytes()))
    return ImageTable()


def _table(document: Mapping[str, Any]) -> ImageTable:
    objects = [
        Row(str(o["library"]), str(o["name"]), "", int(o["size"]), dict(o["regions"]))
        for o in document["objects"]
    ]
    symbols = [
        Row(str(s["library"]), str(s["object"]), str(s["name"]), int(s["size"]), {str(s["section"]): 0})
        for s in document["symbols"]
    ]
    total = document["total"]
    return ImageTable(
        tuple(objects[:MOST_OBJECTS]), _more(objects[MOST_OBJECTS:]),
        tuple(symbols[:MOST_SYMBOLS]), _more(symbols[MOST_SYMBOLS:]),
        int(total["unattributed"]), int(total["padding"]), int(total["size"]),
    )  # fmt: skip


def _more(rows: list[Row]) -> tuple[int, int]:
    return len(rows), sum(row.size for row in rows)
