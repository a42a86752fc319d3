# SPDX-License-Identifier: MIT
"""Kernel timing, measured on the board and brought to the host sample by sample.

The firmware proves that each primitive did what it says (``order=ok``) before it reports any time. Samples
that a tick interrupt hit are a population of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.events import Scalar
from rig.pytest_plugin.benchmark_samples import read_samples, start_benchmark
from rig.pytest_plugin.benchmark_table import PROFILES, Benchmark, load_benchmarks
from rig.pytest_plugin.figure_context import figure_context
from rig.pytest_plugin.kernel_features import KernelFeatures
from rig.pytest_plugin.published import load_published

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.counter import RawSeries, TimeBase
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.other_firmware import OtherFirmware

pytestmark = pytest.mark.board_feature("kernel-bench")

TABLE = Path(__file__).with_name("benchmarks.toml")
BENCHMARKS = load_benchmarks(TABLE)
PUBLISHED = load_published(TABLE.with_name("published.toml"))
HEAPS = ("heap_1", "heap_2", "heap_3", "heap_4", "heap_5")
HEAP_NUMBER = 28
CALIBRATION_SAMPLES = 2000
TICKS = 4000
RUN_S = 30.0
READ_S = 10.0


def run_benchmark(
    console: ConsoleLink, name: str, n: int, arg: int = 0, profile: str = "idle"
) -> tuple[Fields, RawSeries]:
    """Runs one benchmark and reads its samples; the board proved its correctness, or refused.

    SKIPPED where kernel or hardware lack what the benchmark needs.
    """
    try:
        done = start_benchmark(console, name, n, arg, profile, RUN_S)
    except CommandRefused as refused:
        if refused.code in ("unknown", "value"):
            _explain_absence(console, name, arg)
        if refused.code == "absent":
            pytest.skip(f"not on this hardware, which has no exact alarm: {name}")
        raise
    assert (done["order"], done.get("load", "idle")) == ("ok", profile)
    return done, read_samples(console, done)


def _explain_absence(console: ConsoleLink, name: str, arg: int) -> None:
    """Skips where kernel or configuration lack what is measured; fails where just the row is missing.

    A firmware without kernel.features may have other rows than ours. Returns where the row is there.
    """
    listed = {row["id"] for row in console.request("bench.list", deadline=Deadline.after(READ_S)).rows}
    for benchmark in (variant for variant in BENCHMARKS if (variant.id, variant.arg) == (name, arg)):
        absence = _kernel_features(console).absence(benchmark, listed)
        if absence is not None and absence.fault:
            pytest.fail(absence.reason, pytrace=False)
        if absence is not None:
            pytest.skip(absence.reason)
    if name not in listed:
        pytest.skip(f"bench.list of this firmware has no {name}")


def _kernel_features(console: ConsoleLink) -> KernelFeatures:
    """The board's matrix; an empty one for a firmware that has no such command."""
    try:
        said = console.request("kernel.features", deadline=Deadline.after(READ_S))
    except CommandRefused as refused:
        if refused.code != "unknown":
            raise
        return KernelFeatures("unknown", 0, {})
    return KernelFeatures.of_reply(said.fields, said.rows)


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=[variant.name for variant in BENCHMARKS])
def test_benchmark(
    benchmark: Benchmark,
    board: BoardSession,
    console: ConsoleLink,
    measure: CaseMeasure,
    timebase: TimeBase,
) -> None:
    context = figure_context(board, console, benchmark.profile)
    name, within = benchmark.name, benchmark.ticks == "within"
    declared = measure.declare(name, timebase.unit, "max" if within else "p99")  # a wait: the longest counts
    done, raw = run_benchmark(console, benchmark.id, benchmark.n, benchmark.arg, benchmark.profile)
    assert len(raw.ticks) == done.integer("n") == benchmark.n

    # The empty probe is what is subtracted elsewhere: its own figure is given whole.
    overhead = 0 if benchmark.id == "probe.overhead" else done.integer("overhead")
    figures = timebase.convert(raw.ticks, done.positive("counter_hz"), overhead)
    method = {
        **context,
        "measures": benchmark.measures,
        "overhead_ticks": overhead,
        "cold_ticks": done.integer("cold"),
        "tick_hits": int(raw.hit.sum()),
    }
    published = PUBLISHED.get(name, {})
    measure.artifact(f"{name}.ticks.csv", raw.as_csv())
    if within:
        declared.samples(figures, {**method, **published, "population": "all: a tick is part of it"})
        return
    assert not raw.hit.all(), f"a tick hit all {len(raw.hit)} samples: no figure without one can be given"
    declared.samples(figures[~raw.hit], {**method, **published, "population": "no tick interrupt"})
    if raw.hit.any():
        hit = measure.declare(f"{name}.tick_hit", timebase.unit, "p99")
        hit.samples(figures[raw.hit], {**method, "population": "tick"})


