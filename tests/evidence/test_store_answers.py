# SPDX-License-Identifier: MIT
"""What the store answers, on SQLite and on PostgreSQL: the same questions, the same answers."""

from __future__ import annotations

import json
import math
import multiprocessing
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.errors import EvidenceFault, UsageFault
from rig.evidence.alerts import Alert, Baseline
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.evidence.store import BoardNow, Flake, Store, open_store

if TYPE_CHECKING:
    from tests.evidence import bundles, stored_runs
    from tests.evidence.stored_runs import board, case, key, measured, night
else:
    import bundles
    import stored_runs
    from stored_runs import board, case, key, measured, night

WRITERS, RUNS_EACH = 8, 12


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        yield opened


def test_an_empty_store(store: Store) -> None:
    assert (store.count(), store.runs(10), store.boards(), store.keys(), store.alerts()) == (
        0,
        [],
        [],
        [],
        [],
    )
    assert (store.run("none"), store.series(key()), store.baselines()) == (None, [], [])


def test_a_run_is_given_back_as_it_was(store: Store) -> None:
    cases = [case(Outcome.PASS, requirements=("KRN-1", "KRN-2")), case(Outcome.FAIL, name="b", reason="no\n")]
    results = [measured(3.25), measured(math.nan, "odd", outcome=Outcome.FAIL), measured(math.inf, "endless")]
    run = night(4, results, cases)
    store.ingest(run)
    found = store.run(run.run_id)
    assert found is not None
    assert (found.run_id, found.outcome, found.complete) == (run.run_id, Outcome.PASS, True)
    assert (found.started_utc, found.duration_s, found.operator) == (run.started_utc, 60.0, "ada")
    assert (found.path, found.boards) == (run.path.absolute(), ("mps2",))
    assert store.cases(run.run_id) == cases
    given_back = store.measurements(run.run_id)
    assert [repr(result) for result in given_back] == [repr(result) for result in results]


def test_text_that_a_board_says_is_taken(store: Store) -> None:
    said = "last line '\udcff\0\x1b[2J', 'é', \"100 %s ?\""
    store.ingest(night(1, [measured(1, note=said)], [case(Outcome.FAIL, reason=said)]))
    (kept,) = store.cases(night(1).run_id)
    assert kept.reason == "last line '\\udcff\\x00\x1b[2J', 'é', \"100 %s ?\""
    assert store.measurements(night(1).run_id)[0].note == kept.reason


def test_runs_are_listed_newest_first(store: Store) -> None:
    other = [board("b"), board("a")]
    for number in (3, 1, 2):
        store.ingest(night(number, boards=other if number == 2 else ()))
    assert [run.run_id[-4:] for run in store.runs()] == ["0003", "0002", "0001"]
    assert [run.run_id[-4:] for run in store.runs(2)] == ["0003", "0002"]
    assert [run.run_id[-4:] for run in store.runs(5, board="a")] == ["0002"]
    assert store.runs(2)[1].boards == ("a", "b")
    assert store.count() == 3


def test_each_board_is_as_its_newest_run_left_it(store: Store) -> None:
    store.ingest(night(2, boards=[board(outcome=Outcome.FAIL, image="cd" * 32), board("old")]))
    store.ingest(night(1, boards=[board(), board("older")]))
    store.ingest(night(3, boards=[board("old", outcome=Outcome.ERROR)]))
    now = store.boards()
    assert [(b.name, b.outcome, b.run_id[-4:]) for b in now] == [
        ("mps2", Outcome.FAIL, "0002"),
        ("old", Outcome.ERROR, "0003"),
        ("older", Outcome.PASS, "0001"),
    ]
    expected = BoardNow(
        *("mps2", night(2).run_id, night(2).started_utc, Outcome.FAIL, "SN-mps2", "cd" * 32),
        {"emulated": True, "probe": "qemu"},
    )
    assert now[0] == expected


def test_a_series_is_in_order_of_time(store: Store) -> None:
    for number in (5, 1, 3):
        store.ingest(night(number, [measured(100 + number)], boards=[board(image=f"{number:064x}")]))
    points = store.series(key())
    assert [point.value for point in points] == [101, 103, 105]
    first = points[0]
    assert (first.run_id, first.started_utc) == (night(1).run_id, night(1).started_utc)
    assert (first.image_sha256, first.n, first.outcome) == (f"{1:064x}", 100, Outcome.PASS)
    assert (first.lower, first.upper, first.unit, first.exact) == (None, 400.0, "cycles", True)
    assert [[p.value for p in store.series(key(), newest)] for newest in (0, 2, 9)] == [
        [],
        [103, 105],
        [101, 103, 105],
    ]
    assert [p.value for p in store.series(key("max"))] == [101, 103, 105]
    with pytest.raises(ValueError, match="unknown statistic"):
        store.series(key("p50 FROM runs; --"))


