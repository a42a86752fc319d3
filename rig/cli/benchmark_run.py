# SPDX-License-Identifier: MIT
"""Runs one benchmark by a board's console, outside a suite: which there are, and the samples of one.

Owns which there are and how a refusal is said to a person. The commands themselves are
``rig/pytest_plugin/benchmark_samples.py``, what the ticks mean ``rig/evidence/counter.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.bench.inventory_values import suggestion
from rig.deadline import Deadline
from rig.errors import CommandRefused, UsageFault

if TYPE_CHECKING:
    from rig.evidence.counter import RawSeries
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields

_LIST_S, _RUN_S = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """What the firmware gave: sample 0 of ``raw`` is the cold one, then come n others."""

    raw: RawSeries
    counter_hz: int
    overhead: int


def benchmarks(console: ConsoleLink) -> Mapping[str, str]:
    """The benchmarks of the firmware: id, and what it measures."""
    listed = console.request("bench.list", deadline=Deadline.after(_LIST_S)).rows
    return {row["id"]: row["help"] for row in listed}


def run_benchmark(console: ConsoleLink, board: str, benchmark: str, arg: int, n: int) -> BenchmarkRun:
    """Runs it and reads its samples. Raises UsageFault for one that is not there, or not with that argument.

    A primitive that does not do what it says is CommandRefused, as in the suites.
    """
    from rig.pytest_plugin.benchmark_samples import read_samples

    done = _run(console, board, benchmark, arg, n)
    raw = read_samples(console, done, with_cold=True)
    return BenchmarkRun(raw, done.positive("counter_hz"), done.integer("overhead"))


def _run(console: ConsoleLink, board: str, benchmark: str, arg: int, n: int) -> Fields:
    from rig.pytest_plugin.benchmark_samples import start_benchmark

    known = benchmarks(console)
    if benchmark not in known:
        raise UsageFault(
            f"the image has no benchmark '{benchmark}'",
            board=board,
            hint=suggestion(benchmark, known, label="There are").capitalize(),
        )
    try:
        return start_benchmark(console, benchmark, n, arg, "idle", _RUN_S)
    except CommandRefused as refused:
        if refused.code not in ("value", "range"):
            raise
        said = f"{benchmark} does not take the argument {arg} and {n} samples"
        raise UsageFault(said, board=board, hint=f"It is: {known[benchmark]}") from refused