@pytest.mark.parametrize("scheme", HEAPS)
def test_heap_scheme(
    scheme: str,
    board: BoardSession,
    console: ConsoleLink,
    measure: CaseMeasure,
    timebase: TimeBase,
    other_firmware: OtherFirmware,
) -> None:
    """The heap's rows with each other scheme of the kernel tree, built and flashed: heap.alloc.16.heap_2.

    The zero to compare with is static memory, heap.static, which knows no scheme.
    """
    with other_firmware.with_heap(scheme):
        context = figure_context(board, console)
        state = console.request("mem.heap", deadline=Deadline.after(READ_S)).fields
        rows = console.request("bench.list", deadline=Deadline.after(READ_S)).rows
        assert (context["heap"], state["scheme"]) == (scheme, scheme)
        listed = {row["id"] for row in rows}
        measured = [one for one in BENCHMARKS if one.number == HEAP_NUMBER and one.profile == "idle"]
        measured = [one for one in measured if one.id in listed and one.id != "heap.static"]
        assert "heap.alloc" in {one.id for one in measured}
        for one in measured:
            declared = measure.declare(f"{one.name}.{scheme}", timebase.unit, "p99")
            done, raw = run_benchmark(console, one.id, one.n, one.arg)
            figures = timebase.convert(raw.ticks, done.positive("counter_hz"), done.integer("overhead"))
            method: dict[str, Scalar] = {
                "measures": one.measures,
                "tick_hits": int(raw.hit.sum()),
                "free": state["free"],
            }
            declared.samples(figures[~raw.hit], {**context, **method})
            measure.artifact(f"{one.name}.{scheme}.ticks.csv", raw.as_csv())


@pytest.mark.parametrize("profile", PROFILES)
def test_no_tick_is_lost(
    profile: str, board: BoardSession, console: ConsoleLink, measure: CaseMeasure, timebase: TimeBase
) -> None:
    """Over four seconds as many ticks come as the counter has room for, each one near its time.

    The board refuses the run otherwise: it compares the counter with the kernel's tick count and with the
    tick interrupts. Long enough for one tick in a thousand to be missed.
    """
    declared = measure.declare(f"tick.longest_error.{profile}", timebase.unit)
    done, raw = run_benchmark(console, "tick.jitter", TICKS, 0, profile)
    figures = timebase.convert(raw.ticks, done.positive("counter_hz"), 0)
    method = "time between two tick hooks, off the tick period"
    context = {**figure_context(board, console, profile), "method": method, "ticks": TICKS}
    declared.value(int(figures.max()), context)


@pytest.mark.board_feature("exact-clock")
def test_one_instruction_is_told_from_the_next(
    board: BoardSession, console: ConsoleLink, measure: CaseMeasure, timebase: TimeBase
) -> None:
    """10, 11 and 12 NOPs read exactly 10, 11 and 12 instructions: the measure of every figure above."""
    names = {count: measure.declare(f"cal.nops.{count}", timebase.unit, "max") for count in (10, 11, 12)}
    context = {
        **figure_context(board, console),
        "method": "NOPs between two counter reads, empty probe subtracted",
    }
    for count, declared in names.items():
        done, raw = run_benchmark(console, "cal.nops", CALIBRATION_SAMPLES, count)
        figures = timebase.convert(raw.ticks, done.positive("counter_hz"), done.integer("overhead"))[~raw.hit]
        declared.samples(figures, context)
        assert set(figures.tolist()) == {count}
