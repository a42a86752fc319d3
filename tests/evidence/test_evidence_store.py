# SPDX-License-Identifier: MIT
"""The index of runs: finding, trends, many writers at once, and an index that is gone or damaged."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.errors import EvidenceFault, UsageFault
from rig.evidence.measurement import Outcome
from rig.evidence.reader import load_run
from rig.evidence.store import find_run, index_run, latest, list_runs, open_store, rebuild, refresh, trend

if TYPE_CHECKING:
    from tests.evidence import bundles
else:
    import bundles

TREND = ("mps2", "kernel", "test_yield", "kernel.yield")


def rename(run: Path, run_id: str) -> Path:
    """Gives a run another id, as if made then."""
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**header, "run_id": run_id}))
    return run.rename(run.with_name(run_id))


def three_runs(runs_dir: Path) -> list[Path]:
    ids = ["20260101T000000Z-aaaa", "20260102T000000Z-bbbb", "20260102T000000Z-cccc"]
    return [rename(bundles.small_run(runs_dir, [n, n, n]), run_id) for n, run_id in enumerate(ids, 100)]


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    three_runs(tmp_path)
    runs = list_runs(tmp_path)
    assert [run.run_id[-4:] for run in runs] == ["cccc", "bbbb", "aaaa"]
    assert (runs[0].outcome, runs[0].complete, runs[0].boards) == (Outcome.PASS, True, ("mps2",))
    assert runs[0].operator == "ada"
    assert len(list_runs(tmp_path, limit=1)) == 1
    assert list_runs(tmp_path / "none") == []


@pytest.mark.parametrize("wanted", ["latest", "20260102T000000Z-c", "cccc"])
def test_a_run_is_found(tmp_path: Path, wanted: str) -> None:
    paths = three_runs(tmp_path)
    assert find_run(tmp_path, wanted) == paths[2] == latest(tmp_path)
    assert find_run(tmp_path, str(paths[0])) == paths[0]


def test_a_run_that_is_not_meant_by_one_name(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="there are no runs in"):
        find_run(tmp_path)
    three_runs(tmp_path)
    with pytest.raises(UsageFault, match=r"'20260102' means 2 runs: there are \S+cccc, \S+bbbb$"):
        find_run(tmp_path, "20260102")
    with pytest.raises(UsageFault, match=r"no run 'zz' in .*: there are \S+cccc, \S+bbbb, \S+aaaa$"):
        find_run(tmp_path, "zz")


def test_trend_over_runs(tmp_path: Path) -> None:
    three_runs(tmp_path)
    points = trend(tmp_path, *TREND)
    assert [(point.value, point.n, point.outcome) for point in points] == [
        (100, 3, Outcome.PASS),
        (101, 3, Outcome.PASS),
        (102, 3, Outcome.PASS),
    ]
    assert points[0].image_sha256 == "ab" * 32
    assert [p.value for p in trend(tmp_path, *TREND, statistic="max")] == [100, 101, 102]
    assert trend(tmp_path, "other", *TREND[1:]) == []
    with pytest.raises(ValueError, match="unknown statistic"):
        trend(tmp_path, *TREND, statistic="p50; DROP TABLE runs")


def test_series_come_back_from_the_index(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path, [7, -9, 2**40]))
    index_run(run)
    shutil.rmtree(run.path / "samples")
    kept = run.measurements[0]
    with open_store(tmp_path) as store:
        found = store.samples(kept.samples_sha256 or "", kept.samples_dtype or "")
        assert found.tolist() == [7, -9, 2**40]
        with pytest.raises(EvidenceFault, match="no samples 00"):
            store.samples("00", "int64")


def test_indexing_twice_is_once(tmp_path: Path) -> None:
    run = load_run(bundles.small_run(tmp_path))
    index_run(run)
    index_run(run)
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("runs", "measurements")
        ]
    connection.close()
    assert counts == [1, 2]


def test_nan_and_broken_text_are_taken(tmp_path: Path) -> None:
    with bundles.recorder(tmp_path) as run:
        run.case_started(*bundles.CASE)
        run.measurement(*bundles.CASE, bundles.YIELD, samples=[float("nan")])
        run.case_finished(*bundles.CASE, Outcome.FAIL, "last line '\udcff'")
    index_run(load_run(run.path))
    assert list_runs(tmp_path)[0].outcome is Outcome.FAIL
    assert str(trend(tmp_path, *TREND)[0].value) == "nan"


def test_new_grown_and_vanished_bundles_are_noticed(tmp_path: Path) -> None:
    run = bundles.recorder(tmp_path)
    assert [(r.complete, r.outcome) for r in list_runs(tmp_path)] == [(False, Outcome.ERROR)]
    run.case_started(*bundles.CASE)
    run.case_finished(*bundles.CASE, Outcome.PASS)
    run.finish()
    assert [(r.complete, r.outcome) for r in list_runs(tmp_path)] == [(True, Outcome.PASS)]
    shutil.rmtree(run.path)
    assert list_runs(tmp_path) == []


def old_index(path: Path) -> None:
    """The index as rigs before the store made it: version 1, some of its tables, a run that is no more."""
    connection = sqlite3.connect(path)
    connection.executescript("""
      CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, complete INTEGER NOT NULL, started_utc TEXT NOT NULL,
        duration_s REAL, operator TEXT, environment TEXT NOT NULL, stamp TEXT NOT NULL);
      INSERT INTO runs VALUES (
        '20250101T000000Z-dddd', 'PASS', 1, '2025-01-01T00:00:00+00:00', 1.0, NULL, '{}', '5:5');
      CREATE TABLE series (
        sha256 TEXT NOT NULL, dtype TEXT NOT NULL, n INTEGER NOT NULL, zlib BLOB NOT NULL,
        PRIMARY KEY (sha256, dtype)) WITHOUT ROWID;
      PRAGMA user_version = 1;""")
    connection.close()


@pytest.mark.parametrize("damage", ["deleted", "empty", "noise", "torn", "older rig"])
def test_an_index_that_is_gone_or_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    paths = three_runs(tmp_path)
    rebuild(tmp_path)
    index = tmp_path / "index.sqlite"
    whole = index.read_bytes()
    if damage == "deleted":
        index.unlink()
    elif damage == "older rig":
        index.unlink()
        old_index(index)
    else:
        index.write_bytes(
            {"empty": b"", "noise": b"noise" * 999, "torn": whole[:4096] + b"\xff" * 30000}[damage]
        )
    index_run(load_run(paths[1]))
    assert len(list_runs(tmp_path)) == 3
    assert len(trend(tmp_path, *TREND)) == 3


def test_damage_that_only_a_query_sees(tmp_path: Path) -> None:
    three_runs(tmp_path)
    rebuild(tmp_path)
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'measurements'").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with (tmp_path / "index.sqlite").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert len(trend(tmp_path, *TREND)) == 3


def test_a_header_of_nonsense_keeps_nobody_from_the_other_runs(tmp_path: Path) -> None:
    paths = three_runs(tmp_path)
    header = json.loads((paths[0] / "run.json").read_text())
    (paths[0] / "run.json").write_text(json.dumps({**header, "started_utc": ["yesterday"]}))
    assert [run.run_id for run in list_runs(tmp_path)] == [path.name for path in paths[:0:-1]]


def test_a_bundle_that_takes_another_ones_place_is_the_one_that_counts(tmp_path: Path) -> None:
    first = bundles.small_run(tmp_path, [1])
    assert [point.value for point in trend(tmp_path, *TREND)] == [1]
    name = first.name
    shutil.rmtree(first)
    rename(bundles.small_run(tmp_path, [2, 2, 2, 2]), name)
    assert [point.value for point in trend(tmp_path, *TREND)] == [2]


def test_a_folder_that_was_moved(tmp_path: Path) -> None:
    three_runs(tmp_path / "old")
    assert len(list_runs(tmp_path / "old")) == 3
    moved = (tmp_path / "old").rename(tmp_path / "new")
    assert {run.path.parent for run in list_runs(moved)} == {moved}
    with open_store(moved) as store:
        assert {run.path.parent for run in store.runs()} == {moved}


def test_a_bundle_that_cannot_be_read_is_said_and_left_out(tmp_path: Path) -> None:
    paths = three_runs(tmp_path)
    (paths[0] / "journal.jsonl").write_bytes(b"")
    (paths[0] / "run.json").write_bytes(b"{}")
    (paths[1] / "samples" / "x").write_bytes(b"")
    assert len(rebuild(tmp_path)) == 1
    assert len(refresh(tmp_path)) == 1
    assert len(list_runs(tmp_path)) == 2


def test_eight_writers_at_once(tmp_path: Path) -> None:
    def work(name: int) -> None:
        for number in range(4):
            index_run(load_run(bundles.small_run(tmp_path, [name, number])))
            list_runs(tmp_path)

    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(name,)) for name in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 8
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == 32
    assert connection.execute("SELECT count(*) FROM samples").fetchone()[0] == 32
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
    before = len(list_runs(tmp_path))
    rebuild(tmp_path)
    assert len(list_runs(tmp_path)) == before == 32
