# SPDX-License-Identifier: MIT
"""How much the kernel gets done in a given time: the eight Thread-Metric counts, and a Hartstone-style ramp.

A count is taken over ``SECONDS`` of target time, by the kernel's own tick: 3 s on the exact clock, where
every second counts the same, and 30 s elsewhere. ``metric.<id>`` is the sum of the counters of all tasks and
handlers that take part, per second, as Thread-Metric reports it; so a context switch counts as one in
``cooperative`` and ``preemptive``. On the exact clock ``metric.<id>.cost`` is what one of these counts costs:
all instructions of the time, those of the tick among them, divided by the count. The firmware proves each
count by the parties' own counters and by the data they carry, and answers only then.

The ramp gives five periodic tasks (10 to 160 ms, priorities by rate, each a fifth of the load) more and more
work until a deadline is missed. ``metric.ramp.load`` is the highest load at which none was: the rest of the
core went into ticks, switches and the tasks' own wake-ups.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.events import Scalar
from rig.pytest_plugin.figure_context import figure_context
from rig.pytest_plugin.published import load_published

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.evidence.counter import TimeBase
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = pytest.mark.board_feature("kernel-metrics")

METRICS = (
    "basic", "cooperative", "preemptive", "interrupt", "interrupt_preemption", "message", "synchronisation",
    "allocation",
)  # fmt: skip
PUBLISHED = load_published(Path(__file__).with_name("published.toml"))
EXACT_S = 3
SECONDS = 30
REPLY_S = 5.0
RUN_S = 120.0
"""How long a run may take on the host; on the exact clock it takes what the emulator takes."""
RAMP_START, RAMP_STEP = 500, 10
CLOCK_TOLERANCE = 0.01


@pytest.mark.parametrize("metric", METRICS)
def test_metric(
    metric: str, board: BoardSession, console: ConsoleLink, measure: CaseMeasure, timebase: TimeBase
) -> None:
    listed = {row["id"]: row for row in console.request("metric.list", deadline=Deadline.after(REPLY_S)).rows}
    if metric not in listed:
        pytest.skip(f"metric.list has no {metric}")
    exact = timebase.unit == "instructions"
    seconds = EXACT_S if exact else SECONDS
    rate = measure.declare(f"metric.{metric}", "1/s")
    cost = measure.declare(f"metric.{metric}.cost", timebase.unit)
    done = console.request(
        "metric.run",
        {"id": metric, "seconds": seconds},
        deadline=Deadline.after(RUN_S),
        repeat_s=RUN_S,
    ).fields
    count, elapsed = done.positive("count"), done.positive("elapsed")
    assert (done["id"], done["check"], done["seconds"]) == (metric, "ok", str(seconds))
    assert count > 0
    # The kernel's tick and the counter tell the same time, so that neither stood still nor wrapped unseen.
    counted_s = elapsed / done.positive("counter_hz")
    assert abs(counted_s - seconds) < seconds * CLOCK_TOLERANCE

    context: dict[str, Scalar] = {
        **figure_context(board, console),
        "count": count,
        "seconds": seconds,
        "parties": done.integer("parties"),
        "elapsed_ticks": elapsed,
        "does": listed[metric]["help"],
    }
    rate.value(count / counted_s, {**context, "method": "sum of all parties' counters, per second"})
    published = PUBLISHED.get(f"metric.{metric}.cost", {})
    scale = timebase.nanoseconds_per_unit
    cost.value(
        elapsed * 1e9 / done.positive("counter_hz") / scale / count,
        {**context, **published, "method": "the whole time, ticks included, per count"},
    )


def test_ramp(board: BoardSession, console: ConsoleLink, measure: CaseMeasure) -> None:
    load = measure.declare("metric.ramp.load", "%")
    done = console.request(
        "metric.ramp",
        {"start": RAMP_START, "step": RAMP_STEP},
        deadline=Deadline.after(RUN_S),
        repeat_s=RUN_S,
    ).fields
    assert done["check"] == "ok"
    met, missed = done.integer("met"), done.integer("missed")
    assert met > 0, f"a deadline was missed at {RAMP_START / 10} % already"
    assert missed == met + RAMP_STEP
    load.value(
        met / 10,
        {
            **figure_context(board, console),
            "first_missed_at": missed / 10,
            "missed_by_period_ticks": done.integer("period"),
            "missed_job": done.integer("job"),
            "loads_tried": done.integer("steps"),
            "work_unit_ticks": done.integer("unit"),
            "task_set": "periods 10, 20, 40, 80, 160 ticks, deadline = period, a fifth of the load each",
            "method": f"raised from {RAMP_START / 10} % by {RAMP_STEP / 10} % until a deadline is missed",
        },
    )
