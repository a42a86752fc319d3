# SPDX-License-Identifier: MIT
"""Kernel timing, measured on the board and brought to the host sample by sample.

The firmware proves that each primitive did what it says (``order=ok``) before it reports any time. Samples
that a tick interrupt hit are a population of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.events import Scalar
from rig.evidence.counter import RawSeries

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.counter import TimeBase
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = pytest.mark.board_feature("kernel-bench")

SAMPLES = 2000
# Benchmarks, by id and argument; a measurement is named by both. The board's bench.list says what each is.
MESSAGES = (4, 16, 64)  # bytes
BENCHMARKS = (
    ("probe.overhead", 0),
    ("sched.yield.self", 0),
    ("sched.yield.peer", 0),
    ("notify.give.switch", 0),
    *(("queue.send", size) for size in MESSAGES),
    *(("queue.recv", size) for size in MESSAGES),
    ("queue.send.switch", 0),
    ("sem.binary.give", 0),
    ("sem.binary.take", 0),
    ("sem.binary.give.switch", 0),
    ("sem.binary.take.switch", 0),
    ("mutex.lock", 0),
    ("mutex.unlock", 0),
    ("isr.entry", 0),
    ("isr.exit.resume", 0),
    ("isr.to.task.notify", 0),
    ("isr.to.task.sem", 0),
    ("isr.to.task.queue", 0),
    ("isr.to.task.stream", 0),
    ("isr.to.task.event", 0),
)
RUN_S = 30.0
READ_S = 10.0
CONTEXT = (
    "kernel", "cpu_hz", "clock_source", "counter", "counter_hz", "tick_hz", "opt", "asserts", "stack_check",
    "trace", "task_select", "heap", "compiler", "flags", "fpu",
)  # fmt: skip


def run_benchmark(console: ConsoleLink, name: str, arg: int = 0) -> tuple[Mapping[str, str], RawSeries]:
    """Runs one benchmark and reads its samples; the board proved its correctness, or refused."""
    asked: dict[str, str | int] = {"id": name, "n": SAMPLES, "arg": arg}
    done = console.request("bench.run", asked, deadline=Deadline.after(RUN_S)).fields
    assert done["order"] == "ok"
    read = console.request(
        "bench.read", {"offset": 0, "count": int(done["n"])}, deadline=Deadline.after(READ_S)
    )
    return done, RawSeries.of_text(row["s"] for row in read.rows)


def _context(board: BoardSession, said: Mapping[str, str]) -> dict[str, Scalar]:
    """What a figure depends on: what bench.context says, and the clock that the board runs by."""
    clock = board.board.emulator.clock if board.board.emulator else "hardware"
    return {**{key: said[key] for key in CONTEXT if key in said}, "clock": clock}


def _measurement(benchmark: tuple[str, int]) -> str:
    name, arg = benchmark
    return f"{name}.{arg}" if arg else name


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=_measurement)
def test_benchmark(
    benchmark: tuple[str, int],
    board: BoardSession,
    console: ConsoleLink,
    measure: CaseMeasure,
    timebase: TimeBase,
) -> None:
    name = _measurement(benchmark)
    context = console.request("bench.context", deadline=Deadline.after(READ_S)).fields
    listed = console.request("bench.list", deadline=Deadline.after(READ_S)).rows
    if benchmark[0] not in {row["id"] for row in listed}:
        pytest.skip(f"not in this kernel: {context['kernel']}, bench.list has no {benchmark[0]}")
    idle = measure.declare(name, timebase.unit, "p99")
    done, raw = run_benchmark(console, *benchmark)
    assert len(raw.ticks) == int(done["n"]) == SAMPLES

    # The empty probe is what is subtracted elsewhere: its own figure is given whole.
    overhead = 0 if name == "probe.overhead" else int(done["overhead"])
    hz = int(done["counter_hz"])
    figures = timebase.convert(raw.ticks, hz, overhead)
    method = {
        **_context(board, context),
        "overhead_ticks": overhead,
        "cold_ticks": int(done["cold"]),
        "tick_hits": int(raw.hit.sum()),
        "profile": "idle",
    }
    measure.artifact(f"{name}.ticks.csv", raw.as_csv())
    idle.samples(figures[~raw.hit], {**method, "population": "no tick interrupt"})
    if raw.hit.any():
        hit = measure.declare(f"{name}.tick_hit", timebase.unit, "p99")
        hit.samples(figures[raw.hit], {**method, "population": "tick"})


@pytest.mark.board_feature("exact-clock")
def test_one_instruction_is_told_from_the_next(
    board: BoardSession, console: ConsoleLink, measure: CaseMeasure, timebase: TimeBase
) -> None:
    """10, 11 and 12 NOPs read exactly 10, 11 and 12 instructions: the measure of every figure above."""
    names = {count: measure.declare(f"cal.nops.{count}", timebase.unit, "max") for count in (10, 11, 12)}
    said = console.request("bench.context", deadline=Deadline.after(READ_S)).fields
    method = "NOPs between two counter reads, empty probe subtracted"
    for count, declared in names.items():
        done, raw = run_benchmark(console, "cal.nops", count)
        figures = timebase.convert(raw.ticks, int(done["counter_hz"]), int(done["overhead"]))[~raw.hit]
        declared.samples(figures, {**_context(board, said), "method": method})
        assert set(figures.tolist()) == {count}
