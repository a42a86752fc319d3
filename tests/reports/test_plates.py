# SPDX-License-Identifier: MIT
"""Figures for papers: what is drawn is what was measured, and the same run gives the same bytes."""

from __future__ import annotations

import dataclasses
import io
import math
import re
import struct
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from reports import plates
from reports.figures import same_figures
from reports.memory import memory_map
from reports.plates.latency import latency_sheet
from reports.plates.memory import memory_sheet
from reports.plates.overview import overview_sheet
from reports.plates.panel import CDF
from reports.plates.sheet import Sheet, inks, styled
from reports.samples import SampleBook, SampleReader
from rig.errors import EvidenceFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tests.reports import hostile
else:
    import hostile

Measure = Callable[..., MeasurementResult]
NAME = "sched.yield.self"
VALUES: Mapping[str, list[int]] = {"mps2": [69] * 70 + [70] * 29 + [74], "stm32f4": [72] * 99 + [75]}
HIT = [118, 125, 125]
CONTEXT = {"kernel": "V9.0.0", "clock": "exact", "counter": "fpgaio", "counter_hz": "25000000", "opt": "O2",
           "flags": "b32e5e54", "overhead_ticks": 6}  # fmt: skip


@pytest.fixture
def two(bare: Run, measure: Measure) -> Run:
    """A run on two boards: one distribution each, on the first with samples that a tick hit, and memory."""
    rows = [
        measure(NAME, values, board=board, upper=76.0, limit_origin="requirement: KRN-4", context=CONTEXT,
                limit_at="suites/kernel/limits.toml:29", outcome=Outcome.PASS)
        for board, values in VALUES.items()
    ]  # fmt: skip
    apart = measure(f"{NAME}.tick_hit", HIT, case=rows[0].case, context={"population": "tick"})
    size = {"size": 1000, "section .bss": 300, "section .data": 100, "symbol ucHeap": 256, "start": "0x0"}
    used = measure("memory.region.ram.used", [400], suite="memory", unit="B", context=size)
    stack = measure("memory.stack.IDLE.unused", [420], suite="memory", unit="B", context={"size": 512},
                    lower=128.0, limit_origin="requirement: MEM-3", limit_at="suites/memory/limits.toml:16",
                    statistic="value")  # fmt: skip
    first = bare.boards[0]
    second = dataclasses.replace(first, name="stm32f4", identity={**first.identity, "run_on_silicon": False})
    return dataclasses.replace(bare, boards=(first, second), measurements=(*rows, apart, used, stack))


def drawn(run: Run, shelf: SampleReader) -> Sheet:
    """The figure of the first measurement of a run."""
    with styled():
        sheet = latency_sheet(run, same_figures(run)[0], SampleBook(run, shelf), inks(_names(run)))
    assert sheet is not None
    return sheet


def _names(run: Run) -> list[str]:
    return [board.name for board in run.boards]


def said(sheet: Sheet) -> str:
    """All words of a figure."""
    texts = [text.get_text() for axes in sheet.figure.axes for text in axes.texts]
    return " ".join([*(text.get_text() for text in sheet.figure.texts), *texts])


def panels(sheet: Sheet) -> list[Axes]:
    """The axes of the cumulative distributions."""
    high = {axes: axes.get_position().height * sheet.height for axes in sheet.figure.axes}
    return [axes for axes, inches in high.items() if inches == pytest.approx(CDF)]


def steps(axes: Axes) -> list[dict[float, float]]:
    """The steps of each cumulative distribution: how high it is from a value on."""
    lines = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    return [dict(np.asarray(line.get_xydata()).tolist()) for line in lines]


def marks(axes: Axes, *wanted: str) -> list[tuple[str, float]]:
    """Each mark with the value at which it stands, in the order in which they were drawn."""
    said = [(str(line.get_marker()), float(np.asarray(line.get_xdata())[0])) for line in axes.lines]
    return [(mark, value) for mark, value in said if mark in wanted]


def bars(axes: Axes) -> list[Rectangle]:
    """The bars of a histogram."""
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_the_cumulative_distribution_is_that_of_the_samples(two: Run, shelf: SampleReader) -> None:
    whole, hit = panels(drawn(two, shelf))
    for (board, values), ends in zip(VALUES.items(), steps(whole), strict=True):
        for value in set(values):
            assert ends[value] == pytest.approx(sum(v <= value for v in values) / len(values)), board
    seen = marks(whole, "o", "^", "s")
    assert seen == [("o", 69), ("^", 74), ("s", 74), ("o", 72), ("^", 75), ("s", 75)]
    (apart,) = steps(hit)
    assert set(apart) == set(HIT)
    low, high = whole.get_xlim()
    assert low < 69
    assert 76 < high < min(HIT)


