# SPDX-License-Identifier: MIT
"""A run written and read back: what is kept, what is judged, what is refused."""

from __future__ import annotations

import json
import math
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rig.errors import EvidenceFault
from rig.evidence.measurement import Measurement, Outcome, SpecLimit
from rig.evidence.reader import load_run, samples, verify

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles

CASE = bundles.CASE


def test_a_whole_run_comes_back(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path))
    assert (run.outcome, run.complete, run.notes, run.operator) == (Outcome.PASS, True, (), "ada")
    assert run.environment == {"host": "bench-1", "seed": 7}
    assert run.started_utc.tzinfo == UTC
    assert run.run_id == run.path.name
    board = run.boards[0]
    assert (board.name, board.outcome, board.dut) == ("mps2", Outcome.PASS, "SN-1")
    assert (board.image_sha256, board.identity) == ("ab" * 32, {"cpuid": "0x410fc231"})
    assert [event.data for event in run.events] == [{"text": "hello"}]
    assert verify(run) == ()


def test_measurements_keep_samples_limit_and_method(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path))
    ticks, boot = run.measurements
    assert (ticks.n, ticks.min, ticks.p50, ticks.max) == (3, 168, 170, 171)
    assert (ticks.upper, ticks.limit_origin, ticks.limit_at) == (
        400,
        "requirement: KRN-012",
        "suites/kernel/limits.toml:2",
    )
    assert (ticks.outcome, ticks.statistic, ticks.context) == (Outcome.PASS, "p99", {"clock": "exact"})
    assert samples(run, ticks).tolist() == [168, 170, 171]
    assert samples(run, ticks).dtype == np.int64
    assert (boot.n, boot.mean, boot.outcome, boot.samples_sha256) == (1, 12.5, None, None)
    assert samples(run, boot).tolist() == [12.5]


