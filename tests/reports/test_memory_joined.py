# SPDX-License-Identifier: MIT
"""Memory joined in one section: stacks from all sides, libraries, objects, and the marks over time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.html import render_html
from reports.image_table import ImageTable, image_table
from reports.memory import memory_map
from reports.terminal import as_text
from rig.events import Event
from rig.evidence.export import run_as_json
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, MeasurementResult, Run

Measure = Callable[..., MeasurementResult]
Attempt = Callable[..., CaseResult]


def joined(measure: Measure, unbounded: str = "") -> list[MeasurementResult]:
    worst = {"size": 1024, "path": "task > deep", "unbounded": unbounded}
    low = {"size": 1024, "after": "kernel/benchmark[x]"}
    return [
        measure("memory.stack.Tmr_Svc.unused", [884], lower=128.0, context={"size": 1024, "firmware": 880}),
        measure("memory.stack.Tmr_Svc.static_worst", [628], context=worst),
        measure("memory.stack.Tmr_Svc.lowest", [840], lower=128.0, context=low),
        measure("memory.stack.handlers.static_worst", [2700], context={"size": 2048, "unbounded": ""}),
        measure("memory.library.kernel.app", [9170]),
        measure("memory.library.kernel.ram", [66193]),
        measure("memory.library.libc_nano.a.app", [1652]),
    ]


EVENTS = tuple(
    Event(
        place,
        "memory",
        "marks",
        "mps2",
        {"after": after, "tick": place, "stack.Tmr Svc": low, "heap.free": f},
    )
    for place, (after, low, f) in enumerate(
        [("boot", 884, 500), ("kernel/deep", 840, 500), ("kernel/leak", 840, 492)]
    )
)


@pytest.fixture
def told(bare: Run, measure: Measure) -> Run:
    return dataclasses.replace(bare, measurements=tuple(joined(measure)), events=EVENTS)


def test_each_stack_is_joined_from_all_sides(measure: Measure) -> None:
    found = memory_map(joined(measure))
    timer, handlers = found.joined
    assert (timer.name, timer.size, timer.margin, timer.least) == ("Tmr_Svc", 1024, 396, 840)
    assert (timer.after, timer.firmware, timer.path) == ("kernel/benchmark[x]", 880, "task > deep")
    assert (handlers.margin, handlers.least, handlers.firmware) == (-652, None, None)
    assert found.libraries == (
        ("kernel", {"app": 9170, "ram": 66193}), ("libc_nano.a", {"app": 1652}),
    )  # fmt: skip
    assert {"memory.stack.Tmr_Svc.lowest", "memory.library.kernel.app"} <= found.names


def test_an_unbounded_stack_has_no_margin_and_says_why(measure: Measure, told: Run) -> None:
    rows = joined(measure, unbounded="recursion: a > a")
    assert memory_map(rows).joined[0].margin is None
    run = dataclasses.replace(told, measurements=tuple(rows))
    assert "unbounded: recursion: a > a" in as_text(run)


def test_the_terminal_shows_stacks_libraries_and_moves(told: Run) -> None:
    shown = as_text(told, 100)
    assert "Memory of mps2" in shown
    row = next(line for line in shown.splitlines() if line.split()[:1] == ["Tmr_Svc"])
    assert row.split()[1:6] == ["1,024", "628", "396", "184", "kernel/benchmark[x]"]
    assert "2 moves of marks by 2 cases" in shown
    assert "500 -> 492 B" in shown
    assert "memory.library.kernel.app" not in shown
    assert max(map(len, as_text(told, 80).splitlines())) <= 80


def test_the_export_has_every_move(told: Run) -> None:
    assert run_as_json(told)["memory_moves"] == [
        {"board": "mps2", "after": "kernel/deep", "mark": "stack.Tmr Svc", "before": 884, "now": 840},
        {"board": "mps2", "after": "kernel/leak", "mark": "heap.free", "before": 500, "now": 492},
    ]


def test_the_page_shows_them_and_no_reading_is_a_moment(told: Run, tmp_path: Path) -> None:
    page = render_html(told, tmp_path / "report.html").read_text()
    assert "Memory over time: 2 marks moved by 2 cases" in page
    assert "task &gt; deep" in page
    assert "libc_nano.a" in page
    assert "unread" not in page


DOCUMENT = {
    "objects": [{"library": "kernel", "name": f"o{n}.c", "size": 100 - n, "regions": {"app": 100 - n}}
                for n in range(20)],
    "symbols": [{"library": "kernel", "object": "o1.c", "name": "ucHeap<b>", "size": 64, "section": ".bss"}],
    "total": {"unattributed": 5, "padding": 3, "size": 1000},
}  # fmt: skip


def test_objects_and_symbols_come_from_the_kept_table(told: Run, attempt: Attempt, tmp_path: Path) -> None:
    kept = tmp_path / "image-memory.json"
    kept.write_text(json.dumps(DOCUMENT))
    case = attempt("static", Outcome.PASS, "", suite="memory", artifacts={kept.name: kept})
    table = image_table([case])
    assert (len(table.objects), table.more_objects, table.total) == (15, (5, sum(range(81, 86))), 1000)
    page = render_html(dataclasses.replace(told, cases=(case,)), tmp_path / "report.html").read_text()
    assert "5 more objects" in page
    assert "ucHeap&lt;b&gt;" in page


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"objects": 3}', '{"objects": [], "symbols": []}', "\x00"]
)
def test_a_table_that_cannot_be_read_shows_nothing(attempt: Attempt, tmp_path: Path, content: str) -> None:
    kept = tmp_path / "image-memory.json"
    kept.write_text(content)
    case = attempt("static", Outcome.PASS, "", artifacts={kept.name: kept})
    assert image_table([case]) == ImageTable()
    assert image_table([dataclasses.replace(case, artifacts={kept.name: tmp_path / "gone"})]) == ImageTable()
