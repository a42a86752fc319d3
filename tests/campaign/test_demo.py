# SPDX-License-Identifier: MIT
"""The made-up year: the same for the same seed, true to its truth, and found out by the rig's own watch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from rig.campaign.demo import Year, last_night
from rig.campaign.demo_year import BOARDS, EVENTS, MISSED, NIGHTS, figures, level, noisy
from rig.cli import main
from rig.evidence.alerts import Alert
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run

LAST = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def walked() -> tuple[Year, list[Run]]:
    """A whole year, in memory."""
    year = Year(1, LAST, Path("demo"))
    return year, list(year.runs())


def alerts_of(year: Year, board: str, name: str) -> list[Alert]:
    """What was ever confirmed of a figure, by the run it began with."""
    about = [a for a in year.alerts.values() if (a.key.board, a.key.name) == (board, name) and not a.dropped]
    return sorted(about, key=lambda alert: alert.since_run)


def night_of(year: Year, alert: Alert) -> int:
    at = datetime.strptime(alert.since_run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return (at - year.begin(0)).days


def test_a_year_has_its_nights_and_its_series(walked: tuple[Year, list[Run]]) -> None:
    year, runs = walked
    nights = [run for run in runs if len(run.boards) == len(BOARDS) and len(run.measurements) > 100]
    assert len(nights) == NIGHTS - len(MISSED)
    assert len(year.points) == len(figures()) == 200
    assert [run.started_utc for run in runs] == sorted(run.started_utc for run in runs)
    assert len({run.run_id for run in runs}) == len(runs)


def test_the_same_seed_is_the_same_year(walked: tuple[Year, list[Run]]) -> None:
    _, runs = walked
    again = Year(1, LAST, Path("demo")).runs()
    for _, run in zip(range(20), again, strict=False):
        assert run == runs[[r.run_id for r in runs].index(run.run_id)]
    assert next(Year(2, LAST, Path("demo")).runs()).measurements != runs[0].measurements


@pytest.mark.parametrize("event", [e for e in EVENTS if e.what in ("step", "exact")], ids=lambda e: e.name)
def test_what_happened_is_found_when_it_happened(event: object, walked: tuple[Year, list[Run]]) -> None:
    year, _ = walked
    (meant,) = [e for e in EVENTS if e is event]
    found = alerts_of(year, meant.board, meant.name)
    assert any(
        abs(night_of(year, alert) - meant.night) <= (0 if meant.what == "exact" else 3) for alert in found
    )


def test_drift_is_found_and_called_so(walked: tuple[Year, list[Run]]) -> None:
    found = alerts_of(walked[0], "h743-01", "boot.ready_time")
    assert "drift" in {alert.kind for alert in found}


def test_people_answered_and_something_is_open(walked: tuple[Year, list[Run]]) -> None:
    year, _ = walked
    states = {(a.key.name, a.state) for a in year.alerts.values() if not a.dropped}
    assert ("sched.yield.peer", "expected") in states
    assert ("queue.send", "fixed") in states
    assert ("heap.used.idle", "acknowledged") in states
    assert ("queue.recv", "confirmed") in states
    assert ("mutex.lock", "suspected") in states
    assert all(a.reason and a.author for a in year.alerts.values() if a.state in ("acknowledged", "expected"))


def test_nothing_is_confirmed_of_what_nothing_happened_to(walked: tuple[Year, list[Run]]) -> None:
    year, _ = walked
    touched = {(e.board, e.name) for e in EVENTS}
    false = [
        a for a in year.alerts.values() if a.state == "confirmed" and (a.key.board, a.key.name) not in touched
    ]
    assert len(false) <= 1


def test_flaky_cases_and_missed_limits_are_in_it(walked: tuple[Year, list[Run]]) -> None:
    _, runs = walked
    cases = [case for run in runs for case in run.cases]
    assert any(case.unstable and case.attempt == 2 for case in cases)
    failed = {
        case.case for case in cases if case.outcome is Outcome.FAIL and not case.reason.startswith("no")
    }
    assert failed == {"dns_resolve"}


def test_noise_is_as_it_says() -> None:
    import random
    from statistics import median, stdev

    dice = random.Random(4)
    plain = [noisy(dice, 100, 0.02, 0) for _ in range(4000)]
    assert median(plain) == pytest.approx(100, rel=0.002)
    assert stdev(plain) == pytest.approx(2, rel=0.05)
    spiked = sum(x > 115 for x in (noisy(dice, 100, 0.02) for _ in range(10_000)))
    assert spiked == pytest.approx(300, rel=0.2)


def test_an_exact_series_never_varies_but_by_its_truth(walked: tuple[Year, list[Run]]) -> None:
    year, _ = walked
    exact = [key for key, points in year.points.items() if points[0].exact]
    assert len(exact) == 2 * 45 + 2 * 4  # emulated boards without their latencies; bytes of the others
    of = {(f.board, f.name): f for f in figures()}
    for key in exact:
        figure = of[key.board, key.name]
        for point in year.points[key]:
            night = (point.started_utc - year.begin(0)).days
            assert point.value == level(figure, night)[0]


@pytest.mark.slow
def test_rig_demo_makes_a_store_that_alerts_can_be_listed_of(tmp_path: Path) -> None:
    place = tmp_path / "year"
    made = CliRunner().invoke(main, ["demo", str(place), "--until", "2026-03-01"])
    assert made.exit_code == 0, made.output
    assert "of 200 series" in made.output
    truth = json.loads((place / "truth.json").read_text())
    assert len(truth["events"]) == len(EVENTS)
    listed = CliRunner().invoke(main, ["alerts", "list", "--store", str(place), "--json"])
    assert "confirmed" in {alert["state"] for alert in json.loads(listed.stdout)}
    again = CliRunner().invoke(main, ["demo", str(place)])
    assert again.exit_code == 2
    assert "is not empty" in again.stderr


def test_the_last_night_is_over() -> None:
    assert last_night(datetime(2026, 3, 1, 12, tzinfo=UTC)) == LAST
    assert last_night(datetime(2026, 3, 1, 2, tzinfo=UTC)).day == 28
