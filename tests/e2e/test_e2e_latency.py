# SPDX-License-Identifier: MIT
"""Cases of the latency suite on the emulated board: figures of board and host, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.latency import latency_table
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run
from rig.evidence.reader import samples
from tests.e2e.bench_place import PROJECT, BenchPlace, cases_of

pytestmark = pytest.mark.emulated

CASES = "dns and idle or publish and idle and 1-ack or board_clock"


@pytest.fixture(scope="module")
def run(module_place: BenchPlace) -> Run:
    """A run of three cases."""
    done = module_place.pytest(PROJECT / "suites" / "latency", "-k", CASES, env={"RIG_EVIDENCE": "0"})
    assert done.code == 0, done.out + done.err
    return module_place.run()


def named(run: Run, name: str) -> MeasurementResult:
    return next(m for m in run.measurements if m.name == name)


def test_every_figure_says_who_took_it_and_by_which_clock(run: Run) -> None:
    assert {case.outcome for case in cases_of(run).values()} == {Outcome.PASS}
    taken = [m for m in run.measurements if "operation" in m.context]
    assert len(taken) == 1 + 2 * 4
    assert {m.context["clock"] for m in taken} == {"paced"}
    assert {(m.context["client"], m.context["taken"]) for m in taken} == {
        ("board", "on the board, by its counter"), ("host", "on the host, by its monotonic clock"),
    }  # fmt: skip


def test_a_publish_that_the_board_timed_is_no_longer_than_the_case_took(run: Run) -> None:
    (case,) = (case for name, case in cases_of(run).items() if name.startswith("publish"))
    board = [named(run, f"latency.mqtt.ack.qos1.{size}.idle") for size in (16, 256, 1024, 4096)]
    spent_us = sum(float(samples(run, m).sum()) for m in board)
    assert 0 < spent_us < case.duration_s * 1e6
    assert all(m.n == 20 and m.min > 50 for m in board)


def test_the_table_sets_board_and_host_side_by_side(run: Run) -> None:
    rows = {row.name: row for row in latency_table(run.measurements).rows}
    row = rows["mqtt.ack.qos1.16"]
    assert row.idle is not None
    assert row.host is not None
    assert row.lossy is None
    assert rows["dns"].host is None


def test_the_clock_of_the_run_is_kept_with_it(run: Run) -> None:
    assert named(run, "clock.error").mean > 0
    assert list(run.path.rglob("clock.json"))
    assert Path(run.path / "artifacts" / "mps2" / "clock.json").stat().st_size > 200
