# SPDX-License-Identifier: MIT
"""How fast samples leave a board: bench.read beside the fastest that the same console can be.

The limit is measured in the same run: a board that babbles, text after text, with nothing to work out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.bench import BOARD, BUILD, own_bench
from benchmarks.figures import Comparison, Goal, Series
from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline

SAMPLES = 4096
ROUNDS = 15
BABBLE_BYTES = 30_000
UNLIKE = "samples that hardly repeat"
_LONGEST_S = 30.0
SERIES: dict[
    str, dict[str, str | int]
] = {  # what is read: no two neighbours alike, and a few values again and again
    UNLIKE: {"id": "isr.masked.below", "n": SAMPLES, "load": "loaded"},
    "samples that repeat": {"id": "queue.send.switch", "n": SAMPLES, "load": "idle"},
}


def figures() -> Iterator[Comparison]:
    """All of them, measured in turn."""
    read: dict[str, list[tuple[float, float]]] = {label: [] for label in SERIES}
    limit: list[float] = []
    with own_bench() as inventory, open_session(inventory, BOARD) as session:
        session.flash(BUILD / "app.elf")
        for _ in range(ROUNDS + 1):  # the first warms up
            session.restart()
            for label, asked in SERIES.items():
                read[label].append(_reading(session, asked))
            limit.append(_babble(session))
    reference = Series("the console's limit: a board that babbles", "MB/s", tuple(limit[1:]))
    for label, values in read.items():
        figure = Series(f"bench.read of {SAMPLES} {label}", "MB/s", tuple(rate for rate, _ in values[1:]))
        seconds = median(took for _, took in values[1:])
        goal = Goal("ratio at least", 0.6) if label == UNLIKE else None
        yield Comparison(figure, (reference,), goal, f"{SAMPLES / seconds:,.0f} samples/s")


def _reading(session: BoardSession, asked: dict[str, str | int]) -> tuple[float, float]:
    """MB/s on the console, and seconds, of one reply to bench.read."""
    console, deadline = session.console, Deadline.after(_LONGEST_S)
    console.request("bench.run", asked, deadline=deadline)
    mark, begin = console.mark(), time.perf_counter()
    console.request("bench.read", {"offset": 0, "count": SAMPLES}, deadline=deadline)
    took = time.perf_counter() - begin
    return (console.mark().offset - mark.offset) / took / 1e6, took


def _babble(session: BoardSession) -> float:
    """MB/s of a board that goes on babbling until it is reset."""
    console, deadline = session.console, Deadline.after(_LONGEST_S)
    console.request("crash.make", {"kind": "babble"}, deadline=deadline)
    mark, begin, taken = console.mark(), time.perf_counter(), 0
    while taken < BABBLE_BYTES and not deadline.expired:
        data, mark = console.read(mark, deadline)
        taken += len(data)
    return taken / (time.perf_counter() - begin) / 1e6
