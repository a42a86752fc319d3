# SPDX-License-Identifier: MIT
"""Runs made up for the report tests: one as a bench would give it, and the pieces to make odd ones of."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.html import render_html
from rig.events import Event, Scalar
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run

IMAGE = hashlib.sha256(b"image").hexdigest()
KERNEL_CONTEXT: dict[str, Scalar] = {
    "method": "counter read before and after, raw samples to RAM",
    "clock": "exact",
    "counter": "FPGAIO COUNTER",
    "counter_hz": 25_000_000,
    "cpu_hz": 25_000_000,
    "tick_hz": 1000,
    "compiler": "arm-none-eabi-gcc 12.2.1",
    "flags": "-O2 -mcpu=cortex-m3 -mthumb",
    "asserts": True,
    "stack_check": 2,
    "heap": "heap_4",
    "task_select": "optimised",
}
BENCHES = {
    "sched.yield.self": 77, "sched.yield.peer": 84, "sched.resume.preempt": 152, "sched.suspend.self": 140,
    "sched.prio.raise": 171, "sched.suspendall.0": 31, "sched.suspendall.5": 402, "task.create.dynamic": 812,
    "task.create.static": 512, "task.delete": 240, "notify.give.noswitch": 62, "notify.take.nowait": 48,
    "notify.give.switch": 188, "queue.send.4": 109, "queue.send.16": 115, "queue.send.64": 139,
    "queue.recv.4": 109, "queue.recv.64": 140, "queue.send.switch": 318, "queue.blocked.sender": 361,
    "queueset.select": 240, "sem.binary.give": 94, "sem.binary.take": 79, "sem.binary.give.switch": 301,
    "sem.counting.give": 95, "sem.counting.take": 80, "mutex.lock": 92, "mutex.unlock": 108,
    "mutex.recursive.4": 388, "mutex.inherit": 610, "event.set.nowait": 120, "event.set.switch": 420,
    "event.sync": 903, "timer.start.cmd": 141, "timer.expiry.latency": 512, "heap.alloc.16": 96,
    "heap.alloc.128": 97, "heap.alloc.1024": 97, "heap.free.16": 88, "heap.free.1024": 92, "isr.entry": 4,
    "isr.exit.resume": 12, "isr.to.task.notify": 223, "isr.to.task.queue": 341, "critical.enter_exit": 11,
    "tick.isr.cost.0": 118, "tick.isr.cost.20": 1390, "probe.overhead": 5,
}  # fmt: skip
MEASURED = "provisional: measured 20261104T020011Z-9f1c + 25 %"
CRASH = (
    "board mps2: hardfault while 'mutex.inherit' ran; expected $41.0 within 10.0 s (console.log:48211)\n"
    "  cause=hardfault pc=0x21003f1c lr=0x21001a47 psr=0x61000000 task=bench_hi\n"
    "  cfsr=0x00000400 IMPRECISERR hfsr=0x40000000 FORCED\n"
    "  pc  xTaskPriorityDisinherit+0x1c  tasks.c:3981\n"
    "  lr  prvCopyDataToQueue+0x2f  queue.c:1812"
)


class SampleShelf:
    """Keeps samples by their hash and hands them out as the evidence reader does."""

    def __init__(self) -> None:
        self._kept: dict[str, Sequence[int] | Sequence[float]] = {}

    def keep(self, values: Sequence[int] | Sequence[float]) -> str:
        """Keeps a series and returns its hash."""
        name = hashlib.sha256(repr(list(values)).encode()).hexdigest()
        self._kept[name] = values
        return name

    def __call__(self, run: Run, m: MeasurementResult) -> Sequence[int] | Sequence[float]:
        """The samples of a measurement."""
        del run
        return self._kept[m.samples_sha256 or ""]


def measured(
    shelf: SampleShelf, name: str, values: Sequence[int] | Sequence[float], **changes: object
) -> MeasurementResult:
    """A measurement of a series, with plain figures where nothing else is given."""
    ordered = sorted(values)
    n = len(ordered)

    def rank(share: float) -> float:
        return float(ordered[min(n - 1, int(n * share))]) if n else float("nan")

    mean = sum(ordered) / n if n else float("nan")
    plain = MeasurementResult(
        "mps2", "kernel", f"test_{name.replace('.', '_')}", 1, name, "instructions", n,
        rank(0), mean, rank(0.5), rank(0.9), rank(0.99), rank(0.999), rank(1), 0.0,
        None, None, None, None, False, False, None, shelf.keep(values) if n else None, {}, "p99",
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def case(name: str, outcome: Outcome = Outcome.PASS, reason: str = "", **changes: object) -> CaseResult:
    """One attempt at a case of the kernel suite."""
    plain = CaseResult("mps2", "kernel", name, 1, outcome, reason, False, 1_000_000_000, 0.42, {})
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def _kernel(shelf: SampleShelf) -> Iterator[MeasurementResult]:
    dice = random.Random(7)
    for line, (name, base) in enumerate(BENCHES.items()):
        spread = [0, 0, 0, 0, 0, 0, 1, 2] if base < 100 else [0, 0, 0, 0, 3, 3, 9, 14, 22]
        if name in ("probe.overhead", "isr.entry"):
            spread = [0]
        values = [base + more for more in dice.choices(spread, k=2000)]
        if name == "timer.expiry.latency":
            values = [int(base + dice.lognormvariate(5, 0.6)) for _ in range(2000)]
        hit = [base + 118 + dice.choice([0, 4, 9]) for _ in range(dice.randrange(3, 14))]
        top = max(values)
        upper: float | None = round(base * 1.25 + 30)
        marginal = name == "queueset.select"
        if marginal:
            upper = top + 1
        if name == "mutex.unlock":
            upper = base + 10
        if name.startswith("heap") or name == "probe.overhead":
            upper = None
        context = KERNEL_CONTEXT | {"overhead": 5, "cold": base + 31, "tick_hits": len(hit)}
        verdict = None if upper is None else Outcome.PASS if sorted(values)[1980] <= upper else Outcome.FAIL
        limits: dict[str, object] = {
            "upper": upper, "limit_at": f"suites/kernel/limits.toml:{12 + 4 * line}" if upper else None,
            "limit_origin": MEASURED if line % 3 else "REQ-KRN-014",
            "provisional": bool(line % 3) and upper is not None, "marginal": marginal, "outcome": verdict,
        } if upper else {}  # fmt: skip
        yield measured(shelf, name, values, context=context, **limits)
        if line % 2:
            apart = context | {"population": "tick"}
            yield measured(
                shelf, f"{name}.tick_hit", hit, case=f"test_{name.replace('.', '_')}", context=apart
            )


def _memory(shelf: SampleShelf) -> Iterator[MeasurementResult]:
    for name, used, size, start in (
        ("flash", 61_728, 16 << 20, "0x21000000"), ("ram", 3_900_112, 4 << 20, "0x20000000"),
        ("ccm", 40_000, 65_536, "0x10000000"),
    ):  # fmt: skip
        yield measured(
            shelf, f"memory.region.{name}.used", [used], suite="memory", case="test_regions", unit="bytes",
            upper=size * 0.9, limit_origin="REQ-MEM-002", limit_at="suites/memory/limits.toml:8",
            statistic="value", outcome=Outcome.PASS if used <= size * 0.9 else Outcome.FAIL,
            context={"size": size, "start": start},
        )  # fmt: skip
    for name, free in (("idle", 212), ("tmr_svc", 480), ("console", 96), ("bench_hi", 1404)):
        yield measured(
            shelf, f"memory.stack.{name}.free", [free], suite="memory", case="test_stacks", unit="bytes",
            lower=128.0, limit_origin="REQ-MEM-004", limit_at="suites/memory/limits.toml:21",
            statistic="value", outcome=Outcome.PASS if free >= 128 else Outcome.FAIL,
            context={"method": "fill byte 0xA5, read by the probe"},
        )  # fmt: skip


def _cases(run: Path) -> Iterator[CaseResult]:
    at = 2_000_000_000
    for suite, names in {
        "boot": ["test_banner_is_complete", "test_image_identity", "test_ready_in_time", "test_reset_causes"],
        "kernel": [f"test_{name.replace('.', '_')}" for name in BENCHES],
        "memory": ["test_regions", "test_stacks", "test_heap_returns"],
    }.items():
        for name in names:
            outcome, reason, artifacts = Outcome.PASS, "", {}
            if name == "test_mutex_inherit":
                outcome, reason = Outcome.FAIL, CRASH
                artifacts = {"crash record": run / "artifacts/crash.json", "dump": run / "artifacts/ram.bin"}
            if name == "test_mutex_unlock":
                outcome = Outcome.FAIL
                reason = (
                    "mutex.unlock: p99 is 122 instructions, limit p99 <= 118 (suites/kernel/limits.toml:120)"
                )
            if name == "test_stacks":
                outcome, reason = Outcome.FAIL, "memory.stack.console.free: x is 96 bytes, limit 128 <= x"
            if name == "test_regions":
                outcome, reason = Outcome.FAIL, "memory.region.ram.used: x is 3,900,112 bytes"
            if name == "test_reset_causes":
                yield case(name, Outcome.ERROR, "board mps2: the QEMU process ended with signal 9 (qemu.log)",
                           suite=suite, started_ns=at, duration_s=3.1)  # fmt: skip
                at += 3_200_000_000
                yield case(name, suite=suite, started_ns=at, attempt=2, unstable=True)
            else:
                yield case(name, outcome, reason, suite=suite, started_ns=at, artifacts=artifacts)
            at += 700_000_000
    for name in ("test_stream_send", "test_stream_recv", "test_message_send", "test_message_recv"):
        reason = "not in this kernel: stream buffers need V10.0, this is V9.0.0"
        yield case(name, Outcome.SKIPPED, reason, started_ns=at, duration_s=0.0)
    for name in ("test_connect", "test_publish_qos1"):
        reason = "board lacks the feature 'network'"
        yield case(name, Outcome.SKIPPED, reason, suite="connectivity", started_ns=at, duration_s=0.0)


def console_lines(path: Path) -> Iterator[tuple[int, str]]:
    """A short transcript: boot, a command for each benchmark, a crash."""
    del path
    yield 1_900_000_000, "I (0) boot: rig firmware 0.1.0"
    yield 1_933_000_000, f"$!0 boot kernel=V9.0.0 board=mps2 image={IMAGE} cause=power count=1 proto=1*51AF"
    at = 2_100_000_000
    for seq, name in enumerate(BENCHES, 1):
        yield at, f"@{seq} bench.run id={name} n=2000*7A01"
        yield at + 420_000_000, f"$${seq}.0 ok n=2000 overhead=5 tick_hits=7*19C4"
        yield at + 430_000_000, f"I ({at // 1_000_000}) bench: {name} done"
        at += 700_000_000
    yield at, "W (41822) heap: 4,096 bytes left"
    yield at + 1000, "E (41823) fault: hardfault pc=0x21003f1c"


@pytest.fixture
def shelf() -> SampleShelf:
    """Where the samples of made-up measurements are."""
    return SampleShelf()


@pytest.fixture
def run(tmp_path: Path, shelf: SampleShelf) -> Run:
    """A run as a bench gives it: 60 cases, 50 distributions, memory, failures, a retry, skipped cases."""
    path = tmp_path / "runs" / "20261122T212233Z-4c1d"
    path.mkdir(parents=True)
    identity: dict[str, Scalar] = {
        "emulated": True, "machine": "mps2-an385", "clock": "exact", "kernel": "V9.0.0", "version": "0.1.0",
        "cpuid": "0x412fc230 Cortex-M3 r2p0", "core_hz": "25,000,000", "flags": "5f3759df",
    }  # fmt: skip
    board = BoardResult("mps2", Outcome.FAIL, "QB-000017", IMAGE, identity, path / "mps2/console.log")
    return Run(
        path.name, path, Outcome.FAIL, True, datetime(2026, 11, 22, 21, 22, 33, tzinfo=UTC), 47.3, "dana",
        {"rig": "0.1.0", "python": "3.11.2", "qemu": "7.2.11", "pyocd": "0.46.0", "host": "Linux 6.1 x86_64"},
        (board,), tuple(_cases(path)), (*_kernel(shelf), *_memory(shelf)),
        (Event(46_000_000_000, "console", "line", "mps2", {}),), (), frozenset({path / "artifacts/ram.bin"}),
    )  # fmt: skip


Measure = Callable[..., MeasurementResult]


@pytest.fixture
def measure(shelf: SampleShelf) -> Measure:
    """Makes a measurement: ``measure(name, values, **changes)``."""
    return lambda name, values, **changes: measured(shelf, name, values, **changes)


@pytest.fixture
def bare(run: Run) -> Run:
    """A run of one board with nothing in it."""
    return dataclasses.replace(run, cases=(), measurements=(), events=())


@pytest.fixture
def attempt() -> Callable[..., CaseResult]:
    """Makes an attempt at a case: ``attempt(name, outcome, reason, **changes)``."""
    return case


@pytest.fixture
def written(tmp_path: Path, shelf: SampleShelf) -> Callable[..., Path]:
    """Renders a run to an HTML file: ``written(run, lines)``."""

    def render(run: Run, lines: Callable[[Path], Iterator[tuple[int, str]]] = console_lines) -> Path:
        return render_html(run, tmp_path / "r.html", samples=shelf, transcript=lines)

    return render


@pytest.fixture
def page(written: Callable[..., Path]) -> Callable[..., str]:
    """Renders a run to HTML and returns the text: ``page(run, lines)``."""
    return lambda run, lines=console_lines: written(run, lines).read_text("utf-8")
