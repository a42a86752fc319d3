# SPDX-License-Identifier: MIT
"""The page: one file, nothing fetched, device text harmless, incomplete runs loud, odd figures survived."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports.html import render_html
from rig.errors import EvidenceFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run
from tests.reports.outline import Outline

Page = Callable[..., str]
Attempt = Callable[..., CaseResult]
Measure = Callable[..., MeasurementResult]
NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'\x1b[2J\udcff\ud800\u202e{{ 7*7 }}"


def silent(path: Path) -> Iterator[tuple[int, str]]:
    """A console on which nothing was said."""
    del path
    return iter(())


def test_a_page_is_well_formed_and_asks_for_nothing(run: Run, page: Page) -> None:
    shown = page(run)
    outline = Outline(shown)
    for tag, attrs in outline.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attrs
        assert not any(name.startswith("on") for name in attrs)
        assert (attrs.get("href") or "#").startswith(("#", "runs/"))
    assert not re.search(r"@import|url\(|https?://(?!www\.w3\.org)", shown)
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {attrs["href"] for tag, attrs in outline.tags if tag == "a"}
    assert {t[1:] for t in targets if t and t.startswith("#")} <= set(ids)


def test_only_the_pages_own_script_may_run(run: Run, page: Page) -> None:
    shown = page(run)
    (script,) = re.findall(r"<script>(.*?)</script>", shown, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in shown


def test_it_tells_the_outcome_first_and_then_what_went_wrong(run: Run, page: Page) -> None:
    words = " ".join(" ".join(Outline(page(run)).words).split())
    order = [
        "61 cases on 1 board",
        "What went wrong",
        "hardfault while",
        "Passed, but look at it",
        "Emulated board.",
    ]
    places = [words.index(part) for part in order]
    assert places == sorted(places)
    assert "suites/kernel/limits.toml:12" in words
    assert "instruction counts of QEMU, not cycles of silicon" in words
    assert "60.3 KiB of 16 MiB" in words
    assert "How these were taken" in words
    assert words.count("provisional") >= 28


def test_device_text_is_harmless_wherever_it_stands(
    bare: Run, page: Page, attempt: Attempt, measure: Measure
) -> None:
    board = dataclasses.replace(
        bare.boards[0], name=NASTY, dut=NASTY, identity={NASTY: NASTY, "kernel": NASTY}
    )
    outcomes = (Outcome.FAIL, Outcome.SKIPPED, Outcome.ERROR)
    cases = [
        attempt(NASTY, outcome, f"{NASTY}\n{NASTY}", board=NASTY, suite=f"{outcome}{NASTY}",
                artifacts={NASTY: bare.path / NASTY, "x": Path("/elsewhere") / NASTY}) for outcome in outcomes
    ]  # fmt: skip
    rows = [
        measure(NASTY, [1, 2], board=NASTY, suite=NASTY, unit=NASTY, upper=1.0, limit_origin=NASTY,
                limit_at=NASTY, note=NASTY, context={NASTY: NASTY}, marginal=True),
        measure(f"memory.region.{NASTY}.used", [1], board=NASTY, suite="memory",
                context={"size": 5, "start": NASTY}),
    ]  # fmt: skip
    run = dataclasses.replace(
        bare, boards=(board,), cases=tuple(cases), measurements=tuple(rows), operator=NASTY, run_id=NASTY,
        environment={NASTY: NASTY}, complete=False, notes=(NASTY,),
    )  # fmt: skip
    shown = page(run, lambda path: iter([(0, f"{path and NASTY}")]))
    outline = Outline(shown)
    assert "img" not in {tag for tag, _ in outline.tags}
    assert shown.count("<script>") == 1
    assert not {"\x1b", "\udcff", "\u202e"} & set(shown)
    assert "49" not in "".join(w for w in outline.words if "alert" in w)
    assert r"\x1b[2J\xff\ud800\u202e{{ 7*7 }}" in shown


def test_what_a_case_is_there_to_show_stands_with_it(bare: Run, page: Page, attempt: Attempt) -> None:
    shown = attempt("test_lwt", requirements=("MqttTest/MQTT_Connect_LWT", "<b>"))
    text = page(dataclasses.replace(bare, cases=(shown, attempt("test_plain"))))
    assert text.count('<span class="shows">') == 1
    assert "MqttTest/MQTT_Connect_LWT, &lt;b&gt;" in text


def test_a_long_reason_is_folded_away(bare: Run, page: Page, attempt: Attempt) -> None:
    shown = page(dataclasses.replace(bare, cases=(attempt("test_x", Outcome.FAIL, "r" * 10_000),)))
    assert "9,300 more characters" in shown
    assert "r" * 10_000 in shown


def test_an_incomplete_run_is_said_loudly(run: Run, page: Page) -> None:
    shown = page(dataclasses.replace(run, complete=False, notes=("3 events are lost",)))
    assert shown.index("This run is incomplete.") < shown.index("<h2>What went wrong")
    assert "46.000 s into the run" in shown
    assert "3 events are lost" in shown
    assert "This run is incomplete." not in page(run)


def test_a_run_with_nothing_in_it_is_a_page(bare: Run, page: Page) -> None:
    assert "No case was run." in page(bare, silent)
    assert "nothing was said" in page(bare, silent)
    assert "No board took part" in page(dataclasses.replace(bare, boards=()))
    unknown = dataclasses.replace(bare.boards[0], dut=None, image_sha256=None, identity={}, transcript=None)
    assert "No console transcript" in page(dataclasses.replace(bare, boards=(unknown,), operator=None))


def test_odd_figures_are_shown_and_explained(bare: Run, page: Page, measure: Measure) -> None:
    nan = float("nan")
    rows = (
        measure("unset", [], outcome=Outcome.ERROR, note="declared but never set"),
        measure("all.nan", [nan, nan], p99=nan, upper=1.0, outcome=Outcome.FAIL),
        measure("one", [5]),
        measure("same", [5] * 100, upper=5.0, lower=5.0, outcome=Outcome.PASS),
        measure("some.nan", [1.0, nan]),
        measure("not.kept", [1, 2], samples_sha256=None),
        measure("float", [0.1 * n for n in range(1000)], unit="ms"),
    )
    shown = page(dataclasses.replace(bare, measurements=rows))
    Outline(shown)
    for part in (
        "declared but never set",
        "no finite sample",
        "1 sample not a finite number",
        "samples were not kept",
    ):
        assert part in shown
    assert shown.count('<svg class="plot"') == 3  # a single value that nothing limits needs none


def test_what_cannot_be_read_is_said_and_stops_nothing(run: Run, tmp_path: Path) -> None:
    def broken(*_: object) -> Iterator[tuple[int, str]]:
        raise EvidenceFault("samples are damaged")

    shown = render_html(run, tmp_path / "r.html", samples=broken, transcript=broken).read_text("utf-8")  # type: ignore[arg-type]
    assert "samples cannot be read: samples are damaged" in shown
    assert "The transcript cannot be read: samples are damaged" in shown


def test_sensitive_files_are_neither_linked_nor_shown(run: Run, page: Page) -> None:
    shown = page(run)
    assert "sensitive, kept in the run" in shown
    assert "ram.bin" not in shown
    console = run.boards[0].transcript
    assert console is not None
    hidden = page(dataclasses.replace(run, sensitive=frozenset({console})))
    assert "bench.run" not in hidden
    assert "that may be shown" in hidden


def several(run: Run) -> Run:
    """The run with a second board like the first, which has not run on silicon and is written directly."""
    said = {**run.boards[0].identity, "run_on_silicon": False, "flash_method": "direct write, no algorithm"}
    second = dataclasses.replace(run.boards[0], name="stm32f4", identity=said)
    more = tuple(dataclasses.replace(m, board="stm32f4") for m in run.measurements)
    return dataclasses.replace(run, boards=(run.boards[0], second), measurements=run.measurements + more)


def test_several_boards_stand_side_by_side(run: Run, page: Page) -> None:
    words = " ".join(" ".join(Outline(page(several(run))).words).split())
    assert "Boards side by side" in words
    assert "Boards side by side" not in page(run)
    assert words.count("Not yet run on silicon.") == 1
    assert "Flashed by direct write, no algorithm." in words
    drawn = [m for m in run.measurements if m.suite == "kernel" and not m.name.endswith(".tick_hit")]
    assert page(several(run)).count('<svg class="box"') == len(drawn)


def test_the_hashes_of_the_run_are_told(run: Run, page: Page) -> None:
    journal = run.path / "journal.mps2.jsonl"
    journal.write_bytes(b"records")
    shown = page(run)
    assert hashlib.sha256(b"records").hexdigest() in shown
    assert "journal.mps2.jsonl" in shown
    assert str(run.boards[0].image_sha256) in shown


def test_each_figure_says_how_it_was_taken(run: Run, page: Page) -> None:
    words = " ".join(" ".join(Outline(page(run)).words).split())
    facts = (
        "counter FPGAIO COUNTER",
        "core clock 25,000,000 Hz",
        "tick rate 1,000 Hz",
        "heap scheme heap_4",
        "compiler arm-none-eabi-gcc 12.2.1",
        "asserts yes",
        "clock exact",
    )
    for fact in facts:
        assert fact in words, fact


def test_artifacts_are_linked_as_seen_from_the_page(run: Run, page: Page) -> None:
    assert f'href="runs/{run.run_id}/artifacts/crash.json"' in page(run)


@pytest.mark.parametrize("boards", [1, 4])
def test_a_large_transcript_keeps_the_page_small_and_says_where_the_whole_is(
    bare: Run, page: Page, boards: int
) -> None:
    many = tuple(dataclasses.replace(bare.boards[0], name=f"b{n}") for n in range(boards))

    def babble(path: Path) -> Iterator[tuple[int, str]]:
        del path
        return ((n, f"<{n}> " + "&" * 100) for n in range(40_000))

    shown = page(dataclasses.replace(bare, boards=many), babble)
    assert len(shown.encode()) < 3_000_000
    assert shown.count("lines left out here") == boards
    assert "<code>mps2/console.log</code>" in shown


def test_a_run_of_sixty_figures_takes_less_than_five_seconds(run: Run, page: Page) -> None:
    began = time.process_time()
    assert len(page(run)) < 400_000
    assert time.process_time() - began < 5


def test_a_page_that_cannot_be_written_is_an_evidence_fault(bare: Run, tmp_path: Path) -> None:
    with pytest.raises(EvidenceFault):
        render_html(bare, tmp_path / "missing" / "r.html", transcript=silent)


def test_a_second_page_compiles_no_template(run: Run, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page(run)
    monkeypatch.setattr("jinja2.Environment._compile", None)  # to call it is an error
    assert page(run) == first
