# SPDX-License-Identifier: MIT
"""A comparison as one JSON object for other programs. Owns the names and order of its keys.

They are described in docs/comparing.md. NaN and infinity are null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rig.evidence.comparison import (
    Change,
    Comparison,
    Incomparable,
    Moved,
    OutcomeChange,
    Row,
    TickHits,
    Word,
)
from rig.evidence.conditions import Difference
from rig.evidence.export import plain
from rig.evidence.model import Run


def comparison_as_json(comparison: Comparison, *, everything: bool = False) -> dict[str, Any]:
    """The comparison as plain JSON values; ``changes`` has unchanged rows too with ``everything``.

    The first keys of each object are fixed; what follows them may grow.
    """
    shown = [c for c in comparison.changes if everything or c.verdict is not Word.UNCHANGED]
    return {
        "changes": [change_as_json(change) for change in shown],
        "regressed": comparison.regressed,
        "incomparable": [incomparable_as_json(row) for row in comparison.incomparable],
        "tick_hits": [_tick_hits(row) for row in comparison.tick_hits],
        "outcomes": [_outcome(row) for row in comparison.outcomes],
        "counts": {str(word): comparison.counts[word] for word in Word},
        "compared": comparison.compared,
        "exit_code": comparison.exit_code,
        "across": list(comparison.across),
        "environment": _differences(comparison.environment),
        "run_a": _run(comparison.before),
        "run_b": _run(comparison.after),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "path": str(run.path),
        "outcome": str(run.outcome),
        "complete": run.complete,
        "notes": list(run.notes),
        "boards": {board.name: board.image_sha256 for board in run.boards},
    }


def _row(row: Row) -> dict[str, Any]:
    return {"board": row.board, "suite": row.suite, "case": row.case, "name": row.name, "unit": row.unit}


def change_as_json(change: Change) -> dict[str, Any]:
    noise = change.noise
    return {
        **_row(change.row),
        **_moved(change.moved),
        "verdict": str(change.verdict),
        "figure": change.figure,
        "relative": plain(change.moved.relative) if change.moved else None,
        "figures": {name: _moved(moved) for name, moved in change.figures.items()},
        "better": str(change.better) or None,
        "mixed": change.mixed,
        "exact": change.exact,
        "shift": plain(change.shift),
        "differing": list(change.differing) if change.differing else None,
        "n": list(change.n),
        "noise_floor": plain(noise.floor) if noise else None,
        "noise_source": noise.source if noise else None,
        "p_value": plain(change.p_value),
        "rank_effect": plain(change.rank_effect),
        "across": _differences(change.across),
        "context": _differences(change.beside),
        "note": change.note,
    }


def _moved(moved: Moved | None) -> dict[str, Any]:
    if moved is None:
        return dict.fromkeys(("before", "after", "delta", "interval"))
    interval = None if moved.interval is None else [plain(bound) for bound in moved.interval]
    figures = {"before": moved.before, "after": moved.after, "delta": moved.delta}
    return {**{name: plain(value) for name, value in figures.items()}, "interval": interval}


def incomparable_as_json(row: Incomparable) -> dict[str, Any]:
    return {**_row(row.row), "keys": _differences(row.differences), "note": row.note}


def _differences(differences: Iterable[Difference]) -> dict[str, list[str]]:
    return {d.key: [d.before, d.after] for d in differences}


def _tick_hits(row: TickHits) -> dict[str, Any]:
    return {
        **_row(row.row),
        "before": row.before,
        "after": row.after,
        "delta": row.after - row.before,
        "of": list(row.of),
        "p50": [plain(value) for value in row.p50],
    }


def _outcome(row: OutcomeChange) -> dict[str, Any]:
    return {
        "board": row.board,
        "suite": row.suite,
        "case": row.case,
        "before": plain(row.before),
        "after": plain(row.after),
        "verdict": str(row.verdict),
        "reason": row.reason,
    }
