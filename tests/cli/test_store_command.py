# SPDX-License-Identifier: MIT
"""``rig store``: what is said, what goes to which stream, exit codes, and what JSON promises."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.evidence.reader import load_run
from rig.evidence.store import open_store
from tests.evidence import bundles, stored_runs


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``runs`` of the current folder, with two runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIG_STORE", raising=False)
    for n in (1, 2):
        bundles.small_run(tmp_path / "runs", [n, n, n])
    return tmp_path / "runs"


def store(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["store", *map(str, args)])


def as_json(*args: str | Path, code: int = 0) -> Any:
    result = store(*args, "--json")
    assert result.exit_code == code, result.stderr
    return json.loads(result.stdout)


def alter(run: Path) -> None:
    next((run / "samples").iterdir()).write_bytes(b"\x1b[2J")


def test_runs_are_taken_in_once() -> None:
    assert store("ingest").stdout == "2 runs taken in, 0 unchanged, 0 refused\n"
    assert store("ingest", "runs").stdout == "0 runs taken in, 2 unchanged, 0 refused\n"


def test_a_damaged_bundle_is_named_and_the_others_are_taken_in(runs: Path) -> None:
    bad, good = sorted(runs.iterdir())
    alter(bad)
    result = store("ingest")
    assert result.exit_code == 3
    assert result.stdout == "1 run taken in, 0 unchanged, 1 refused\n"
    assert f"refused {bad.resolve()}: samples are damaged" in result.stderr
    said = as_json("ingest", code=3)
    assert (said["taken"], said["unchanged"]) == ([], [good.name])
    assert [Path(refused["path"]).name for refused in said["refused"]] == [bad.name]


def test_the_store_is_named_by_an_option_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(as_json("ingest", "--store", "one.sqlite")["taken"]) == 2
    monkeypatch.setenv("RIG_STORE", str(tmp_path / "two.sqlite"))
    assert len(as_json("ingest")["taken"]) == 2
    assert not (tmp_path / "runs" / "index.sqlite").exists()


def test_a_server_that_is_away_is_said_and_the_exit_code_is_three(tmp_path: Path) -> None:
    result = store("ingest", "--store", f"postgresql://rig:s3cret@/rig?host={tmp_path}")
    assert result.exit_code == 3
    assert "the store cannot be reached" in result.stderr
    assert "'rig store ingest' brings in later what it missed" in result.stderr
    assert "s3cret" not in result.stderr + result.stdout


@pytest.mark.parametrize("args", [("ingest", "none"), ("ingest", "--store", "postgresql://h:p:q/?x")])
def test_wrong_usage(args: tuple[str, ...]) -> None:
    result = store(*args)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_damaged_store_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "one.sqlite").write_bytes(b"noise" * 999)
    refused = store("ingest", "--store", "one.sqlite")
    assert refused.exit_code == 3
    assert "'rig store rebuild' makes it again" in refused.stderr
    assert store("rebuild", "--store", "one.sqlite").stdout == "2 runs taken in, 0 unchanged, 0 refused\n"
    assert as_json("ingest", "--store", "one.sqlite")["taken"] == []


def test_pruning_says_what_goes(runs: Path) -> None:
    with open_store(runs) as opened:
        opened.ingest(stored_runs.night(1, [stored_runs.measured(1)]))
    store("ingest")
    dry = as_json("prune", "--samples", "0", "--dry-run")
    assert (dry["series"], dry["runs"], dry["dry_run"]) == (2, [], True)
    assert as_json("prune")["series"] == 0
    assert store("prune", "--samples", "0").stdout.startswith("gone: 2 series of samples (0.0 MB), 0 runs")
    assert as_json("prune", "--runs", "1")["runs"] == [stored_runs.night(1).run_id]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_of_all_runs(runs: Path, tmp_path: Path) -> None:
    store("ingest")
    result = store("export", "tables")
    assert result.stdout == "tables/cases.csv\ntables/measurements.csv\n"
    rows = table(tmp_path / "tables" / "measurements.csv")
    oldest_first = sorted(map(load_run, runs.glob("*Z-*")), key=lambda run: run.started_utc)
    expected = [m.p50 for run in oldest_first for m in run.measurements]
    assert [float(row["p50"]) for row in rows] == expected
    assert len({row["run_id"] for row in table(tmp_path / "tables" / "cases.csv")}) == 2
    assert as_json("export", "more", "--format", "parquet")["files"][1] == "more/measurements.parquet"


def test_tables_of_one_board_and_of_some_days(runs: Path, tmp_path: Path) -> None:
    store("ingest")
    both = [stored_runs.board(), stored_runs.board("other")]
    of_other = stored_runs.measured(5, board="other")
    with open_store(runs) as opened:
        opened.ingest(stored_runs.night(1, [stored_runs.measured(1), of_other], boards=both))
    store("export", "tables", "--board", "other")
    (row,) = table(tmp_path / "tables" / "measurements.csv")
    assert (row["board"], row["p50"], row["dut"]) == ("other", "5.0", "SN-other")
    store("export", "tables", "--days", "1")
    assert stored_runs.night(1).run_id not in (tmp_path / "tables" / "cases.csv").read_text()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file")
    store("ingest")
    result = store("export", "tables")
    assert result.exit_code in (2, 3)
    assert "tables" in result.stderr
