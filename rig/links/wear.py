# SPDX-License-Identifier: MIT
"""How often each flash sector of a board was erased: flash wears out, and a lab wants to know which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rig.errors import RigFault


class WearCount:
    """Erase cycles by sector address, kept in one JSON file. The board's lock guards it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, state_dir: Path) -> WearCount:
        """The count of the board whose state is kept in this folder."""
        return cls(state_dir / "erase-cycles.json")

    def add(self, sectors: Sequence[int]) -> None:
        """Adds one cycle to each of these sectors."""
        counts = self.counts()
        for address in sectors:
            counts[address] = counts.get(address, 0) + 1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        rows = {f"{address:#010x}": count for address, count in sorted(counts.items())}
        new.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        new.replace(self._path)

    def counts(self) -> dict[int, int]:
        """Erase cycles by sector address; empty for a board that was never erased. Raises RigFault."""
        if not self._path.exists():
            return {}
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return {int(key, 16): int(count) for key, count in rows.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise RigFault(
                f"the count of erase cycles cannot be read: {error}",
                evidence=str(self._path),
                hint="Restore the file, or delete it to count from zero",
            ) from error

    @property
    def worst(self) -> int:
        """The largest count of any sector."""
        return max(self.counts().values(), default=0)
