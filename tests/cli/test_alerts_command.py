# SPDX-License-Identifier: MIT
"""``rig alerts`` and ``rig baseline`` on a store of real runs: what they print, keep and refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rig.cli import main
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.store import open_store

FIRST = datetime(2025, 1, 1, 1, tzinfo=UTC)
CASE = ("mps2", "kernel", "benchmark[queue.send]")


def run_of(folder: Path, night: int, value: float, nth: int = 0) -> Run:
    """A night's run of one exact figure, as the store takes it in; each night has its own image."""
    at = FIRST + timedelta(days=night, minutes=10 * nth)
    run_id = f"{at:%Y%m%dT%H%M%SZ}-{night:04x}"
    board = BoardResult("mps2", Outcome.PASS, "EMU-1", f"{night:064x}", {"emulated": True}, None)
    case = CaseResult(*CASE, 1, Outcome.PASS, "", False, 0, 0.1, {})
    figures: dict[str, Any] = dict.fromkeys(("min", "mean", "p50", "p90", "p99", "p999", "max"), value)
    none: dict[str, Any] = dict.fromkeys(
        ("lower", "upper", "limit_origin", "limit_at", "outcome", "samples_sha256")
    )
    place: dict[str, Any] = dict(zip(("board", "suite", "case"), CASE, strict=True))
    measured = MeasurementResult(
        **place, **figures, **none, attempt=1, name="queue.send", unit="instructions", n=100, sd=0.0,
        provisional=False, marginal=False, context={"clock": "exact"}, statistic="p50",
    )  # fmt: skip
    return Run(
        run_id, folder / run_id, Outcome.PASS, True, at, 1.0, "ada", {}, (board,), (case,), (measured,), ()
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store of five nights, one instruction more in the last."""
    path = tmp_path / "store.sqlite"
    with open_store(path) as store:
        for night, value in enumerate((98, 98, 98, 98, 99)):
            store.ingest(run_of(tmp_path, night, value))
    return path


def rig(place: Path, *args: str) -> Result:
    return CliRunner().invoke(main, [*args, "--store", str(place)])


def said(place: Path, *args: str) -> Any:
    result = rig(place, *args, "--json")
    assert result.exit_code in (0, 4), result.output
    return json.loads(result.stdout)


def run_again(place: Path, value: float = 99) -> None:
    with open_store(place) as store:
        for nth in (1, 2):
            store.ingest(run_of(place.parent, 4, value, nth))


def confirmed(place: Path) -> str:
    """Walks the store until the one alert is confirmed; its id."""
    rig(place, "alerts", "watch")
    run_again(place)
    rig(place, "alerts", "watch")
    (alert,) = said(place, "alerts", "list")
    assert alert["state"] == "confirmed"
    return str(alert["id"])


def test_from_suspected_to_confirmed(place: Path) -> None:
    first = rig(place, "alerts", "watch")
    assert first.exit_code == 0
    assert "suspected" in first.stdout
    assert "run again: mps2 kernel/benchmark[queue.send], 2 times with image 000000000000" in first.stdout
    run_again(place)
    second = rig(place, "alerts", "watch")
    assert second.exit_code == 4
    assert "confirmed" in second.stdout
    assert "bisect: mps2 queue.send between" in second.stdout
    third = rig(place, "alerts", "watch")
    assert (third.exit_code, third.stdout.splitlines()[0]) == (4, "nothing new in 1 series")


def test_what_the_re_run_does_not_show_is_dropped(place: Path) -> None:
    rig(place, "alerts", "watch")
    run_again(place, 98)
    assert rig(place, "alerts", "watch").exit_code == 0
    assert said(place, "alerts", "list") == []
    (alert,) = said(place, "alerts", "list", "--state", "all")
    assert (alert["dropped"], alert["state"]) == (True, "fixed")
    assert "dropped" in rig(place, "alerts", "list", "--state", "all").stdout


def test_an_expected_change_is_quiet_and_has_a_baseline(place: Path) -> None:
    alert_id = confirmed(place)
    result = rig(place, "alerts", "expect", alert_id[:5], "--author", "ada", "--reason", "an assertion more")
    assert result.stdout == f"{alert_id} is expected; baseline 'expected {alert_id}' version 1\n"
    assert rig(place, "alerts", "watch").exit_code == 0
    (baseline,) = said(place, "baseline", "list")
    assert (baseline["author"], baseline["reason"], baseline["key"]["name"]) == (
        "ada", "an assertion more", "queue.send",
    )  # fmt: skip
    again = rig(place, "alerts", "expect", alert_id, "--author", "ada", "--reason", "twice")
    assert again.exit_code == 2
    assert "that is its end" in again.stderr


def test_acknowledged_stays_open_and_ends_no_night_with_four(place: Path) -> None:
    alert_id = confirmed(place)
    assert (
        rig(place, "alerts", "ack", alert_id, "--reason", "known").stdout == f"{alert_id} is acknowledged\n"
    )
    (alert,) = said(place, "alerts", "list")
    assert (alert["state"], alert["reason"]) == ("acknowledged", "known")
    assert alert["author"]
    assert rig(place, "alerts", "watch").exit_code == 0
    assert rig(place, "alerts", "fix", alert_id, "--reason", "reverted").exit_code == 0
    assert said(place, "alerts", "list") == []


def test_a_reason_is_obligatory(place: Path) -> None:
    alert_id = confirmed(place)
    for command in ("ack", "fix", "expect"):
        missing = rig(place, "alerts", command, alert_id)
        assert missing.exit_code == 2
        assert "--reason" in missing.stderr
        empty = rig(place, "alerts", command, alert_id, "--reason", " ")
        assert (empty.exit_code, empty.stderr) == (2, "rig: this needs a reason\n")


def test_an_unknown_alert_lists_those_there_are(place: Path) -> None:
    alert_id = confirmed(place)
    result = rig(place, "alerts", "ack", "zz", "--reason", "x")
    assert (result.exit_code, result.stderr) == (2, f"rig: no alert 'zz': there are {alert_id}\n")


def test_a_baseline_of_a_board_has_versions(place: Path) -> None:
    for version in (1, 2):
        result = rig(
            place, "baseline", "set", "release", "--board", "mps2", "--reason", "V11", "--author", "ada"
        )
        assert result.exit_code == 0, result.output
        assert f"baseline 'release' version {version}: mps2 from run 20250105" in result.stdout
    assert rig(place, "alerts", "watch").exit_code == 0
    assert said(place, "alerts", "list") == []
    assert [b["version"] for b in said(place, "baseline", "list")] == [1, 2]


@pytest.mark.parametrize(("args", "text"), [
    (("release", "--board", "nobody"), "no run of board 'nobody' in the store; it has runs of mps2"),
    (("release", "2025", "--board", "mps2"), "'2025' means 5 runs of mps2; the newest is 20250105"),
    (("release", "1999", "--board", "mps2"), "'1999' means 0 runs of mps2"),
])  # fmt: skip
def test_a_baseline_needs_one_run(place: Path, args: tuple[str, ...], text: str) -> None:
    result = rig(place, "baseline", "set", *args, "--reason", "x")
    assert result.exit_code == 2
    assert text in result.stderr


def test_an_empty_store(tmp_path: Path) -> None:
    place = tmp_path / "new.sqlite"
    assert rig(place, "alerts", "list").stdout == "no alerts (open)\n"
    assert rig(place, "baseline", "list").stdout == "no baselines\n"
    assert rig(place, "alerts", "watch").stdout == "nothing new in 0 series\n"