def test_the_histogram_of_each_board_has_its_own_lane(two: Run, shelf: SampleReader) -> None:
    sheet = drawn(two, shelf)
    lanes = sheet.figure.axes[1]
    at = [(round(bar.get_x() + bar.get_width() / 2, 6), bar.get_y()) for bar in bars(lanes)]
    assert at == [(69, 1), (70, 1), (74, 1), (72, 0), (75, 0)]
    heights = [bar.get_height() for bar in bars(lanes)]
    assert heights[2] / heights[0] == pytest.approx((1 / 70) ** 0.5)
    assert [label.get_text() for label in lanes.get_yticklabels()] == ["stm32f4", "mps2"]


def test_a_figure_says_what_a_reader_must_know(two: Run, shelf: SampleReader) -> None:
    words = said(drawn(two, shelf))
    for fact in (
        NAME, "in instructions", "limit 76",
        "Limit p99 <= 76, requirement: KRN-4: mps2 PASS (suites/kernel/limits.toml:29), stm32f4 PASS (",
        "Emulated (mps2, stm32f4): timings are instruction counts, not cycles of silicon.",
        "Not yet run on silicon: stm32f4.", "hit by a tick interrupt",
        "kernel V9.0.0", "clock exact", "counter fpgaio", "counter clock 25,000,000 Hz", "optimisation O2",
        "flags hash b32e5e54", "overhead ticks 6", two.run_id, str(two.boards[0].image_sha256)[:12],
    ):  # fmt: skip
        assert fact in words, fact
    table = [text.get_text() for text in drawn(two, shelf).figure.texts]
    assert {"100", "69", "74", "72", "75", "3", "125"} <= set(table)


def test_limits_that_differ_stand_at_their_boards(two: Run, shelf: SampleReader) -> None:
    first, second, *others = two.measurements
    far = dataclasses.replace(second, upper=900.0)
    sheet = drawn(dataclasses.replace(two, measurements=(first, far, *others)), shelf)
    assert [text.get_text() for text in sheet.figure.axes[0].texts] == []
    assert [text.get_text() for text in sheet.figure.axes[1].texts] == ["limit 76", "limit 900 →"]


def test_the_overview_has_a_dot_a_reach_and_a_limit_for_each_board(two: Run) -> None:
    with styled():
        sheet = overview_sheet(two, same_figures(two)[:1], "instructions", inks(_names(two)))
    assert sheet is not None
    (axes,) = sheet.figure.axes
    assert axes.get_xscale() == "log"
    assert marks(axes, "o") == [("o", 69), ("o", 125), ("o", 72)]
    lines = [lines for lines in axes.collections if isinstance(lines, LineCollection)]
    reaches = [np.asarray(line.get_segments()[0])[:, 0].tolist() for line in lines]
    assert reaches == [[74, 74], [69, 74], [75, 75], [72, 75]]
    assert "instruction counts" in said(sheet)


def test_an_overview_with_a_zero_is_still_drawn(two: Run, measure: Measure) -> None:
    run = dataclasses.replace(two, measurements=(measure("a", [0, 0, 5]), measure("b", [900, 901, 902])))
    with styled():
        sheet = overview_sheet(run, same_figures(run), "instructions", inks(_names(run)))
        assert sheet is not None
        assert set(sheet.files()) == {"svg", "png"}


def test_memory_shows_regions_sections_symbols_and_stacks(two: Run) -> None:
    mine = [m for m in two.measurements if m.board == "mps2"]
    with styled():
        sheet = memory_sheet(two, two.boards[0], memory_map(mine))
        assert memory_sheet(two, two.boards[1], memory_map([])) is None
    assert sheet is not None
    words = said(sheet)
    for fact in (
        "400 B used of 1,000 B (40.0 %), 600 B free", ".bss 300 B", ".data 100 B", "ucHeap", "256 B",
        "420 B unused of 512, limit 128", "Limit 128 <= x, requirement: MEM-3: IDLE (suites/memory",
    ):  # fmt: skip
        assert fact in words, fact
    widths = [round(bar.get_width(), 3) for bar in bars(sheet.figure.axes[0])]
    assert {0.4, 0.75, 0.25} <= set(widths)


