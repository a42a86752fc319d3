# SPDX-License-Identifier: MIT
"""The samples of a benchmark beside the pulses that a logic analyser saw on the board's marker pin.

Owns the comparison of both and its order on the bench. The firmware raises the pin just before it loads the
counter and lowers it just behind (``PLATFORM_MARKER_RAISE`` in ``firmware/platform/platform.h``), so that

    width of a pulse = sample + a constant, the cost of the pin

up to one period of the analyser and one tick of the counter. The constant is that around which all
differences lie, and it must be that of the empty probe too, whose pulses come before those of the samples. A
sample that a tick interrupt hit is not compared: the tick may have come between the pin and the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rig.errors import UsageFault

if TYPE_CHECKING:
    from rig.bench.inventory import Inventory
    from rig.cli.benchmark_run import BenchmarkRun
    from rig.links.capture import Capture

EMPTY_PROBES: Final = 64
"""Probes around nothing that the firmware takes before the samples: OVERHEAD_PROBES of bench_runner.c."""


@dataclass(frozen=True, slots=True)
class PinComparison:
    """Pulses beside samples, in ns. Of ``pulses``, the last n + 1 are the samples', the cold one first.

    ``compared`` of these are held against their pulse: all that no tick hit.

    A difference is the width of a pulse less the sample, less ``pin_ns``, the cost of the pin. ``worst_ns``
    is the largest; ``worst`` is the sample that is farthest from what is usual; ``allowed_ns`` is a period of
    the analyser and a tick of the counter. ``empty_ns`` is the cost of the pin by the pulses of the empty
    probe, None where the capture lacks them.
    """

    board: str
    benchmark: str
    arg: int
    n: int
    pulses: int
    compared: int
    period_ns: float
    tick_ns: float
    pin_ns: float
    empty_ns: float | None
    worst: int
    worst_ns: float
    allowed_ns: float
    differences_ns: dict[str, float]

    @property
    def agrees(self) -> bool:
        """Whether every sample is within what both instruments can tell, and so is the empty probe."""
        near = self.empty_ns is None or abs(self.empty_ns - self.pin_ns) <= 2 * self.allowed_ns
        return near and self.worst_ns <= self.allowed_ns

    def as_json(self) -> dict[str, Any]:
        """The form of ``docs/profiling.md``."""
        return {"form": "rig-pin-1", "unit": "ns", **asdict(self), "agrees": self.agrees}


def compare(names: tuple[str, str, int], run: BenchmarkRun, capture: Capture) -> PinComparison:
    """Holds the samples of a run against the pulses; ``names`` are board, benchmark and argument.

    Raises UsageFault where there are fewer pulses than samples, or a tick hit every sample.
    """
    widths, tick_ns = capture.widths_ns(), 1e9 / run.counter_hz
    samples = [float(ticks) * tick_ns for ticks in run.raw.ticks]
    if len(widths) < len(samples):
        raise UsageFault(
            f"the capture has {len(widths)} pulses, expected {len(samples)} at least: one per sample",
            board=names[0],
            hint="Start it before the benchmark and stop it after; a pulse shorter than a period is not seen",
        )
    of_samples = widths[-len(samples) :]
    plain = [number for number, hit in enumerate(run.raw.hit) if not hit]
    if not plain:
        hint = "A tick may come between pin and counter; take a benchmark that is shorter than a tick"
        raise UsageFault(f"a tick hit all {len(samples)} samples", board=names[0], hint=hint)
    costs = [of_samples[number] - samples[number] for number in plain]
    # Errors of either sign are as likely: the middle is the constant that is nearest to all.
    pin = (min(costs) + max(costs)) / 2
    off = [cost - pin for cost in costs]
    usual = sorted(costs)[len(costs) // 2]
    worst = max(range(len(costs)), key=lambda number: abs(costs[number] - usual))
    before = widths[: -len(samples)][-EMPTY_PROBES:]
    empty = min(before) - run.overhead * tick_ns if len(before) == EMPTY_PROBES else None
    return PinComparison(
        *names,
        n=len(samples) - 1,
        pulses=len(widths),
        compared=len(plain),
        period_ns=capture.period_ns,
        tick_ns=tick_ns,
        pin_ns=pin,
        empty_ns=empty,
        worst=plain[worst],
        worst_ns=max(off),
        allowed_ns=capture.period_ns + tick_ns,
        differences_ns=_distribution(off),
    )


def measure_pin(
    inventory: Inventory,
    order: tuple[str, str, int, int],
    image: Path,
    capture: Path,
    say: Callable[[str], None],
) -> PinComparison:
    """Runs a benchmark while a person captures the pin. ``order``: board, benchmark, argument, n.

    ``say`` tells the person to start and to stop the capture, and returns when that is done.
    """
    from rig.bench.session import open_session
    from rig.cli.benchmark_run import run_benchmark
    from rig.links.capture import read_capture

    board, benchmark, arg, n = order
    marker = inventory.board(board).marker
    if marker is None:
        hint = "Write 'marker: {pin: PA8, channel: D0}' into its entry: docs/profiling.md"
        raise UsageFault("it names no marker pin", board=board, hint=hint)
    with open_session(inventory, board) as session:
        session.flash(image)
        session.restart()
        say(f"start the capture of {marker.channel}, which is wired to {marker.pin}")
        run = run_benchmark(session.console, board, benchmark, arg, n)
        say(f"stop the capture; it must be in {capture}")
    found = read_capture(capture, marker.channel, active_high=marker.active == "high")
    return compare((board, benchmark, arg), run, found)


def _distribution(values: Sequence[float]) -> dict[str, float]:
    ranked = sorted(values)
    places = {"min": 0.0, "p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: ranked[round(place * (len(ranked) - 1))] for name, place in places.items()}