def test_recorder_returns_what_the_reader_reads(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        measured = run.measurement(*CASE, bundles.YIELD, samples=[1.5, 390], limit=bundles.LIMIT)
        case = run.case_finished(*CASE, Outcome.PASS, artifacts={"log": run.artifact("log.txt", b"x")})
    back = load_run(run.path)
    assert back.measurements == (measured,)
    assert back.cases == (case,)
    assert case.artifacts["log"].read_bytes() == b"x"


def test_nan_samples_fail_and_come_back(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        run.measurement(*CASE, bundles.YIELD, samples=[1.0, math.nan], limit=bundles.LIMIT)
        case = run.case_finished(*CASE, Outcome.PASS)
    assert (case.outcome, case.reason) == (
        Outcome.FAIL,
        "kernel.yield: p99 is nan cycles, limit p99 <= 400 (suites/kernel/limits.toml:2)",
    )
    back = load_run(run.path)
    assert back.outcome is Outcome.FAIL
    assert math.isnan(back.measurements[0].p99)
    assert math.isnan(samples(back, back.measurements[0])[1])


@pytest.mark.parametrize(
    ("statistic", "values", "reason"),
    [
        ("p99", [50.0] * 9 + [61.0], "k: p99 is 61 cycles, limit p99 <= 60 (limits.toml:3)"),
        ("max", [50.0, 60.5], "k: max is 60.5 cycles, limit max <= 60 (limits.toml:3)"),
        ("value", [61.0], "k: value is 61 cycles, limit x <= 60 (limits.toml:3)"),
    ],
)
def test_a_limit_that_is_missed_names_what_it_judges(
    tmp_path: Path, statistic: str, values: list[float], reason: str
) -> None:
    limit = SpecLimit(None, 60.0, "requirement: KRN-1", "limits.toml:3")
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        run.measurement(*CASE, Measurement("k", "cycles", statistic), samples=values, limit=limit)
        case = run.case_finished(*CASE, Outcome.PASS)
    assert (case.outcome, case.reason) == (Outcome.FAIL, reason)


def test_declared_and_never_set_is_error(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        run.declare(*CASE, bundles.YIELD)
        case = run.case_finished(*CASE, Outcome.PASS)
    assert (case.outcome, case.reason) == (Outcome.ERROR, "kernel.yield: declared but never set")
    unset = load_run(run.path).measurements[0]
    assert (unset.n, unset.outcome) == (0, Outcome.ERROR)
    assert samples(load_run(run.path), unset).size == 0


def test_unset_after_a_failure_is_only_a_consequence(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        run.declare(*CASE, bundles.YIELD)
        case = run.case_finished(*CASE, Outcome.FAIL, "the console is silent")
    assert (case.outcome, case.reason) == (Outcome.FAIL, "the console is silent")
    assert load_run(run.path).measurements == ()


def test_a_series_without_samples_is_error(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        assert run.measurement(*CASE, bundles.YIELD, samples=[]).outcome is Outcome.ERROR
        assert run.case_finished(*CASE, Outcome.PASS).outcome is Outcome.ERROR


def test_the_same_samples_are_kept_once(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*CASE)
        for name in ("a", "b"):
            run.measurement(*CASE, Measurement(name, "s", "max"), samples=[1, 2, 3])
        run.case_finished(*CASE, Outcome.PASS)
    kept = list((run.path / "samples").iterdir())
    assert len(kept) == 1
    assert kept[0].read_bytes() == np.array([1, 2, 3], "<i8").tobytes()


def test_pass_on_a_retry_is_unstable(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        for attempt, outcome in enumerate((Outcome.FAIL, Outcome.PASS), 1):
            run.case_started(*CASE[:3], attempt)
            run.case_finished(*CASE[:3], attempt, outcome)
    back = load_run(run.path)
    assert [case.unstable for case in back.cases] == [False, True]
    assert (back.outcome, back.boards[0].outcome) == (Outcome.PASS, Outcome.PASS)


def test_what_is_known_of_a_board_grows(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        transcript = run.artifact_path("mps2/console.log")
        run.board("mps2", identity={"cpuid": 1}, transcript=transcript)
        run.board("mps2", image_sha256="cd" * 32, identity={"version": "2"})
    back = load_run(run.path)
    board = back.boards[0]
    assert (board.dut, board.image_sha256, board.identity) == (None, "cd" * 32, {"cpuid": 1, "version": "2"})
    assert board.transcript == transcript
    assert (board.outcome, back.outcome) == (Outcome.SKIPPED, Outcome.SKIPPED)


def test_artifacts_are_never_overwritten(tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"second")
    with bundles.recorder(tmp_path / "runs") as run:
        first = run.artifact("mps2/crash.bin", b"first", sensitive=True)
        second = run.artifact("mps2/crash.bin", outside)
        assert run.artifact("again", second) == second
    back = load_run(run.path)
    assert (first.read_bytes(), second.read_bytes(), second.name) == (b"first", b"second", "crash-2.bin")
    assert back.sensitive == {first}
    assert verify(back) == ()


@pytest.mark.parametrize("name", ["", "../x", "/etc/x", "a/../../x", "a\0b"])
def test_artifacts_stay_in_the_bundle(tmp_path: Path, name: str) -> None:
    with bundles.recorder(tmp_path) as run, pytest.raises(ValueError, match="artifact name"):
        run.artifact(name, b"")


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        with pytest.raises(
            ValueError, match=r"test_yield on board mps2, attempt 1 is not running; running: none"
        ):
            run.measurement(*CASE, bundles.BOOT, value=1)
        run.case_started(*CASE)
        with pytest.raises(ValueError, match="is running already"):
            run.case_started(*CASE)
        with pytest.raises(ValueError, match="either samples or value"):
            run.measurement(*CASE, bundles.BOOT)
        run.measurement(*CASE, bundles.BOOT, value=1)
        with pytest.raises(ValueError, match=r"boot\.time is measured already"):
            run.measurement(*CASE, bundles.BOOT, value=2)
        run.case_finished(*CASE, Outcome.PASS)


def test_finish_makes_worse_and_never_better(tmp_path: Path) -> None:
    for stated, expected in ((Outcome.PASS, Outcome.FAIL), (Outcome.ABORTED, Outcome.ABORTED)):
        run = bundles.recorder(tmp_path)
        run.case_started(*CASE)
        run.case_finished(*CASE, Outcome.FAIL)
        assert run.finish(stated) is expected
        assert load_run(run.path).outcome is expected


def test_a_run_of_nothing_is_not_a_pass(tmp_path: Path) -> None:
    run = bundles.recorder(tmp_path)
    assert run.finish(Outcome.PASS) is Outcome.SKIPPED
    summary = json.loads((run.path / "summary.json").read_text())
    assert (summary["outcome"], summary["exit_code"]) == ("SKIPPED", 3)


@pytest.mark.parametrize(
    ("error", "expected"), [(KeyboardInterrupt(), Outcome.ABORTED), (ZeroDivisionError(), Outcome.ERROR)]
)
def test_leaving_by_an_exception_ends_open_cases(
    tmp_path: Path, error: BaseException, expected: Outcome
) -> None:
    run = bundles.recorder(tmp_path)

    def leave() -> None:
        with run:
            run.case_started(*CASE)
            raise error

    with pytest.raises(type(error)):
        leave()
    back = load_run(run.path)
    assert (back.complete, back.outcome, back.cases[0].outcome) == (True, expected, expected)
    assert back.cases[0].reason.startswith("cut off")


def test_events_after_the_end_are_ignored(tmp_path: Path) -> None:
    run = bundles.recorder(tmp_path)
    run.finish()
    bundles.line(run, "late")
    assert load_run(run.path).events == ()


def test_a_runs_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(EvidenceFault, match="cannot make the run's folder"):
        bundles.recorder(tmp_path / "runs")
