# SPDX-License-Identifier: MIT
"""Asks a board for a benchmark and brings its samples to the host, for suites and for commands alike.

Owns the two console commands; how a refusal is said is the caller's matter. What ticks mean is
``rig/evidence/counter.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rig.deadline import Deadline

if TYPE_CHECKING:
    from rig.evidence.counter import RawSeries
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields

_READ_S = 10.0


def start_benchmark(
    console: ConsoleLink, benchmark: str, n: int, arg: int, profile: str, run_s: float
) -> Fields:
    """Runs ``bench.run`` and returns its answer; blocks for up to ``run_s`` seconds.

    Raises CommandRefused for what the firmware has not, does not take, or found to be incorrect.
    """
    order: dict[str, str | int] = {"id": benchmark, "n": n, "arg": arg}
    order |= {} if profile == "idle" else {"load": profile}
    return console.request("bench.run", order, deadline=Deadline.after(run_s)).fields


def read_samples(console: ConsoleLink, done: Fields, *, with_cold: bool = False) -> RawSeries:
    """The samples of the run that answered ``done``; ``with_cold`` puts the cold one before them."""
    from rig.evidence.counter import RawSeries

    asked = {"offset": 0, "count": done.integer("n")}
    read = console.request("bench.read", asked, deadline=Deadline.after(_READ_S))
    cold = [f"{done.integer('cold'):X}"] if with_cold else []
    return RawSeries.of_text([*cold, *(row["s"] for row in read.rows)])
