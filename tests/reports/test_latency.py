# SPDX-License-Identifier: MIT
"""Latencies beside the host's, and memory by phase: tables out of what figures say of how they were taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reports.latency import figures, latency_table, phase_table
from reports.terminal import as_text
from rig.evidence.measurement import Outcome
from rig.evidence.model import MeasurementResult, Run
from tests.reports.outline import Outline

Measure = Callable[..., MeasurementResult]
LOSSY = "20 ms and 1 % loss each way"


@pytest.fixture
def connected(bare: Run, measure: Measure) -> Run:
    """A board that was measured on both lines beside the host, and its memory by three phases."""

    def cell(operation: str, column: str, us: list[float], **facts: str) -> MeasurementResult:
        line = {"idle": "idle", "lossy": LOSSY, "host": "loopback"}[column]
        client = "host" if column == "host" else "board"
        taken = "on the board, by its counter" if client == "board" else "on the host"
        context = {"operation": operation, "client": client, "line": line, "taken": taken, **facts}
        return measure(f"latency.{operation}.{column}", us, suite="latency", unit="us", context=context)

    def used(phase: str, place: str, value: int) -> MeasurementResult:
        context = {"phase": phase, "place": place, "size": 4096}
        name = f"memory.phase.{phase}.{place.replace(' ', '_')}"
        return measure(name, [value], suite="latency", unit="bytes", context=context)

    return dataclasses.replace(
        bare,
        measurements=(
            cell("tcp.connect", "idle", [410.0] * 98 + [612.0, 7020.0]),
            cell("tcp.connect", "lossy", [40_500.0, 1_040_000.0]),
            cell("tcp.connect", "host", [61.0]),
            cell("dns", "idle", [235.0]),
            measure("latency.odd", [1], suite="latency", unit="us"),
            *(used("boot", "stack net.work", 100), used("tls", "stack net.work", 9000)),
            *(used("boot", "TLS pool", 0), used("tls", "TLS pool", 9000), used("mqtt", "TLS pool", 9000)),
        ),
    )


def test_each_operation_is_a_row_with_its_three_columns(connected: Run) -> None:
    table = latency_table(connected.measurements)
    assert [row.name for row in table.rows] == ["tcp.connect", "dns"]
    first, second = table.rows
    assert figures(first.idle) == ["100", "0.41", "7.02", "7.02"]
    assert figures(first.lossy, ("p50", "max")) == ["1,040", "1,040"]
    assert (figures(first.host, ("p50",)), figures(second.lossy)) == (["0.061"], ["–"] * 4)
    assert table.lossy == LOSSY
    assert table.ways == ("on the board, by its counter",)
    assert "latency.odd" not in table.names


def test_a_phase_that_raised_a_mark_is_told(connected: Run) -> None:
    table = phase_table(connected.measurements)
    assert table.phases == ("boot", "tls", "mqtt")
    assert [(row.name, row.size, row.used, row.grown) for row in table.rows] == [
        ("stack net.work", 4096.0, (100.0, 9000.0, None), (False, True, False)),
        ("TLS pool", 4096.0, (0.0, 9000.0, 9000.0), (False, True, False)),
    ]


def test_the_terminal_has_both_tables(connected: Run) -> None:
    lines = [line.split() for line in as_text(connected, 140).split("\n")]
    assert ["tcp.connect", "100", "0.41", "7.02", "7.02", "2", "1,040", "1,040", "1,040", "0.061"] in lines
    assert ["stack", "net.work", "4,096", "100", "9,000", "–"] in lines
    assert any(line[:2] == ["latency.odd", "1"] for line in lines)
    assert not any(line[:1] == ["latency.tcp.connect.idle"] for line in lines)


def test_the_page_has_both_tables_and_no_drawing_of_each(connected: Run, page: Callable[..., str]) -> None:
    text = page(connected)
    words = " ".join(" ".join(Outline(text).words).split())
    assert "tcp.connect 100 0.41 7.02 7.02 2 1,040 1,040 1,040 0.061 0.061" in words
    assert LOSSY in words
    assert "Memory by phase" in words
    assert "latency.tcp.connect.idle" not in words
    assert 'href="#latency-1"' in text


def test_a_figure_that_a_limit_judges_says_so_in_its_row(connected: Run, page: Callable[..., str]) -> None:
    first, *others = connected.measurements
    failed = dataclasses.replace(first, upper=100.0, limit_origin="REQ-1", outcome=Outcome.FAIL)
    text = page(dataclasses.replace(connected, measurements=(failed, *others)))
    row = text[text.index("<code>tcp.connect</code>") :]
    assert "FAIL" in row[: row.index("</td>")]


def test_nothing_of_the_kind_makes_no_table(bare: Run, page: Callable[..., str]) -> None:
    assert latency_table(bare.measurements).rows == ()
    assert phase_table(bare.measurements).rows == ()
    assert "Memory by phase" not in page(bare)
