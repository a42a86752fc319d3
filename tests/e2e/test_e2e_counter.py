# SPDX-License-Identifier: MIT
"""The counter that everything is measured with: it may wrap within a sample, and it may stand still."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rig.bench.session import BoardSession, open_session
from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.evidence.counter import RawSeries, TimeBase
from rig.image.build import Variant
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace
from tests.e2e.kernel_variants import build_variant

pytestmark = pytest.mark.emulated

SEAM = PROJECT / "tests" / "firmware" / "seams" / "wrapping_counter.c"
WRAPPING = Variant(
    "wrapping",
    {
        "RIG_NETWORK": "OFF",
        "RIG_TEST_SOURCES": str(SEAM),
        "RIG_TEST_LINK": "-Wl,--wrap=bench_keep,--undefined=g_test_wrapped",
    },
)
SAMPLES = 500
SHIFT = 7
FPGAIO_PRESCALE, SLOWEST = 0x4002801C, 0xFFFFFFFE
"""The counter's divider, which is one more than this, and QEMU's largest: a step takes 172 s."""
ROWS = ("probe.overhead", "sched.yield.self", "queue.send.switch", "isr.to.task.sem")
SOON_S = 20.0


@pytest.fixture(scope="module")
def wrapping_elf() -> Path:
    """The firmware whose counter wraps in every sample."""
    return build_variant(WRAPPING).elf


@pytest.fixture
def session(place: BenchPlace) -> Iterator[BoardSession]:
    """The board, not yet flashed with anything else than it holds."""
    with open_session(place.inventory(), BOARD) as opened:
        yield opened


def ask(session: BoardSession, command: str, **arguments: str | int) -> dict[str, str]:
    deadline = Deadline.after(SOON_S)
    return dict(session.console.request(command, arguments, deadline=deadline).fields)


def instructions(session: BoardSession, row: str) -> dict[int, int]:
    """How often each figure came, of the samples without a tick."""
    done = ask(session, "bench.run", id=row, n=SAMPLES)
    read = session.console.request(
        "bench.read", {"offset": 0, "count": SAMPLES}, deadline=Deadline.after(SOON_S)
    )
    raw = RawSeries.of_text(line["s"] for line in read.rows)
    figures = TimeBase(SHIFT).convert(raw.ticks, int(done["counter_hz"]), int(done["overhead"]))[~raw.hit]
    values, counts = np.unique(figures, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def address_of(elf: Path, name: str) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True)
    return next(int(line.split()[0], 16) for line in listing.stdout.splitlines() if line.endswith(f" {name}"))


def test_a_counter_that_wraps_within_samples_gives_the_same_figures(
    session: BoardSession, app_elf: Path, wrapping_elf: Path
) -> None:
    session.flash(app_elf)
    session.restart()
    expected = {row: instructions(session, row) for row in ROWS}
    session.flash(wrapping_elf)
    session.restart()
    found = {row: instructions(session, row) for row in ROWS}
    wrapped = int.from_bytes(
        session.probe.read_memory(address_of(wrapping_elf, "g_test_wrapped"), 4), "little"
    )
    assert wrapped > SAMPLES, "most samples of the longer rows wrapped"
    assert {row: set(figures) for row, figures in found.items()} == {
        row: set(figures) for row, figures in expected.items()
    }


def test_a_counter_that_stands_still_is_refused_by_all_that_measures(
    session: BoardSession, app_elf: Path
) -> None:
    session.flash(app_elf)
    session.restart()
    assert ask(session, "bench.run", id="sched.yield.self", n=10)["order"] == "ok"
    session.probe.write_memory(FPGAIO_PRESCALE, SLOWEST.to_bytes(4, "little"))
    measuring: dict[str, dict[str, str | int]] = {
        "bench.run": {"id": "sched.yield.self", "n": 10},
        "metric.run": {"id": "basic", "seconds": 1},
        "metric.ramp": {"start": 500, "step": 10},
    }
    for command, arguments in measuring.items():
        with pytest.raises(CommandRefused, match="the counter does not advance") as refused:
            session.console.request(command, arguments, deadline=Deadline.after(SOON_S))
        assert refused.value.code == "counter"
    session.restart()
    assert ask(session, "bench.run", id="sched.yield.self", n=10)["order"] == "ok", "the boot set it right"
