# SPDX-License-Identifier: MIT
"""How fast samples leave a board: bench.read beside the fastest that the same console can be.

The limit is measured in the same run: a board that babbles, text after text, with nothing to work out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.bench import BOARD, BUILD, own_bench
from benchmarks.figures import Comparison, Goal, Series
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline

SAMPLES = 4096
ROUNDS = 7
BABBLE_BYTES = 4_000_000
_LONGEST_S = 30.0
SERIES: dict[
    str, dict[str, str | int]
] = {  # what is read: no two neighbours alike, and a few values again and again
    "samples that hardly repeat": {"id": "isr.masked.below", "n": SAMPLES, "load": "loaded"},
    "samples that repeat": {"id": "queue.send.switch", "n": SAMPLES, "load": "idle"},
}


def figures() -> Iterator[Comparison]:
    """All of them."""
    with own_bench() as inventory, open_session(inventory, BOARD) as session:
        session.flash(BUILD / "app.elf")
        session.restart()
        read = {label: _readings(session, asked) for label, asked in SERIES.items()}
        limit = Series("the console's limit: a board that babbles", "MB/s", _limit(session))
    for label, values in read.items():
        figure = Series(f"bench.read of {SAMPLES} {label}", "MB/s", tuple(rate for rate, _ in values))
        rate = sorted(SAMPLES / took for _, took in values)[len(values) // 2]
        goal = Goal("ratio at least", 0.6) if "hardly" in label else None
        yield Comparison(figure, (limit,), goal, f"{rate:,.0f} samples/s")


def _readings(session: BoardSession, asked: dict[str, str | int]) -> list[tuple[float, float]]:
    """MB/s and seconds of each reading, after one to warm up."""
    console = session.console
    console.request("bench.run", asked, deadline=Deadline.after(_LONGEST_S))
    found = []
    for _ in range(ROUNDS + 1):
        mark, begin = console.mark(), time.perf_counter()
        count = {"offset": 0, "count": SAMPLES}
        console.request("bench.read", count, deadline=Deadline.after(_LONGEST_S))
        took = time.perf_counter() - begin
        found.append(((console.mark().offset - mark.offset) / took / 1e6, took))
    return found[1:]


def _limit(session: BoardSession) -> tuple[float, ...]:
    """MB/s of each round, the board left babbling."""
    console, deadline = session.console, Deadline.after(_LONGEST_S)
    console.request("crash.make", {"kind": "babble"}, deadline=deadline)
    rates = []
    for _ in range(ROUNDS):
        mark, begin, taken = console.mark(), time.perf_counter(), 0
        while taken < BABBLE_BYTES // ROUNDS and not deadline.expired:
            data, mark = console.read(mark, deadline)
            taken += len(data)
        rates.append(taken / (time.perf_counter() - begin) / 1e6)
    return tuple(rates)
