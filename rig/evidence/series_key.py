# SPDX-License-Identifier: MIT
"""What a figure is followed by over many runs: the key of a series, and one point of it. Pure.

A series goes on as long as its figures can be compared: *variant* names the line of images (where it has a
name), the clock, counter, compiler, probe and (on silicon) the unit, and stands for the rest of the
configuration by a short hash. The kernel is left out: what a new kernel changes is what a trend is there to
show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rig.events import Scalar
from rig.evidence.conditions import context_of
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, MeasurementResult

IMAGE_NAME: Final = "image_name"
"""What a board's identity calls the line of images that ran, where a board is followed with more than one."""
_NAMED: Final = (IMAGE_NAME, "clock", "counter", "compiler", "opt", "probe", "dut")
_HASHED: Final = (
    *("flags", "cpu_hz", "clock_source", "counter_hz", "tick_hz", "machine", "cpuid", "fpu"),
    *("asserts", "stack_check", "trace", "task_select", "heap", "preemption", "time_slicing"),
    *("profile", "population"),
)
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """One figure of one measurement of one board, taken one way. ``variant`` is "" where nothing is known."""

    board: str
    suite: str
    case: str
    name: str
    statistic: str
    variant: str


@dataclass(frozen=True, slots=True)
class Point:
    """One run's figure of a series; ``value`` is NaN where the run has none.

    ``n`` is the number of samples behind it, ``exact``: the same image must give the same figure. The limit
    (``lower``, ``upper``) and ``outcome`` are those of the measurement, whatever figure its limit judges.
    """

    run_id: str
    started_utc: datetime
    image_sha256: str | None
    value: float
    n: int
    outcome: Outcome | None
    lower: float | None
    upper: float | None
    unit: str
    exact: bool


def variant_of(context: Mapping[str, Scalar], board: BoardResult | None) -> str:
    """What must be alike for two figures to belong to one series, as a short text."""
    known = dict(context_of(context, board))
    for name in ("probe", IMAGE_NAME):
        if board is not None and name in board.identity:
            known.setdefault(name, board.identity[name])
    words = [str(known[key]) for key in _NAMED if key in known]
    rest = [[key, str(known[key])] for key in _HASHED if key in known]
    if rest:
        words.append("#" + hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:_DIGITS])
    return " ".join(words)


def followed(result: MeasurementResult) -> tuple[str, ...]:
    """The figures of a measurement that are followed: its value or median, and the one its limit judges."""
    usual = "value" if result.n == 1 else "p50"
    judged = result.statistic if result.lower is not None or result.upper is not None else usual
    return tuple(dict.fromkeys((usual, judged)))
