# SPDX-License-Identifier: MIT
"""``rig compare``: which runs are meant, what goes to which stream, the exit code, and what JSON promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.evidence.bundle import series_path
from rig.evidence.reader import load_run
from tests.evidence.paired_runs import Taken, made

PATTERN = [98, 98, 120, 98, 131, 98] * 20
KEYS = ("board", "suite", "case", "name", "unit", "before", "after", "delta", "interval", "verdict")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``runs`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path("runs")


def rows(more: int = 0, **others: Taken) -> dict[str, Taken]:
    return {
        "yield": Taken(samples=[value + more for value in PATTERN]),
        "give": Taken(samples=[31] * 90),
        "heap.free": Taken(unit="B", value=4096),
        **others,
    }


def compare(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, args)])


def as_json(*args: str | Path) -> dict[str, Any]:
    result = compare(*args, "--json")
    assert result.exit_code in (0, 3, 4), result.stderr
    said: dict[str, Any] = json.loads(result.stdout)
    assert said["exit_code"] == result.exit_code
    return said


def test_a_regression_ends_with_four_and_stands_first(runs: Path) -> None:
    first, second = made(runs, rows()), made(runs, rows(1), image="bb")
    result = compare(first.name, second.name.rpartition("-")[2])
    assert result.exit_code == 4
    assert result.stdout.startswith("REGRESSED: 1 figure of mps2 got worse.\n")
    assert "and 2 unchanged (--all shows them)" in result.stdout.splitlines()[-1]
    assert "give" not in result.stdout


def test_the_latest_run_is_meant_where_the_second_is_left_out(runs: Path) -> None:
    only = made(runs, rows())
    said = as_json(only.name)
    assert (said["run_a"]["run_id"], said["run_b"]["run_id"]) == (only.name, only.name)
    assert (said["changes"], said["exit_code"]) == ([], 0)


def test_all_unfolds_what_did_not_change(runs: Path) -> None:
    first, second = made(runs, rows()), made(runs, rows())
    result = compare(first, second, "--all")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines() if line.startswith("unchanged ")] == [
        ["unchanged", "yield"], ["unchanged", "give"], ["unchanged", "heap.free"],
    ]  # fmt: skip
    assert result.stdout.splitlines()[-1] == "3 unchanged"


def test_json_has_the_promised_keys(runs: Path) -> None:
    first = made(runs, rows(old=Taken(samples=[5] * 9)))
    second = made(runs, rows(1, **{"new": Taken(value=3.0)}), image="bb")
    said = as_json(first, second)
    assert list(said)[:2] == ["changes", "regressed"]
    assert said["regressed"] is True
    assert all(tuple(row)[: len(KEYS)] == KEYS for row in said["changes"])
    by_name = {row["name"]: row for row in said["changes"]}
    assert {name: row["verdict"] for name, row in by_name.items()} == {
        "yield": "regressed", "old": "gone", "new": "new",
    }  # fmt: skip
    row = by_name["yield"]
    assert [row[key] for key in ("before", "after", "delta", "interval", "noise_floor")] == [
        98,
        99,
        1,
        [1, 1],
        0,
    ]
    assert by_name["old"]["before"] is None
    assert (said["run_a"]["run_id"], said["run_b"]["run_id"]) == (first.name, second.name)
    assert len(as_json(first, second, "--all")["changes"]) == 5


def test_json_of_noisy_rows_says_how_sure_it_is(runs: Path) -> None:
    before = made(runs, {"m": Taken(unit="ns", samples=[1000, 1040] * 100)}, clock="hardware")
    after = made(runs, {"m": Taken(unit="ns", samples=[1200, 1240] * 100)}, clock="hardware", image="bb")
    (row,) = as_json(before, after)["changes"]
    assert (row["verdict"], row["delta"], row["exact"]) == ("regressed", 200, False)
    assert row["interval"][0] <= 200 <= row["interval"][1]
    assert row["p_value"] < 0.001
    assert row["rank_effect"] == 1
    assert row["noise_source"] == "within the runs"


def test_earlier_runs_of_the_same_image_give_the_noise_floor(runs: Path) -> None:
    def measured(middle: int, image: str) -> Path:
        return made(
            runs, {"m": Taken(unit="ns", samples=[middle, middle + 40] * 50)}, clock="hardware", image=image
        )

    for middle in (1000, 1160):
        measured(middle, "aa")
    before, after = measured(1080, "aa"), measured(1200, "bb")
    (row,) = as_json(before, after, "--all")["changes"]
    assert (row["noise_floor"], row["noise_source"]) == (160, "2 earlier runs of the same image")
    assert row["verdict"] == "unchanged"
    (row,) = as_json(before, measured(1400, "cc"))["changes"]
    assert (row["verdict"], row["noise_floor"]) == ("regressed", 160)


def test_an_exact_series_that_moves_by_itself_is_no_regression(runs: Path) -> None:
    """Runs of the same image that differ on the exact clock: the promise is broken, and it is said."""
    made(runs, {"m": Taken(samples=[7] * 20)})
    before, after = (
        made(runs, {"m": Taken(samples=[9] * 20)}),
        made(runs, {"m": Taken(samples=[8] * 20)}, image="bb"),
    )
    (row,) = as_json(before, after, "--all")["changes"]
    assert (row["verdict"], row["noise_floor"]) == ("unchanged", 2)
    assert "not deterministic" in row["note"]


def test_contexts_that_differ_are_named_with_the_way_across(runs: Path) -> None:
    first = made(runs, {"m": Taken(samples=[5] * 9)})
    second = made(runs, {"m": Taken(samples=[6] * 9, context={"flags": "bb22", "opt": "O0"})}, image="bb")
    result = compare(first, second)
    assert result.exit_code == 3
    assert "mps2  flags aa11 → bb22, opt – → O0: 1 figure: m" in result.stdout
    assert "--across flags --across opt" in result.stdout
    assert "Nothing could be compared." in result.stdout
    across = compare(first, second, "--across", "flags", "--across", "opt")
    assert across.exit_code == 4
    assert "compared across flags, opt: flags aa11 → bb22, opt – → O0" in across.stdout


def test_a_run_that_is_cut_off_is_said_on_both_streams(runs: Path) -> None:
    first, second = made(runs, rows()), made(runs, rows(), cut_off=True)
    result = compare(first, second)
    assert result.exit_code == 0
    assert f"run {second.name} is incomplete: the run was cut off" in result.stderr
    assert f"{second.name} is incomplete, rows may be missing" in result.stdout
    assert as_json(first, second)["run_b"]["complete"] is False


def test_damaged_samples_are_named(runs: Path) -> None:
    first, second = made(runs, rows()), made(runs, rows(1), image="bb")
    sha256 = load_run(second).measurements[0].samples_sha256 or ""
    series_path(second, sha256).unlink()
    said = as_json(first, second)
    assert [row["name"] for row in said["incomparable"]] == ["yield"]
    assert "samples cannot be read" in said["incomparable"][0]["note"]


@pytest.mark.parametrize("more", [(), ("--json",), ("--all",)])
def test_output_goes_to_a_file(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    first, file = made(runs, rows()), tmp_path / "said"
    shown = compare(first, first, *more)
    written = compare(first, first, *more, "--output", file)
    assert (written.exit_code, written.stdout) == (0, f"{file}\n")
    assert file.read_text().split() == shown.stdout.split()


def test_no_such_run(runs: Path) -> None:
    made(runs, rows())
    result = compare("20990101T000000Z-ffff")
    assert result.exit_code == 2
    assert "no run '20990101T000000Z-ffff' in runs" in result.stderr


def test_run_names_are_completed(runs: Path) -> None:
    from click.shell_completion import ShellComplete

    path = made(runs, rows())
    complete = ShellComplete(main, {}, "rig", "_RIG_COMPLETE")
    for words in (["compare"], ["compare", "latest"]):
        assert {item.value for item in complete.get_completions(words, "")} == {"latest", path.name}


def test_a_file_that_ends_in_html_is_a_page(runs: Path, tmp_path: Path) -> None:
    first, second = made(runs, rows()), made(runs, rows(1), image="bb")
    result = compare(first, second, "--output", tmp_path / "page.html")
    assert result.exit_code == 4
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