def test_the_same_run_gives_the_same_bytes_and_no_setting_leaks(
    two: Run, shelf: SampleReader, tmp_path: Path
) -> None:
    first = {p.name: p.read_bytes() for p in _files(two, tmp_path / "a", shelf)}
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        again = {p.name: p.read_bytes() for p in _files(two, tmp_path / "b", shelf)}
        assert dict(mpl.rcParams) == before
    assert first == again
    assert sorted(first) == sorted(
        f"{name}.{kind}"
        for name in ("overview-instructions", f"latency-{NAME}", "memory-mps2")
        for kind in ("svg", "png")
    )
    for name, content in first.items():
        if name.endswith(".png"):
            assert _inches(content)[0] == pytest.approx(7.0, abs=0.01)
            assert b"Software" not in content
        else:
            ET.parse(io.BytesIO(content))
            assert b"<dc:date>" not in content


def _files(run: Run, folder: Path, shelf: SampleReader) -> list[Path]:
    return [path for plate in plates.write_plates(run, folder, samples=shelf) for path in plate.files]


def _inches(png: bytes) -> tuple[float, float]:
    """Size on paper by header and physical size (PNG specification, 11.2.2 and 11.3.5.3)."""
    wide, high = struct.unpack(">II", png[16:24])
    at = png.index(b"pHYs") + 4
    per_metre, _, unit = struct.unpack(">IIB", png[at : at + 9])
    assert unit == 1
    assert per_metre * 0.0254 == pytest.approx(200, abs=0.1)
    return wide / 200, high / 200


def test_a_board_whose_samples_cannot_be_read_is_told(two: Run, shelf: SampleReader) -> None:
    def partly(run: Run, m: MeasurementResult) -> object:
        if m.board == "stm32f4":
            raise EvidenceFault("samples are damaged")
        return shelf(run, m)

    sheet = drawn(two, partly)  # type: ignore[arg-type]
    assert "stm32f4: samples cannot be read: samples are damaged." in said(sheet)
    assert len(steps(panels(sheet)[0])) == 1


def test_odd_samples_are_drawn_as_far_as_they_can_be(
    two: Run, measure: Measure, shelf: SampleReader, tmp_path: Path
) -> None:
    rows = (
        measure("nan", [1.0, math.nan, math.inf, 2.5]), measure("large", [0, 2**62, -5]),
        measure("small", [1e-9, 2e-9]), measure("same", [0, 0]), measure("none", [math.nan, math.nan]),
    )  # fmt: skip
    run = dataclasses.replace(two, measurements=rows, complete=False)
    made = {path.stem for path in _files(run, tmp_path, shelf)}
    assert made == {
        "overview-instructions",
        *(f"latency-{name}" for name in ("nan", "large", "small", "same")),
    }
    words = said(drawn(run, shelf))
    assert "mps2: 2 samples not a finite number." in words
    assert f"run {run.run_id} (incomplete)" in words


def test_a_run_with_nothing_to_draw_gives_no_file(bare: Run, shelf: SampleReader, tmp_path: Path) -> None:
    assert _files(bare, tmp_path / "new", shelf) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceFault, match="cannot make the folder"):
        _files(bare, tmp_path / "file", shelf)


@pytest.mark.slow
def test_hostile_text_is_drawn_and_nothing_else(
    bare: Run, attempt: Callable[..., CaseResult], measure: Measure, shelf: SampleReader, tmp_path: Path
) -> None:
    run = hostile.hostile_run(bare, attempt, measure)
    files = _files(run, tmp_path / "out", shelf)
    assert len(files) >= 2 * len(hostile.SAID)
    assert len(set(files)) == len(files)
    for path in files:
        assert path.parent == tmp_path / "out"
        assert re.fullmatch(r"[A-Za-z0-9._-]+\.(svg|png)", path.name)
        if path.suffix == ".svg":
            tags = {element.tag.rpartition("}")[2] for element in ET.parse(path).iter()}
            assert not tags & {"script", "a", "foreignObject", "iframe", "image"}


def test_boards_differ_in_grey_and_in_pattern() -> None:
    first = list(inks(["a", "b", "c"]).values())
    grey = [_luminance(ink.colour) for ink in first]
    assert min(b - a for a, b in pairwise(grey)) > 0.15
    assert len({str(ink.pattern) for ink in first}) == 3
    assert len(inks([str(n) for n in range(20)])) == 20


def _luminance(colour: str) -> float:
    """Of sRGB, as perceived by a grey printer (ITU-R BT.601)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