def test_moments_keep_their_order_over_a_clock_that_jumps(store: Store) -> None:
    """The clock of a host went back two nights: its next run is kept, and stands where its time says."""
    for number, value in ((1, 1.0), (2, 2.0), (3, 3.0)):
        store.ingest(night(number, [measured(value)]))
    back = night(1, [measured(4.0)], run_id="20260102T023000Z-ffff")
    back = replace(back, path=Path(back.run_id), started_utc=back.started_utc + timedelta(microseconds=1))
    store.ingest(back)
    assert [point.value for point in store.series(key())] == [1.0, 4.0, 2.0, 3.0]
    before_1970 = night(0, [measured(5.0)], started_utc=datetime(1969, 12, 31, tzinfo=UTC))
    store.ingest(before_1970)
    assert store.series(key())[0].started_utc == datetime(1969, 12, 31, tzinfo=UTC)


def test_the_last_attempt_counts(store: Store) -> None:
    store.ingest(night(1, [measured(9, attempt=1), measured(5, attempt=2), measured(7, "once", attempt=1)]))
    assert [point.value for point in store.series(key())] == [5]
    assert [point.value for point in store.series(key(of=measured(0, "once")))] == [7]
    assert len(store.measurements(night(1).run_id)) == 3


def test_keys_name_the_figures_that_are_followed(store: Store) -> None:
    plain: dict[str, Any] = {"lower": None, "upper": None}
    store.ingest(night(1, [measured(1), measured(1, "one", n=1, **plain), measured(1, "free", **plain)]))
    store.ingest(night(2, [measured(1, board="b")], boards=[board("b")]))
    assert [(k.name, k.statistic) for k in store.keys("mps2")] == [
        ("free", "p50"),
        ("kernel.yield", "p50"),
        ("kernel.yield", "p99"),
        ("one", "value"),
    ]
    assert {k.board for k in store.keys(None)} == {"mps2", "b"}
    assert all(len(store.series(k)) == 1 for k in store.keys(None))
    assert store.keys("none") == []


def test_figures_that_cannot_be_compared_are_series_of_their_own(store: Store) -> None:
    faster = {**stored_runs.CONTEXT, "opt": "O3"}
    kernel = {**stored_runs.CONTEXT, "kernel": "V11.1.0", "cold_ticks": 99}
    for number, context in enumerate((stored_runs.CONTEXT, faster, kernel)):
        store.ingest(night(number, [measured(number, context=context)]))
    medians = [k for k in store.keys(None) if k.statistic == "p50"]
    assert [k.variant.split(" #")[0] for k in medians] == [
        "exact tim2 gcc-12.2.1 O2 qemu",
        "exact tim2 gcc-12.2.1 O3 qemu",
    ]
    assert [[p.value for p in store.series(k)] for k in medians] == [[0, 2], [1]]
    newest = {variant: result.mean for variant, result in store.newest("mps2")}
    assert newest == {medians[0].variant: 2, medians[1].variant: 1}


def test_the_newest_of_each_measurement(store: Store) -> None:
    store.ingest(night(1, [measured(1), measured(2, "rare")]))
    store.ingest(night(2, [measured(4, attempt=1), measured(5, attempt=2)]))
    store.ingest(night(3, [measured(9, board="b")], boards=[board("b")]))
    found = {result.name: (result.p50, result.attempt) for _, result in store.newest("mps2")}
    assert found == {"kernel.yield": (5, 2), "rare": (2, 1)}
    assert store.newest("none") == []


def test_ingesting_twice_is_once_and_what_changed_is_replaced(store: Store) -> None:
    store.ingest(night(1, [measured(1), measured(2, "gone")], [case(Outcome.PASS)], complete=False))
    store.ingest(night(1, [measured(3)], [case(Outcome.PASS)]))
    store.ingest(night(1, [measured(3)], [case(Outcome.PASS)]))
    assert (store.count(), len(store.cases(night(1).run_id))) == (1, 1)
    assert [point.value for point in store.series(key())] == [3]
    assert {k.name for k in store.keys(None)} == {"kernel.yield"}
    found = store.run(night(1).run_id)
    assert found is not None
    assert found.complete


def test_another_run_of_the_same_id_is_refused(store: Store) -> None:
    store.ingest(night(1, [measured(1)]))
    other = replace(night(1), started_utc=night(1).started_utc + timedelta(seconds=1))
    with pytest.raises(EvidenceFault, match="begun at another moment"):
        store.ingest(other)
    assert [point.value for point in store.series(key())] == [1]


