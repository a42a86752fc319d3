# SPDX-License-Identifier: MIT
"""Pulses beside samples: what both instruments cannot tell is let pass, and all else is not."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from rig.cli.benchmark_run import BenchmarkRun
from rig.cli.marker_pin import EMPTY_PROBES, PinComparison, compare
from rig.errors import UsageFault
from rig.evidence.counter import RawSeries
from rig.links.capture import Capture, Pulse

COUNTER_HZ, RATE_HZ = 168_000_000, 24_000_000
TICK_NS, PERIOD_NS = 1e9 / COUNTER_HZ, 1e9 / RATE_HZ
PIN_NS, EMPTY_NS, CORE_NS = 31.0, 60.0, 1e9 / 168e6


def _sampled(start_ns: float, width_ns: float) -> Pulse:
    """A pulse as the analyser sees it: each edge by the first sample behind it."""
    first, last = (math.ceil(at / PERIOD_NS) for at in (start_ns, start_ns + width_ns))
    return Pulse(first, last - first)


def _compared(
    dice: random.Random, truths: Sequence[float], pins: Sequence[float], empty_pin: float = PIN_NS
) -> PinComparison:
    start, pulses, ticks = 0.0, [], []
    for truth, pin in [(EMPTY_NS, empty_pin)] * EMPTY_PROBES + list(zip(truths, pins, strict=True)):
        start += 5000 + dice.random() * 1000
        pulses.append(_sampled(start, truth + pin))
        ticks.append(math.floor((start + truth) / TICK_NS) - math.floor(start / TICK_NS))
    raw = RawSeries.of_text([f"{tick:X}" for tick in ticks[EMPTY_PROBES:]])
    run = BenchmarkRun(raw, COUNTER_HZ, min(ticks[:EMPTY_PROBES]))
    return compare(("nucleo-03", "queue.send", 16), run, Capture(RATE_HZ, tuple(pulses)))


@pytest.mark.parametrize("seed", range(20))
def test_what_only_differs_by_quantisation_agrees(seed: int) -> None:
    dice = random.Random(seed)
    truths = [dice.choice([700.0, 712.0, 1900.0]) + dice.random() * 30 for _ in range(300)]
    found = _compared(dice, truths, [PIN_NS] * 300)
    assert found.agrees
    assert found.allowed_ns == pytest.approx(PERIOD_NS + TICK_NS)
    assert found.pin_ns == pytest.approx(PIN_NS, abs=found.allowed_ns)
    assert (found.n, found.pulses) == (299, EMPTY_PROBES + 300)


@pytest.mark.parametrize("seed", range(5))
def test_one_pulse_of_another_width_is_found(seed: int) -> None:
    dice = random.Random(seed)
    pins = [PIN_NS] * 300
    pins[123] += 4 * (PERIOD_NS + TICK_NS)
    found = _compared(dice, [700.0 + dice.random() * 100 for _ in pins], pins)
    assert not found.agrees
    assert found.worst == 123
    assert found.worst_ns > found.allowed_ns


def test_a_counter_that_is_off_by_a_constant_is_found_by_the_empty_probe() -> None:
    found = _compared(random.Random(1), [700.0] * 300, [PIN_NS] * 300, empty_pin=PIN_NS + 500)
    assert found.worst_ns <= found.allowed_ns
    assert not found.agrees


def test_without_the_pulses_of_the_empty_probe_that_is_said() -> None:
    raw = RawSeries.of_text(["64", "64"])
    capture = Capture(RATE_HZ, (Pulse(10, 15), Pulse(90, 15)))
    found = compare(("nucleo-03", "queue.send", 16), BenchmarkRun(raw, COUNTER_HZ, 7), capture)
    assert found.empty_ns is None
    assert found.agrees


def test_fewer_pulses_than_samples_are_refused() -> None:
    run = BenchmarkRun(RawSeries.of_text(["64", "64"]), COUNTER_HZ, 7)
    with pytest.raises(UsageFault, match=r"board nucleo-03: the capture has 1 pulses, expected 2 at least"):
        compare(("nucleo-03", "queue.send", 16), run, Capture(RATE_HZ, (Pulse(10, 15),)))
