# SPDX-License-Identifier: MIT
"""A run as tidy tables: cases, measurements, samples. The columns are described in ``docs/tables.md``.

Owns which columns there are, their types and their order. A figure is given as it is stored: what has no
value is None, and no outcome is computed here. How a table is written is ``csv_file.py``'s; as DataFrames and
Parquet it is ``frames.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

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
    """A column: its name, the type of its values (or None), and the unit where it is always the same.

    ``few``: its texts are names that many rows share.
    """

    name: str
    type: Type
    unit: str = ""
    few: bool = False


def _names(*columns: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text", few=True) for name in columns)


_KEY = (*_names("run_id", "board", "suite", "case"), Column("attempt", "whole"))
_OF_KEY = _names("measurement", "population", "unit")
CASES: Final = (
    *_KEY, *_names("outcome"), Column("unstable", "yes or no"), Column("reason", "text"),
    Column("started", "moment"), Column("started_s", "real", "s"), Column("duration_s", "real", "s"),
    *_names("dut", "image_sha256", "kernel"), Column("requirements", "text"),
)  # fmt: skip
MEASUREMENTS: Final = (
    *_KEY, *_OF_KEY, Column("n", "whole"), *(Column(name, "real") for name in _FIGURES),
    *_names("statistic"), Column("lower", "real"), Column("upper", "real"), *_names("outcome"),
    Column("marginal", "yes or no"), Column("provisional", "yes or no"), Column("limit_origin", "text"),
    Column("limit_at", "text"), Column("note", "text"), Column("samples_sha256", "text"),
    *_names("dut", "image_sha256"), Column("emulated", "yes or no"),
    *(Column(name, "whole") if name in _WHOLE else _names(name)[0] for name in CONTEXT),
    Column("context", "text"),
)  # fmt: skip
SAMPLES: Final = (*_KEY, *_OF_KEY, Column("index", "whole"), Column("value", "real"))
COLUMNS: Final = MappingProxyType({"cases": CASES, "measurements": MEASUREMENTS, "samples": SAMPLES})
"""The columns of each table of a run, by its name."""


def cases(run: Run) -> Iterator[Row]:
    """A row per attempt at a case, in the order of ``CASES``."""
    boards = {board.name: board for board in run.boards}
    for case in run.cases:
        started = run.started_utc.astimezone(UTC) + timedelta(microseconds=case.started_ns / 1000)
        key = (run.run_id, case.board, case.suite, case.case, case.attempt)
        board = boards.get(case.board)
        kernel = _text(board.identity.get("kernel")) if board else None
        of_board = (board.dut if board else None, board.image_sha256 if board else None, kernel)
        times = (started, case.started_ns / 1e9, case.duration_s)
        there_for = ", ".join(case.requirements) or None
        outcome = (case.outcome.value, case.unstable, case.reason or None)
        yield (*key, *outcome, *times, *of_board, there_for)


def measurements(run: Run) -> Iterator[Row]:
    """A row per measurement, in the order of ``MEASUREMENTS``."""
    boards = {board.name: board for board in run.boards}
    return (_measurement(run, m, boards) for m in run.measurements)


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


def series(run: Run, read: SampleReader) -> Iterator[tuple[Row, Sequence[float]]]:
    """The samples of each measurement that has some, after the part of ``SAMPLES`` that all of them share.

    Raises EvidenceFault if samples cannot be read.
    """
    for m in run.measurements:
        if not m.n or (m.samples_sha256 is None and m.n != 1):
            continue
        values: Sequence[float] = [m.mean] if m.samples_sha256 is None else _plain(read(run, m))
        yield (run.run_id, m.board, m.suite, m.case, m.attempt, m.name, _population(m), m.unit), values


def samples(run: Run, read: SampleReader) -> Iterator[Row]:
    """A row per sample, in the order of ``SAMPLES``; raises EvidenceFault if samples cannot be read."""
    for key, values in series(run, read):
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
