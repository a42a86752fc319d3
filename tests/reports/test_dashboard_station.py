# SPDX-License-Identifier: MIT
"""The station page over real journals: what runs, what is next, what a person is asked, floods of text."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from reports.dashboard.activity import Watch
from reports.dashboard.names import run_page
from reports.dashboard.pages.run import consoles
from reports.dashboard.site import Visit, render
from rig.events import Event, RunClock
from rig.evidence.bundle import JOURNAL, read_header
from rig.evidence.journal import encode
from rig.evidence.measurement import Outcome
from rig.evidence.prompts import ANSWERED, ASKED, SOURCE, Answer, Prompt, asked, give_answer, read_answer
from rig.evidence.recorder import RunRecorder
from rig.evidence.store import IndexedRun
from rig.transcript import Transcript
from tests.evidence.bundles import recorder
from tests.reports import bench_year, dashboard_kit, test_dashboard_pages

PROMPT = Prompt("mps2", 1, "Press the reset button, then say what the LED does.", ("blinks", "dark"))


def begun(run: RunRecorder) -> None:
    """A run in its second of three cases."""
    run.board("mps2", "SN-1")
    run.planned("mps2", [("boot", "one"), ("boot", "two"), ("kernel", "three")])
    run.case_started("mps2", "boot", "one", 1)
    run.case_finished("mps2", "boot", "one", 1, Outcome.FAIL)
    run.case_started("mps2", "boot", "two", 1)
    run.event(Event(2_000_000, "console", "line", "mps2", {"text": "I (1) boot: ready"}))
    run.event(Event(3_000_000, "probe", "reset", "mps2", {}))


def settled(run: RunRecorder) -> None:
    """What was deferred is written before any other record."""
    run.board("mps2")


def page(folder: Path, visit: Visit) -> str:
    """The station page of a folder of runs."""
    sources = dashboard_kit.sources_of(folder / "made", bench_year.Bench(3))
    content = render(replace(sources, watch=Watch(folder / "runs")), "station.html", visit)
    assert content is not None
    return content


def test_a_run_in_progress_is_shown_step_by_step(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "runs")
    assert watch.look() == []
    with recorder(tmp_path / "runs") as run:
        begun(run)
        settled(run)
        (now,) = watch.look()
        assert (now.board, str(now.now), str(now.next)) == ("mps2", "boot/two", "kernel/three")
        assert (now.done, now.ended, now.planned) == ({"FAIL": 1}, 1, 3)
        assert [line.text for line in now.lines] == ["I (1) boot: ready", "reset"]
        run.case_finished("mps2", "boot", "two", 1, Outcome.PASS)
        (now,) = watch.look()
        assert (now.now, str(now.next), now.ended) == (None, "kernel/three", 2)
        shown = page(tmp_path, Visit(live=True))
        assert "kernel/three" in shown
        assert 'max="3" value="2"' in shown
        assert "abort" not in shown
    assert watch.look() == []
    assert "No run goes on" in page(tmp_path, Visit(live=True))


def test_who_watches_first_late_sees_the_same(tmp_path: Path) -> None:
    early = Watch(tmp_path)
    with recorder(tmp_path) as run:
        early.look()
        for place in range(60):
            run.case_started("mps2", "kernel", f"case{place}", 1)
            run.case_finished("mps2", "kernel", f"case{place}", 1, Outcome.PASS)
            if place % 25 == 0:
                early.look()
        assert early.look() == Watch(tmp_path).look()
        assert early.look()[0].ended == 60


def test_boards_side_by_side_are_shown_apart_until_each_ends(tmp_path: Path) -> None:
    with RunRecorder.create(tmp_path, RunClock(), "ada", {}, boards=("a", "b")) as run:
        with RunRecorder.join(run.path, "a") as a, RunRecorder.join(run.path, "b") as b:
            a.case_started("a", "boot", "one", 1)
            b.case_started("b", "boot", "other", 1)
            assert [(x.board, str(x.now)) for x in Watch(tmp_path).look()] == [
                ("a", "boot/one"),
                ("b", "boot/other"),
            ]
            a.case_finished("a", "boot", "one", 1, Outcome.PASS)
            b.case_finished("b", "boot", "other", 1, Outcome.PASS)
        run.board_ended("a", "ended with status 0")
        assert [x.board for x in Watch(tmp_path).look()] == ["b"]


def test_a_prompt_is_shown_and_answered(tmp_path: Path) -> None:
    with recorder(tmp_path / "runs") as run:
        begun(run)
        run.event(Event(4_000_000, SOURCE, ASKED, "mps2", dict(asked(PROMPT))))
        settled(run)
        (now,) = Watch(tmp_path / "runs").look()
        assert now.prompts == (PROMPT,)
        shown = page(tmp_path, Visit(live=True, may_act=True))
        assert "A person is wanted" in shown
        assert 'name="answer" value="blinks"' in shown
        assert 'name="answer"' not in page(tmp_path, Visit(live=True))
        give_answer(run.path, PROMPT, Answer("dark", "dana"))
        assert read_answer(run.path, PROMPT) == Answer("dark", "dana")
        run.event(Event(5_000_000, SOURCE, ANSWERED, "mps2", {"number": 1, "answer": "dark"}))
        settled(run)
        assert Watch(tmp_path / "runs").look()[0].prompts == ()


def test_folders_that_are_no_runs_and_damaged_journals_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "20991124T013000Z-aaaa").mkdir()
    (tmp_path / "20991124T013000Z-bbbb").mkdir()
    (tmp_path / "20991124T013000Z-bbbb" / "run.json").write_text("{")
    (tmp_path / "20991124T013000Z-cccc").write_text("no folder")
    with recorder(tmp_path) as run:
        begun(run)
        with (run.path / JOURNAL).open("ab") as other:
            other.write(b"damage\n" + encode(99, {"type": "case_started", "t": 1, "board": "mps2"}))
            other.write(encode(100, {"type": "planned", "t": 1, "board": "mps2", "cases": 7}))
        (now,) = Watch(tmp_path).look()
        assert str(now.now) == "boot/two"


@pytest.mark.slow
def test_ten_megabytes_of_hostile_console_are_followed(tmp_path: Path) -> None:
    flood = test_dashboard_pages.NASTY.encode("utf-8", "surrogatepass").decode("latin-1")
    with recorder(tmp_path / "runs") as run:
        begun(run)
        for _ in range(10):
            text = flood * (1_000_000 // len(flood))
            run.event(Event(6_000_000, "console", "line", "mps2", {"text": text}))
            run.event(Event(6_000_000, "fault", text, "mps2", {text[:300]: text}))
            settled(run)
        began = time.monotonic()
        shown = page(tmp_path, Visit(live=True, may_act=True))
        assert time.monotonic() - began < 20
        assert len(shown) < 100_000
        test_dashboard_pages.assert_harmless(shown)
        assert "boot/two" in shown


@pytest.mark.slow
def test_a_console_of_ten_megabytes_makes_no_large_page_of_its_run(tmp_path: Path) -> None:
    flood = test_dashboard_pages.NASTY.encode("utf-8", "surrogatepass")
    with recorder(tmp_path) as run:
        run.board("mps2")
        run.case_started("mps2", "boot", "one", 1)
        path = run.artifact_path("mps2/console.log")
        with Transcript(path, head_bytes=8_000_000, tail_bytes=8_000_000) as kept:
            for second in range(10_000_000 // (20 * len(flood))):
                kept.append(flood * 20 + b"\n", second * 10**9)
        run.board("mps2", transcript=path)
        run.case_finished("mps2", "boot", "one", 1, Outcome.PASS)
    row = IndexedRun(run.path.name, run.path, Outcome.PASS, True, bench_year.NOW, 1.0, None, ("mps2",))
    assert read_header(run.path)
    shown = consoles(row)
    (console,) = shown.values()
    assert console.total > 1000
    assert 10_000 < sum(len(line.text) for line in console.lines) < 500_000
    store = bench_year.Bench(3)
    store._runs["mps2"].append(row)
    sources = dashboard_kit.sources_of(tmp_path / "made", store)
    text = render(sources, run_page(row.run_id), Visit())
    assert text is not None
    assert len(text) < 1_500_000
    assert 'class="console-of"' in text
    test_dashboard_pages.assert_harmless(text)


@pytest.mark.parametrize("name", ["", "/", "..", "nothing"])
def test_a_run_without_a_bundle_has_no_console(tmp_path: Path, name: str) -> None:
    row = IndexedRun("x", tmp_path / name / "x", Outcome.PASS, True, bench_year.NOW, 1.0, None, ())
    assert consoles(row) == {}
