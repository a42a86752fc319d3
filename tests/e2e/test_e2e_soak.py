# SPDX-License-Identifier: MIT
"""A short soak on the emulated board, and the second attempts of a case that is not good."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from tests.e2e.bench_place import BenchPlace, cases_of

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


def test_a_soak_is_judged_by_what_has_moved(place: BenchPlace) -> None:
    done = place.start("qualify", "--suite", "soak", "--soak-minutes", "0.5").finish(600)
    assert done.code == 0, done.out + done.err
    run = place.run()
    cases = cases_of(run)
    assert cases["mixed_load[plain]"].outcome is Outcome.SKIPPED
    soak = cases["mixed_load_with_updates"]
    figures = {m.name: m for m in run.measurements}
    assert set(figures) == {
        f"soak.{name}"
        for name in ("heap.lost", "stacks.deeper", "kernel.slower", "mqtt.slower", "tick.behind")
    }
    judged = [m for name, m in figures.items() if name != "soak.tick.behind"]
    assert all(m.outcome is Outcome.PASS and m.limit_at for m in judged)
    with soak.artifacts["soak.csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == int(str(figures["soak.heap.lost"].context["turns"])) >= 16
    assert float(rows[-1]["hours"]) >= 0.5 / 60
    assert len({row["heap"] for row in rows[len(rows) // 2 :]}) == 1


SHAKY = """
from pathlib import Path

def test_shaky(console, measure):
    figure = measure.declare("shaky.value", "1")
    measure.artifact("note.txt", b"of this attempt")
    seen = Path("seen")
    figure.value(float(seen.exists()))
    if not seen.exists():
        seen.touch()
        raise AssertionError("the first time")

def test_bad(console):
    assert console is None

def test_good(console):
    assert console is not None
"""


def test_a_pass_on_a_second_attempt_is_unstable(place: BenchPlace) -> None:
    done = place.pytest(place.suite("shaky", SHAKY), "--attempts", "2")
    assert done.code == 1, done.out
    run = place.run()
    told = [(case.case, case.attempt, case.outcome, case.unstable) for case in run.cases]
    assert told == [
        ("shaky", 1, Outcome.FAIL, False),
        ("shaky", 2, Outcome.PASS, True),
        ("bad", 1, Outcome.FAIL, False),
        ("bad", 2, Outcome.FAIL, False),
        ("good", 1, Outcome.PASS, False),
    ]
    assert [m.mean for m in run.measurements] == [0, 1]
    notes = [case.artifacts["note.txt"] for case in run.cases if case.case == "shaky"]
    assert len(set(notes)) == 2
    assert all(path.read_bytes() == b"of this attempt" for path in notes)
    assert len({case.artifacts["console"] for case in run.cases[:4]}) == 4


def test_single_cases_are_run_by_name(place: BenchPlace) -> None:
    suite: Path = place.suite("shaky", SHAKY)
    done = place.pytest(suite, "--case", "shaky/good")
    assert done.code == 0, done.out
    assert [case.case for case in place.run().cases] == ["good"]
    wrong = place.pytest(suite, "--case", "shaky/god")
    assert wrong.code == 4  # pytest's own for wrong usage
    assert "no case shaky/god; did you mean 'shaky/good'?" in wrong.out + wrong.err
