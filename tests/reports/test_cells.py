# SPDX-License-Identifier: MIT
"""Tables out of figures whose context says table, row and column: on a terminal and on the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reports.cells import cell, cell_names, cell_tables
from reports.terminal import as_text
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run
from tests.reports.outline import Outline

Measure = Callable[..., MeasurementResult]


@pytest.fixture
def updated(bare: Run, measure: Measure) -> Run:
    """A board whose update was measured by stage and protocol, and its memory."""

    def figure(
        table: str, row: str, column: str, samples: list[float], unit: str, **more: object
    ) -> MeasurementResult:
        context = {"table": table, "row": row, "column": column, **more}
        return measure(f"{table}.{row}.{column}", samples, suite="latency", unit=unit, context=context)

    board, host = {"taken": "by its counter"}, {"taken": "on the host"}
    return dataclasses.replace(
        bare,
        measurements=(
            figure("Stages", "verify", "http", [1229.0, 1230.0, 1234.0], "ms", what="the signature", **board),
            figure("Stages", "verify", "mqtt", [1228.0, 1231.0, 1239.5], "ms", **board),
            figure("Stages", "offer", "mqtt", [20.0, 21.0, 25.0], "ms", **host),
            figure("Rate", "1 × 4096", "board", [178.0], "kB/s", **board),
            figure("Rate", "1 × 4096", "host", [1784.0], "kB/s", **host),
            figure("Memory", "stack net.ota", "http", [3104], "bytes", size=16_384),
            measure("ota.update", [0.5], suite="latency", unit="s"),
        ),
    )  # fmt: skip


def test_figures_are_put_where_their_context_says(updated: Run) -> None:
    stages, rate, memory = cell_tables(updated.measurements)
    assert (stages.heading, rate.heading) == ("Stages, ms, p50 / max of 3 samples", "Rate, kB/s")
    assert stages.columns == ("http", "mqtt")
    shown = {row.name: [cell(row.cells.get(name)) for name in stages.columns] for row in stages.rows}
    assert shown == {"verify": ["1,230 / 1,234", "1,231 / 1,240"], "offer": ["–", "21 / 25"]}
    assert [row.what for row in stages.rows] == ["the signature", ""]
    assert (stages.sized, memory.sized, memory.rows[0].size) == (False, True, 16_384.0)
    assert (stages.explained, memory.explained) == (True, False)
    assert "ota.update" not in cell_names(updated.measurements)


def test_who_took_them_is_told_by_row_or_by_column(updated: Run) -> None:
    stages, rate, memory = cell_tables(updated.measurements)
    assert list(stages.ways()) == [("by its counter", "verify"), ("on the host", "offer")]
    assert list(rate.ways()) == [("by its counter", "board"), ("on the host", "host")]
    assert list(memory.ways()) == []


def test_the_terminal_has_the_tables_and_not_their_figures_again(updated: Run) -> None:
    lines = [line.split() for line in as_text(updated, 100).split("\n")]
    assert ["verify", "1,230", "/", "1,234", "1,231", "/", "1,240"] in lines
    assert ["stack", "net.ota", "16,384", "3,104"] in lines
    assert any(line[:2] == ["ota.update", "1"] for line in lines)
    assert not any(line[:1] == ["Stages.verify.http"] for line in lines)


def test_the_page_has_the_tables_and_says_what_a_row_is(updated: Run, page: Callable[..., str]) -> None:
    text = page(updated)
    words = " ".join(" ".join(Outline(text).words).split())
    assert "verify 1,230 / 1,234 1,231 / 1,240 the signature" in words
    assert "Taken on the host: offer" in words
    assert "Stages.verify.http" not in words
    assert 'href="#tables-1"' in text


def test_a_cell_that_a_limit_judges_and_does_not_pass_says_so(updated: Run, page: Callable[..., str]) -> None:
    first, *others = updated.measurements
    failed = dataclasses.replace(first, upper=100.0, limit_origin="REQ-1", outcome=Outcome.FAIL)
    text = page(dataclasses.replace(updated, measurements=(failed, *others)))
    row = text[text.index("<td>verify</td>") :]
    assert "FAIL" in row[: row.index("1,230")]


def test_no_such_figures_make_no_table(bare: Run, page: Callable[..., str]) -> None:
    assert cell_tables(bare.measurements) == ()
    assert "tables-1" not in page(bare)
