# SPDX-License-Identifier: MIT
"""A transcript on a page: beginning and end, marked with the cases, and nothing of it trusted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from reports.transcript import excerpts, page, segments
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult, Run

Attempt = Callable[..., CaseResult]


def numbered(count: int) -> Iterator[tuple[int, bytes]]:
    return ((n * 1000, b"line %d" % n) for n in range(count))


def test_a_short_transcript_is_whole() -> None:
    found = page(numbered(3), (), 10_000)
    assert [line.text for line in found.lines] == ["line 0", "line 1", "line 2"]
    assert (found.total, found.omitted) == (3, 0)
    assert found.lines[2].time == "0.000002"


def test_of_a_long_one_the_beginning_and_more_of_the_end_stay() -> None:
    found = page(numbered(100_000), (), 50_000)
    gap = next(i for i, line in enumerate(found.lines) if line.kind == "gap")
    assert found.total == 100_000
    assert found.omitted == 100_000 - (len(found.lines) - 1)
    assert found.lines[gap].text == f"{found.omitted:,} lines left out here"
    assert found.lines[0].text == "line 0"
    assert found.lines[-1].text == "line 99999"
    assert 3 * gap < len(found.lines) - gap
    assert sum(len(line.text) + 34 for line in found.lines) < 51_000


def test_an_endless_line_and_bytes_that_are_no_text_are_cut_and_written_out() -> None:
    found = page([(0, b"\xff\x00\x1b[2J<b>\r"), (1, b"x" * 9000), (2, "a\nb")], (), 10_000)
    assert found.lines[0].text == r"\xff\x00\x1b[2J<b>"
    assert found.lines[1].text.endswith("… (+8500 characters)")
    assert found.lines[2].text == r"a\x0ab"


def test_cases_are_marked_where_they_began(attempt: Attempt) -> None:
    cases = (
        attempt("test_b", Outcome.FAIL, started_ns=1500),
        attempt("test_c", started_ns=9000, attempt=2),
        attempt("test_a", started_ns=0),
    )
    found = page(numbered(3), cases, 10_000)
    assert [line.text for line in found.lines] == [
        "kernel/test_a: PASS",
        "line 0",
        "line 1",
        "kernel/test_b: FAIL",
        "line 2",
        "kernel/test_c, attempt 2: PASS",
    ]


def test_lines_are_told_apart_by_kind() -> None:
    said = ["E (12) net: down", "W (12) x: y", "I (1) a: b", "$1.0 ok*0000", "@1 id*0000", "Error"]
    found = page([(0, line) for line in said], (), 10_000)
    assert [line.kind for line in found.lines] == ["E", "W", "log", "frame", "frame", "log"]


def test_the_files_are_the_boards_and_those_that_cases_kept(run: Run, attempt: Attempt) -> None:
    board = run.boards[0]
    cases = (
        attempt("test_b", started_ns=2, artifacts={"console": Path("b.log"), "crash": Path("c.json")}),
        attempt("test_a", started_ns=1, artifacts={"log": Path("a/console.log")}),
    )
    own = board.transcript or Path()
    assert segments(board, cases) == (own, Path("a/console.log"), Path("b.log"))
    assert segments(dataclasses.replace(board, transcript=None), ()) == ()


def test_on_paper_are_the_last_lines_of_what_went_wrong_and_no_other(attempt: Attempt) -> None:
    wrong = attempt("test_b", Outcome.FAIL, started_ns=10_000, duration_s=0.0005)
    long = [(20_000, "$1.0 data s=" + "0" * 300), (30_000, "E (1) bench: " + "x" * 300)]
    found = excerpts([*numbered(10), *long, *((40_000 + n, f"late {n}") for n in range(30))], [wrong])
    assert found.lines[0].text == "kernel/test_b: FAIL"
    assert [line.text for line in found.lines[1:]] == [f"late {n}" for n in range(5, 30)]
    assert (found.total, found.omitted) == (42, 17)
    few = excerpts([*numbered(10), *long], [wrong])
    assert few.lines[1].text.endswith("… (+228 characters)")
    assert few.lines[2].text == "E (1) bench: " + "x" * 300
    assert excerpts(numbered(3), []).lines == ()
