# SPDX-License-Identifier: MIT
"""Two populations of counts that must be the same where nothing changed: every difference is a change.

Which samples a tick interrupt hits depends on its phase, and one instruction more anywhere moves that. Where
it is known which samples were hit, the ones that neither run lost are compared, each with the one of its
place; where it is not, and the numbers of samples differ, the figures are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Series = npt.NDArray[Any]

DECIDING = (("p50", "mode", "p99"), ("max",), ("mean",))
"""The figures that give the verdict: the first group in which one moved."""


@dataclass(frozen=True, slots=True)
class ExactDifference:
    """The figures of both, each (before, after). ``shift``: what every sample differs by, if all do alike;
    ``common``: what more than half of them do, one sorted series beside the other, if more than half do.

    ``differing``: how many of how many samples differ from the one of their place; None where the places are
    not known.
    """

    same: bool
    figures: Mapping[str, tuple[float, float]]
    shift: float | None
    common: float | None
    differing: tuple[int, int] | None


def compare_exact(
    before: Series, after: Series, hits: tuple[Series | None, Series | None] = (None, None)
) -> ExactDifference:
    """Compares two populations without samples hit by a tick.

    ``hits`` marks, of all samples in order, those that a tick hit (``tick_marks``).
    """
    import numpy as np

    a, b, compared = _aligned(before, after, hits)
    if a.size != b.size:
        figures = _figures(a, b)
        same = all(figures[name][0] == figures[name][1] for names in DECIDING[:2] for name in names)
        shift = 0.0 if same else _constant_shift(a, b)
        return ExactDifference(same, figures, shift, shift, None)
    sorted_difference = np.sort(b) - np.sort(a)
    difference = b - a if compared else sorted_difference
    same = not sorted_difference.any()
    shift = 0.0 if same else float(difference[0]) if (difference == difference[0]).all() else None
    differing = (int((difference != 0).sum()), compared) if compared else None
    return ExactDifference(same, _figures(a, b), shift, _majority(sorted_difference), differing)


def tick_marks(path: Path | None) -> Series | None:
    """Which samples of a ``*.ticks.csv`` a tick hit, in order; None where there is no such file to read."""
    import numpy as np

    if path is None:
        return None
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
    except (OSError, ValueError):
        return None
    return table[:, 2] != 0 if table.ndim == 2 and table.shape[1] == 3 else None


def mode(series: Series) -> float:
    """The most frequent value, the smallest of several."""
    import numpy as np

    values, counts = np.unique(series, return_counts=True)
    return float(values[counts.argmax()])


def _majority(differences: Series) -> float | None:
    import numpy as np

    values, counts = np.unique(differences, return_counts=True)
    return float(values[counts.argmax()]) if 2 * counts.max() > differences.size else None


def _aligned(
    before: Series, after: Series, hits: tuple[Series | None, Series | None]
) -> tuple[Series, Series, int]:
    """The samples that no tick hit in either run, in order, and how many; or all, and 0."""
    of_a, of_b = hits
    if of_a is None or of_b is None or of_a.size != of_b.size:
        return before, after, 0
    if before.size != (~of_a).sum() or after.size != (~of_b).sum() or (of_a | of_b).all():
        return before, after, 0
    a, b = before[~of_b[~of_a]], after[~of_a[~of_b]]
    return a, b, int(a.size)


def _constant_shift(a: Series, b: Series) -> float | None:
    return float(b[0] - a[0]) if a.min() == a.max() and b.min() == b.max() else None


def _figures(a: Series, b: Series) -> dict[str, tuple[float, float]]:
    from rig.evidence.statistics import summarise

    one, other = summarise(a), summarise(b)
    found = {name: (getattr(one, name), getattr(other, name)) for name in ("p50", "p99", "max", "mean")}
    return {**found, "mode": (mode(a), mode(b))}
