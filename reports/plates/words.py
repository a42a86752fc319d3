# SPDX-License-Identifier: MIT
"""What the caption of a figure says: how its numbers came about, and where the evidence for them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from reports.figures import has_limit, limit_of, origin_of
from reports.text import fact, label, short_hash
from rig.evidence.model import BoardResult, MeasurementResult, Run

_CONTEXT: Final = (
    "kernel", "clock", "cpu_hz", "counter", "counter_hz", "tick_hz", "overhead_ticks", "opt", "compiler",
    "flags", "heap", "asserts", "stack_check", "trace", "task_select", "fpu", "profile",
)  # fmt: skip


def by_board(said: Mapping[str, str], boards: int) -> str:
    """Returns what all boards say once, else each with those that say it: ``a (x, y), b (z)``."""
    who: dict[str, list[str]] = {}
    for board, words in said.items():
        who.setdefault(words, []).append(board)
    if len(who) == 1 and len(said) == boards:
        return next(iter(who))
    return ", ".join(f"{words} ({', '.join(boards)})" for words, boards in who.items())


def method(measured: Mapping[str, MeasurementResult]) -> str:
    """The context of a measurement, by board where boards differ."""
    told = []
    for key in _CONTEXT:
        said = {board: fact(key, m.context[key]) for board, m in measured.items() if key in m.context}
        if said:
            told.append(f"{label(key)} {by_board(said, len(measured))}")
    return f"Method: {'; '.join(told)}." if told else ""


def limits(of: Mapping[str, MeasurementResult]) -> Sequence[str]:
    """A sentence for each limit: its origin, and of what (a board, a stack) it is, with the outcome."""
    said: dict[str, list[str]] = {}
    for name, m in of.items():
        if has_limit(m):
            verdict = f" {m.outcome}" if m.outcome else ""
            whose = f"{name}{verdict} ({m.limit_at or 'place unknown'})"
            said.setdefault(f"{limit_of(m)}, {origin_of(m)}", []).append(whose)
    told = [f"Limit {bounds}: {', '.join(whose)}." for bounds, whose in said.items()]
    return told or ["No limit."]


def emulated(run: Run, boards: Iterable[str]) -> str:
    """That timings of emulated boards are instruction counts; empty where none is."""
    guests = [board.name for board in _known(run, boards) if board.emulated]
    said = f"Emulated ({', '.join(guests)}): timings are instruction counts, not cycles of silicon."
    return said if guests else ""


def silicon(run: Run, boards: Iterable[str]) -> str:
    """Whose port has not run on silicon; empty where all have."""
    fresh = [b.name for b in _known(run, boards) if b.identity.get("run_on_silicon") is False]
    return f"Not yet run on silicon: {', '.join(fresh)}." if fresh else ""


def _known(run: Run, boards: Iterable[str]) -> list[BoardResult]:
    wanted = set(boards)
    return [board for board in run.boards if board.name in wanted]


def evidence(run: Run, boards: Sequence[str]) -> str:
    """The run, its day, and the image of each board."""
    images = {board.name: short_hash(board.image_sha256) for board in _known(run, boards)}
    whole = "" if run.complete else " (incomplete)"
    said = f"Evidence: run {run.run_id}{whole}, {run.started_utc:%Y-%m-%d}"
    return f"{said}; image (SHA-256) {by_board(images, len(boards))}." if images else f"{said}."
