# SPDX-License-Identifier: MIT
"""Budgets of an image's memory: limits of static measurements, judged without a board.

Owns the names of the static measurements; the memory suite declares the same, so that one ``limits.toml``
gates a build and a run. A limit of any other measurement is no budget and is left alone.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageFault
from rig.evidence.limits import load_limits
from rig.evidence.measurement import SpecLimit, show, show_bounds
from rig.image.contents import Contents
from rig.image.static_names import STATIC, static_sizes

UNIT: Final = "B"


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit and what the image takes, in bytes."""

    measurement: str
    value: float
    limit: SpecLimit

    @property
    def exceeded(self) -> bool:
        """True when the value is outside of the limit."""
        return not self.limit.admits(self.value)

    def __str__(self) -> str:
        bounds = show_bounds(self.limit.lower, self.limit.upper, "value")
        return f"{self.measurement} = {show(self.value)} B, {bounds} ({self.limit.at}: {self.limit.origin})"

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "measurement": self.measurement, "value": self.value if math.isfinite(self.value) else None,
            "exceeded": self.exceeded,
            "lower": self.limit.lower, "upper": self.limit.upper,
            "origin": self.limit.origin, "at": self.limit.at,
        }  # fmt: skip


def check(
    paths: Sequence[Path], contents: Contents, board: str | None, stacks: Mapping[str, float] | None = None
) -> list[Budget]:
    """Judges an image by files of limits, those that are exceeded first.

    Raises UsageFault for files that cannot be used, a unit that is not B, and a budget of something that the
    image does not have: one that is never judged would pass for ever.
    """
    table = load_limits(*paths)
    sizes: dict[str, float] = {**static_sizes(contents), **(stacks or {})}
    wanted = sorted(name for name in table.measurements if STATIC.fullmatch(name))
    faults, found = [], []
    for name in wanted:
        limit = table.find(name, board)
        if limit is None:
            continue
        if name not in sizes:
            near = difflib.get_close_matches(name, sizes, n=1)
            faults.append(f"{limit.at}: the image has no {name}" + (f"; is it {near[0]}?" if near else ""))
        elif limit.unit not in (None, UNIT):
            faults.append(f"{limit.at}: {name} is in {UNIT}, the limit in {limit.unit}")
        else:
            found.append(Budget(name, sizes[name], limit))
    if faults:
        raise UsageFault("\n".join(["the budgets cannot be judged:", *faults]))
    return sorted(found, key=lambda budget: (not budget.exceeded, budget.measurement))
