# SPDX-License-Identifier: MIT
"""The traceability matrix as a table: requirement → case → outcome → evidence, a row for each execution.

Owns its columns. A requirement that nothing shows has a row without an execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reports.csv_file import as_csv
from reports.tables import Column
from reports.tables import Row as Cells
from rig.evidence.qualification import Qualification, Row
from rig.evidence.qualification.executions import Execution

COLUMNS: Final = (
    Column("requirement", "text"),
    Column("mandatory", "yes or no"),
    Column("state", "text", few=True),
    Column("waived_by", "text", few=True),
    Column("waived_until", "text", few=True),
    Column("case", "text"),
    Column("outcome", "text", few=True),
    Column("decided", "yes or no"),
    Column("unstable", "yes or no"),
    Column("attempts", "whole"),
    Column("unit", "text", few=True),
    Column("board", "text", few=True),
    Column("clock", "text", few=True),
    Column("run_id", "text", few=True),
    Column("started", "moment"),
    Column("image_sha256", "text", few=True),
    Column("evidence", "text"),
    Column("reason", "text"),
)


def traceability_csv(said: Qualification) -> str:
    """The matrix as CSV."""
    return as_csv(COLUMNS, _rows(said))


def _rows(said: Qualification) -> Iterator[Cells]:
    for row in said.rows:
        if not row.shown:
            yield (*_head(row), None, row.outcome, *[None] * 10, row.reason)
        for one in row.shown:
            yield (*_head(row), *_cells(row, one))


def _head(row: Row) -> Cells:
    waiver = row.waiver if row.waived else None
    until = waiver.expires.isoformat() if waiver else None
    return row.wanted.id, row.wanted.mandatory, row.state.value, waiver.owner if waiver else None, until


def _cells(row: Row, one: Execution) -> Cells:
    return (
        one.label,
        one.outcome.value,
        one is row.by,
        one.unstable,
        one.attempts,
        one.unit.name,
        one.unit.board,
        " ".join(one.clocks),
        one.run_id,
        one.started_utc,
        one.unit.image_sha256,
        " ".join(f"runs/{one.run_id}/{name}" for name in one.evidence),
        one.reason or (row.reason if one is row.by else ""),
    )