def test_flakes(store: Store) -> None:
    ok, bad, skipped = Outcome.PASS, Outcome.FAIL, Outcome.SKIPPED
    late = [case(bad, 1, "late"), case(ok, 2, "late", unstable=True)]
    store.ingest(night(0, cases=[case(bad, name="was"), case(ok, 2, "was", unstable=True)]))
    others = [case(ok, name="good"), case(bad, name="broken"), case(ok, name="now")]
    store.ingest(night(5, cases=[*late, *others]))
    store.ingest(
        night(6, cases=[case(ok, name="late"), case(bad, name="broken"), case(Outcome.ERROR, name="now")])
    )
    store.ingest(night(7, cases=[case(skipped, name="late"), case(ok, name="now")]))
    assert store.flakes(night(5).started_utc) == [
        Flake("mps2", "kernel", "late", 3, 1, 1),
        Flake("mps2", "kernel", "now", 3, 0, 1),
    ]
    assert len(store.flakes(night(0).started_utc)) == 3
    assert store.flakes(night(8).started_utc) == []


def alert(**given: Any) -> Alert:
    known: dict[str, Any] = {
        **{"id": "a1", "key": key(), "kind": "step", "state": "suspected", "since_run": "r1"},
        **{"since_image": None, "before": 100.0, "after": 103.5, "unit": "cycles"},
        **{"author": "ada", "reason": ""},
        **{"opened_utc": stored_runs.FIRST, "changed_utc": stored_runs.FIRST},
        "detail": {"nights": 3, "exact": False, "near": "é"},
    }
    return Alert(**{**known, **given})


def test_alerts_are_kept_and_changed(store: Store) -> None:
    later = stored_runs.FIRST + timedelta(hours=1)
    store.save_alert(alert())
    store.save_alert(alert(id="a2", kind="limit", since_image="cd" * 32))
    store.save_alert(alert(state="acknowledged", author="bob", reason="known\0", changed_utc=later))
    kept = alert(state="acknowledged", author="bob", reason="known\\x00", changed_utc=later)
    assert store.alerts() == [kept, alert(id="a2", kind="limit", since_image="cd" * 32)]
    assert store.alerts(["acknowledged", "fixed"]) == [kept]
    assert store.alerts([]) == []


def test_baselines_are_kept_by_version(store: Store) -> None:
    whole = Baseline("release", 1, None, "mps2", "r1", "ada", "first silicon", stored_runs.FIRST)
    one = replace(whole, version=2, key=key(), run_id="r2")
    store.save_baseline(one)
    store.save_baseline(whole)
    assert store.baselines() == [whole, one]
    with pytest.raises(UsageFault, match="version 2 of baseline 'release' is set already"):
        store.save_baseline(replace(one, run_id="r3"))
    assert store.baselines() == [whole, one]


def test_samples_are_kept_once_and_come_back(store: Store, tmp_path: Path) -> None:
    first, second = (load_run(bundles.small_run(tmp_path, [7, -9, 2**40])) for _ in range(2))
    store.ingest(first)
    store.ingest(second)
    kept = first.measurements[0]
    assert store.samples(kept.samples_sha256 or "", "int64").tolist() == [7, -9, 2**40]
    with store.database.reading() as link:
        assert link.ask("SELECT count(*) AS n FROM samples") == [{"n": 1}]
    with pytest.raises(EvidenceFault, match="no samples 00"):
        store.samples("00", "int64")


def test_an_ingest_that_fails_leaves_nothing(store: Store) -> None:
    store.ingest(night(1, [measured(1)]))
    broken = night(1, [measured(2)], environment={"key": object()})
    with pytest.raises(TypeError):
        store.ingest(broken)
    broken = night(2, [measured(2, n=2**70)])
    with pytest.raises((EvidenceFault, OverflowError)):
        store.ingest(broken)
    assert (store.count(), [p.value for p in store.series(key())]) == (1, [1])


def test_a_store_is_asked_from_several_threads(store: Store) -> None:
    store.ingest(night(0, [measured(1)]))
    found: list[int] = []

    def ask() -> None:
        found.extend(len(store.series(key())) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [1] * 80


def test_eight_processes_write_at_once(where: str) -> None:
    """Nobody made the tables before: the first of them does, and the others wait."""

    def work(name: int) -> None:
        with open_store(where) as store:
            for number in range(RUNS_EACH):
                run = night(name * RUNS_EACH + number, [measured(number)], [case(Outcome.PASS)])
                store.ingest(run)
                store.save_alert(alert(id=f"{name}"))
                assert store.series(key())

    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(name,)) for name in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * WRITERS
    with open_store(where) as store:
        assert store.count() == len(store.series(key())) == WRITERS * RUNS_EACH
        assert len(store.alerts()) == WRITERS


def test_what_a_row_holds_is_json(store: Store) -> None:
    """Another program can read the tables."""
    store.ingest(night(1, [measured(1)]))
    with store.database.reading() as link:
        (row,) = link.ask("SELECT environment, bundled, stamp FROM runs")
        (taken,) = link.ask("SELECT context FROM taken")
    assert json.loads(row["environment"]) == {"host": "bench-1"}
    assert (row["bundled"], row["stamp"]) == (0, "")
    assert json.loads(taken["context"]) == stored_runs.CONTEXT
