# SPDX-License-Identifier: MIT
"""What earlier runs of the same image measured: how far a figure moves when nothing changed.

Owns which runs count: of the same board and image, taken in the same way, and neither of the two that are
compared. Asked of the index, one question per board and image, and only when it is needed. An index that
cannot be read or made tells nothing: the comparison then says where its noise floor is from instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from rig.errors import EvidenceFault
from rig.evidence.conditions import apart, context_of
from rig.evidence.pairing import Key, Side
from rig.evidence.store.folder import same_image
from rig.evidence.store.records import SameImage

MOST_RUNS = 20
"""Earlier runs that are looked at, the newest first."""


class History:
    """The other runs of a folder; ``earlier`` is what ``regression.compare`` asks."""

    def __init__(self, runs_dir: Path, without: Collection[str]) -> None:
        self._runs_dir, self._without = runs_dir, frozenset(without)
        self._known: dict[tuple[str, str], dict[Key, list[SameImage]]] = {}

    def earlier(self, side: Side, key: Key) -> list[Mapping[str, float]]:
        """Figures of the measurement in other runs of the image that the side's board ran, newest first."""
        board = side.boards.get(key[0])
        if board is None or board.image_sha256 is None:
            return []
        own = side.measurements[key]
        context = context_of(own.context, board)
        return [
            row.figures
            for row in self._of(board.name, board.image_sha256).get(key, [])
            if row.unit == own.unit and not apart(context_of(row.context, row.board), context, ()).forbidding
        ]

    def _of(self, board: str, image_sha256: str) -> dict[Key, list[SameImage]]:
        asked = (board, image_sha256)
        if asked not in self._known:
            found: dict[Key, list[SameImage]] = {}
            with suppress(EvidenceFault):
                for row in same_image(self._runs_dir, board, image_sha256, MOST_RUNS, self._without):
                    found.setdefault(row.key, []).append(row)
            self._known[asked] = found
        return self._known[asked]
