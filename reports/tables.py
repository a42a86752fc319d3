# SPDX-License-Identifier: MIT
"""A run as tidy tables: cases, measurements, samples. The columns are described in ``docs/tables.md``.

Owns which columns there are, their types and their order. A figure is given as it is stored: what has no
value is empty, and no outcome is computed here. How a table is written is ``csv_file.py``'s and
``parquet.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Literal

from reports.figures import is_tick
from reports.samples import SampleReader
from rig.events import Scalar
from rig.evidence.export import plain
from rig.evidence.model import BoardResult, MeasurementResult, Run

if TYPE_CHECKING:
    from rig.evidence.statistics import Samples

Type = Literal["text", "whole", "real", "yes or no", "moment"]
Row = tuple[object, ...]

CONTEXT = (
    "kernel", "clock", "cpu_hz", "clock_source", "counter", "counter_hz", "tick_hz", "opt", "asserts",
    "stack_check", "trace", "task_select", "heap", "compiler", "flags", "fpu", "overhead_ticks", "cold_ticks",
    "profile",
)  # fmt: skip
"""Facts of a measurement's context that have a column of their own; the column ``context`` has all of it."""
_WHOLE = frozenset(
    ("cpu_hz", "counter_hz", "tick_hz", "asserts", "stack_check", "trace", "overhead_ticks", "cold_ticks")
)
_FIGURES = ("min", "mean", "p50", "p90", "p99", "p999", "max", "sd")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the type of its values (or None), and the unit where it is always the same."""

    name: str
    type: Type
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; each row has a value per column. ``rows`` can be gone through once."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]


_KEY = (Column("run_id", "text"), Column("board", "text"), Column("suite", "text"), Column("case", "text"),
        Column("attempt", "whole"))  # fmt: skip
_CASE = (
    *_KEY, Column("outcome", "text"), Column("unstable", "yes or no"), Column("reason", "text"),
    Column("started", "moment"), Column("started_s", "real", "s"), Column("duration_s", "real", "s"),
    Column("dut", "text"), Column("image_sha256", "text"), Column("kernel", "text"),
)  # fmt: skip
_MEASUREMENT = (
    *_KEY, Column("measurement", "text"), Column("population", "text"), Column("unit", "text"),
    Column("n", "whole"), *(Column(name, "real") for name in _FIGURES),
    Column("statistic", "text"), Column("lower", "real"), Column("upper", "real"), Column("outcome", "text"),
    Column("marginal", "yes or no"), Column("provisional", "yes or no"), Column("limit_origin", "text"),
    Column("limit_at", "text"), Column("note", "text"), Column("samples_sha256", "text"),
    Column("dut", "text"), Column("image_sha256", "text"), Column("emulated", "yes or no"),
    *(Column(name, "whole" if name in _WHOLE else "text") for name in CONTEXT), Column("context", "text"),
)  # fmt: skip
_SAMPLE = (
    *_KEY, Column("measurement", "text"), Column("population", "text"), Column("unit", "text"),
    Column("index", "whole"), Column("value", "real"),
)  # fmt: skip


def tables(run: Run, samples: SampleReader) -> tuple[Table, ...]:
    """The three tables of a run. Going through the last raises EvidenceFault if samples cannot be read."""
    boards = {board.name: board for board in run.boards}
    return (
        Table("cases", _CASE, _cases(run, boards)),
        Table("measurements", _MEASUREMENT, (_measurement(run, m, boards) for m in run.measurements)),
        Table("samples", _SAMPLE, _samples(run, samples)),
    )


def _cases(run: Run, boards: Mapping[str, BoardResult]) -> Iterator[Row]:
    for case in run.cases:
        started = run.started_utc.astimezone(UTC) + timedelta(microseconds=case.started_ns / 1000)
        key = (run.run_id, case.board, case.suite, case.case, case.attempt)
        board = boards.get(case.board)
        kernel = _text(board.identity.get("kernel")) if board else None
        of_board = (board.dut if board else None, board.image_sha256 if board else None, kernel)
        times = (started, case.started_ns / 1e9, case.duration_s)
        yield (*key, case.outcome.value, case.unstable, case.reason or None, *times, *of_board)


def _measurement(run: Run, m: MeasurementResult, boards: Mapping[str, BoardResult]) -> Row:
    board = boards.get(m.board)
    emulated = board.identity.get("emulated") if board else None
    figures = (getattr(m, name) if m.n else None for name in _FIGURES)
    return (
        run.run_id, m.board, m.suite, m.case, m.attempt, m.name, _population(m), m.unit, m.n, *figures,
        m.statistic, m.lower, m.upper, m.outcome.value if m.outcome else None, m.marginal, m.provisional,
        m.limit_origin, m.limit_at, m.note or None, m.samples_sha256,
        board.dut if board else None, board.image_sha256 if board else None, emulated is True,
        *(_fact(name, m.context.get(name)) for name in CONTEXT),
        json.dumps(plain(m.context), ensure_ascii=True) if m.context else None,
    )  # fmt: skip


def _samples(run: Run, read: SampleReader) -> Iterator[Row]:
    for m in run.measurements:
        if not m.n or (m.samples_sha256 is None and m.n != 1):
            continue
        values: Sequence[float] = [m.mean] if m.samples_sha256 is None else _plain(read(run, m))
        key = (run.run_id, m.board, m.suite, m.case, m.attempt, m.name, _population(m), m.unit)
        yield from ((*key, index, float(value)) for index, value in enumerate(values))


def _plain(series: Samples) -> Sequence[float]:
    numbers: Any = series
    return list(getattr(numbers, "tolist", lambda: numbers)())


def _population(m: MeasurementResult) -> str | None:
    """``tick`` for samples that a tick interrupt hit."""
    return _text(m.context.get("population")) or ("tick" if is_tick(m) else None)


def _text(value: Scalar) -> str | None:
    return None if value is None else str(value)


def _fact(name: str, value: Scalar) -> object:
    """A fact of the context in the type of its column; a board says numbers as text."""
    if name not in _WHOLE:
        return _text(value)
    said = str(int(value)) if isinstance(value, bool) else str(value)
    return int(said) if said.removeprefix("-").isdecimal() and said.isascii() else None
