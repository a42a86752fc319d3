# SPDX-License-Identifier: MIT
"""Every report of one run on the boards as shipped: what it shows is what the run holds."""

from __future__ import annotations

import csv
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from rig.evidence.model import Run
from rig.evidence.reader import samples
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace

pytestmark = pytest.mark.emulated

BOARDS = ("mps2", "mps2-m4", "stm32f4") if EVIDENCE else ("mps2", "stm32f4")
FIGURE_S = 0.8
"""Processor time within which a figure of all boards is drawn; 0.4 s of three where this was written."""
LINES = 250
"""Of the terminal's report beside a line for each figure."""


@pytest.fixture(scope="module")
def bench(module_place: BenchPlace) -> Iterator[BenchPlace]:
    """The bench with the inventory as shipped, on which the boards were qualified once."""
    shutil.copyfile(PROJECT / "devices.yaml", module_place.inventory_path)
    suites = [word for suite in ("boot", "kernel", "memory") for word in ("--suite", suite)]
    boards = [word for board in BOARDS for word in ("--board", board)]
    done = module_place.rig("qualify", *boards, "--operator", "dana", *suites)
    assert done.code == 0, done.out + done.err
    yield module_place
    for name in BOARDS[1:]:
        shutil.rmtree(module_place.folder / ".rig" / name)


@pytest.fixture(scope="module")
def run(bench: BenchPlace) -> Run:
    """That run."""
    return bench.run()


def made(bench: BenchPlace, shape: str) -> list[Path]:
    """The files that ``rig report`` says it has written."""
    done = bench.rig("report", "latest", "--format", shape)
    assert (done.code, done.err) == (0, "")
    return [bench.folder / line for line in done.out.splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_each_figure_in_one_row(bench: BenchPlace, run: Run, width: int) -> None:
    lines = bench.rig("report", env={"COLUMNS": str(width)}).out.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < LINES + len({m.name for m in run.measurements})
    (row,) = [line.split() for line in lines if line.startswith("isr.to.task.queue ")]
    figures = [m for m in run.measurements if m.name == "isr.to.task.queue"]
    p99 = {m.board: f"{m.p99:,.0f}" for m in figures}
    assert [cell.split("/")[-2] if "/" in cell else cell for cell in row[1 : 1 + len(BOARDS)]] == [
        p99[b] for b in BOARDS
    ]
    assert "stm32f4: not yet run on silicon" in lines


def test_the_page_opens_without_a_network_and_tells_of_each_board(bench: BenchPlace, run: Run) -> None:
    (path,) = made(bench, "html")
    assert path.stat().st_size < 5_000_000
    asked: list[str] = []
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: faults.append(said.text))
        page.goto(path.as_uri())
        words = page.locator("body").inner_text()
        drawn = {kind: page.locator(f"svg.{kind}").count() for kind in ("plot", "box", "time")}
        browser.close()
    assert (asked, faults) == ([path.as_uri()], [])
    assert drawn["time"] == len(BOARDS)
    assert drawn["box"] >= 10
    assert drawn["plot"] >= 30
    for board in run.boards:
        assert f"{board.name} PASS" in words.replace("\n", " ")
        assert str(board.image_sha256) in words
    for fact in ("Not yet run on silicon.", "direct write, no algorithm", "ucHeap", "heap scheme", "dana"):
        assert fact in words, fact
    assert all(m.limit_at in words for m in run.measurements if m.limit_at)


def test_the_pdf_has_the_same_content(bench: BenchPlace, run: Run) -> None:
    (path,) = made(bench, "pdf")
    pages = [page.extract_text() for page in PdfReader(path).pages]
    words = " ".join(" ".join(pages).split())
    assert all(run.run_id in page for page in pages)
    kernel = {m.name for m in run.measurements if m.suite == "kernel" and not m.name.endswith(".tick_hit")}
    below = {name for name in kernel if name.removesuffix(".loaded") in kernel - {name}}  # their idle ones
    assert sorted(name for name in kernel - below if name not in words) == []
    assert words.count("loaded") >= len(below)
    assert "no case went wrong, so none is printed" in words


def test_the_tables_hold_every_row_and_every_sample(bench: BenchPlace, run: Run) -> None:
    import pyarrow.parquet as pq

    texts, typed = made(bench, "csv"), made(bench, "parquet")
    assert (
        [path.stem for path in texts] == [path.stem for path in typed] == ["cases", "measurements", "samples"]
    )
    with texts[2].open(newline="") as file:
        rows = list(csv.DictReader(file))
    told = Counter((row["board"], row["measurement"], float(row["value"])) for row in rows)
    stored = Counter((m.board, m.name, float(v)) for m in run.measurements for v in samples(run, m))
    assert told == stored
    table = pq.read_table(typed[2])
    columns = (table[name].to_pylist() for name in ("board", "measurement", "value"))
    assert Counter(zip(*columns, strict=True)) == stored
    measured = pq.read_table(typed[1]).to_pylist()
    kernel = [row for row in measured if row["suite"] == "kernel" and row["measurement"] != "kernel.features"]
    wanted = ("clock", "cpu_hz", "counter", "counter_hz", "tick_hz", "opt", "asserts", "heap", "kernel",
              "compiler", "flags")  # fmt: skip
    assert kernel
    assert [row["measurement"] for row in kernel if any(row[name] is None for name in wanted)] == []


def _children_s() -> float:
    """Processor time of the programs that were started and have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_every_kernel_row_and_every_memory_is_a_figure(bench: BenchPlace, run: Run) -> None:
    begun_s = _children_s()
    done = bench.rig("report", "latest", "--format", "figures")
    assert (done.code, done.err) == (0, "")
    stems = [Path(line.split()[0]).stem for line in done.out.splitlines()]
    assert _children_s() - begun_s < FIGURE_S * len(stems)
    rows = {m.name for m in run.measurements if m.n > 1 and not m.name.endswith(".tick_hit")}
    assert len(rows) >= 10
    assert sorted(stems) == sorted(
        ["overview-instructions", *(f"latency-{name}" for name in rows), *(f"memory-{b}" for b in BOARDS)]
    )
    folder = run.path / "figures"
    drawn = (folder / "latency-isr.to.task.queue.svg").read_text("utf-8")
    for said in (*BOARDS, "timings are instruction counts", run.run_id, "provisional: measured"):
        assert said in drawn, said
    assert all((folder / f"{stem}.png").read_bytes().startswith(b"\x89PNG") for stem in stems)
