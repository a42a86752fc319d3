# SPDX-License-Identifier: MIT
"""A comparison of two runs as one HTML file that needs nothing else: the same content as in the terminal.

Owns what the page shows; the words are in ``templates/comparison.html.j2``. It has no script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from reports.comparison_view import (
    LONELY,
    both_values,
    counts,
    figure_of,
    folds,
    headline,
    interval_of,
    noise_of,
    refusals,
    remarks,
)
from reports.html import STATIC
from reports.templating import environment
from reports.text import capital, change, signed
from rig.evidence.comparison import NOT_ALIKE, Comparison, Word

FILTERS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "signed": signed,
        "change": change,
        "both": both_values,
        "interval": interval_of,
        "noise": noise_of,
        "figure": figure_of,
        "capital": capital,
    }
)
"""How the cells of a comparison are written."""


def render_comparison(comparison: Comparison, path: Path) -> Path:
    """Writes the page to ``path`` and returns it. Raises EvidenceFault when the file cannot be written."""
    from rig.evidence.bundle import write_atomic

    write_atomic(path, comparison_page(comparison, path.parent).encode())
    return path


def comparison_page(comparison: Comparison, folder: Path) -> str:
    """Returns the whole page."""
    from markupsafe import Markup

    env = environment(comparison.after, folder)
    env.filters |= FILTERS
    return env.get_template("comparison.html.j2").render(
        css=Markup((STATIC / "report.css").read_text(encoding="utf-8")), **comparison_says(comparison)
    )


def comparison_says(comparison: Comparison) -> dict[str, Any]:
    """What ``comparison_body.html.j2`` shows."""
    rows = [row for row in comparison.changes if row.verdict not in LONELY]
    return {
        "comparison": comparison,
        "not_alike": NOT_ALIKE,
        "headline": headline(comparison),
        "counts": counts(comparison, everything=True),
        "remarks": tuple(remarks(comparison)),
        "cases": [row for row in comparison.outcomes if row.verdict not in LONELY],
        "changed": [row for row in rows if row.verdict is not Word.UNCHANGED],
        "unchanged": [row for row in rows if row.verdict is Word.UNCHANGED],
        "lonely": folds(comparison),
        "refusals": refusals(comparison),
    }
