# SPDX-License-Identifier: MIT
"""The store at its size: trend and overview of a million summary rows, ingest, export.

    python -m benchmarks.stores [sqlite] [postgresql]     without a word: both

Each figure stands beside what one would do without the store, on the same rows in the same run. Needs no
board. 5,000 runs of 200 measurements are made for each database.
"""

from __future__ import annotations

import csv
import math
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.figures import Comparison, Goal, alternately, show_by_database
from reports.history_files import write_history
from rig.events import RunClock, Scalar
from rig.evidence.measurement import Measurement, Outcome
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.reader import load_run
from rig.evidence.recorder import RunRecorder
from rig.evidence.series_key import SeriesKey
from rig.evidence.store import Store, open_store
from rig.evidence.store.database import Link
from rig.evidence.store.records import FIGURES
from rig.evidence.store.writing import put_run
from tests.postgres import own_server

RUNS, BOARDS, PER_BOARD = 5_000, 2, 100
YEAR: Final = 365
TOGETHER: Final = 100
"""Nights that are put in as runs; the others are copies of them."""

_ID: Final = len("20260101T000000Z-0000")

FIRST: Final = datetime(2013, 1, 1, 2, tzinfo=UTC)
CONTEXT: Final[dict[str, Scalar]] = {
    "clock": "paced",
    "counter": "tim2",
    "compiler": "gcc-12.2.1",
    "opt": "O2",
}
ROUNDS: Final = 15


def figures(kinds: tuple[str, ...] = ("sqlite",)) -> Iterator[Comparison]:
    """All of them, for each kind of database."""
    for kind in kinds:
        with place_of(kind) as where, open_store(where) as store:
            began = time.perf_counter()
            fill(store)
            took = time.perf_counter() - began
            print(f"{kind}: {RUNS * BOARDS * PER_BOARD:,} rows put in, {took:.0f} s")
            with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
                yield from _questions(store, kind, Path(name))
                yield _export(store, kind, Path(name))
                yield _ingest(store, kind, Path(name))


@contextmanager
def place_of(kind: str) -> Iterator[str]:
    """Yields the address of an empty database of that kind."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield f"{stack.enter_context(tempfile.TemporaryDirectory(prefix='benchmark-'))}/store.sqlite"
        else:
            server = stack.enter_context(own_server())
            stack.enter_context(server.running())
            yield server.new_database()


def _questions(store: Store, kind: str, folder: Path) -> Iterator[Comparison]:
    """One trend, and what the overview asks, beside a Parquet file of the same figures that is filtered."""
    path, now = folder / "all.parquet", FIRST + timedelta(days=RUNS)
    one_parquet(store, path)
    key = store.keys()[17]
    trend = {
        f"{kind}: one trend of {RUNS:,} runs": lambda: _ms(lambda: len(store.series(key)) == RUNS),
        "pyarrow: the same, out of one Parquet file": lambda: _ms(lambda: _filtered(path, key) == RUNS),
    }
    figure, reference = alternately(ROUNDS, "ms", trend)
    yield Comparison(figure, (reference,), Goal("at most", 100.0), _of_it(lambda: store.series(key)))
    overview = {
        f"{kind}: what the overview asks": lambda: _ms(lambda: _overview(store, now)),
        "pyarrow: each board's newest row, out of that file": lambda: _ms(lambda: _newest(path) == BOARDS),
    }
    figure, reference = alternately(ROUNDS, "ms", overview)
    yield Comparison(figure, (reference,), Goal("at most", 200.0), _of_it(lambda: _overview(store, now)))


def _overview(store: Store, now: datetime) -> bool:
    boards, last = store.boards(), store.runs(20)
    flakes = store.flakes(now - timedelta(days=30))
    return bool(boards and last and flakes) and not store.alerts(["suspected", "confirmed"])


def _export(store: Store, kind: str, folder: Path) -> Comparison:
    """A year of nights as CSV, beside Python's own writer given nothing but the figures."""
    ids = [run.run_id for run in store.runs(YEAR)]

    def export() -> float:
        return _s(
            lambda: write_history((r for name in ids if (r := store.whole(name))), folder / "out", "csv")
        )

    def plain() -> float:
        rows = [m for name in ids for m in store.measurements(name)]
        return _s(lambda: _figures_only(folder / "plain.csv", rows))

    label = f"{kind}: export of {BOARDS * PER_BOARD} measurements × {YEAR} nights"
    figure, reference = alternately(
        3, "s", {label: export, "csv.writer, the figures alone": plain}, warm_up=0
    )
    return Comparison(figure, (reference,), Goal("at most", 60.0))


def _ingest(store: Store, kind: str, folder: Path) -> Comparison:
    """A bundle of 500 measurements with 1,000 samples each, beside a table with a row per sample."""
    runs = iter([load_run(_big_bundle(folder / "runs", seed)) for seed in range(7)])
    label = f"{kind}: ingest of 500 measurements × 1,000 samples"
    measures: dict[str, Callable[[], float]] = {
        label: lambda: _s(lambda: store.ingest(next(runs))),
        "SQLite: a row per sample": lambda: _s(lambda: _row_per_sample(folder / "rows.sqlite")),
    }
    figure, reference = alternately(5, "s", measures)
    return Comparison(figure, (reference,), Goal("at most", 1.0), _of_it(lambda: store.ingest(next(runs))))


# --- what is measured on


def fill(store: Store) -> None:
    """A hundred nights as any run comes in; then those again and again, later and a little slower."""
    dice = Random(7)
    with store.database.writing() as link:
        for number in range(TOGETHER):
            put_run(link, _night(number, dice), "", {})
    for turn in range(1, RUNS // TOGETHER):
        with store.database.writing() as link:
            for table in ("runs", "boards", "cases", "measurements", "taken"):
                _again(link, table, turn)


def _again(link: Link, table: str, turn: int) -> None:
    """Copies the rows of the first nights to a later time."""
    columns = list(link.ask(f"SELECT * FROM {table} LIMIT 1")[0])
    later_us = turn * TOGETHER * 86_400_000_000
    changed = {
        "run_id": f"run_id || '-{turn}'",
        "started_us": f"started_us + {later_us}",
        **{name: f"{name} * {1 + turn / 1000}" for name in FIGURES},
    }
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
    link.do(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE length(run_id) = {_ID}")


def _night(number: int, dice: Random) -> Run:
    started = FIRST + timedelta(days=number)
    boards = tuple(
        BoardResult(f"board-{n}", Outcome.PASS, f"SN-{n}", f"{number // 3:064x}", {"probe": "swd"}, None)
        for n in range(BOARDS)
    )
    names = [(board.name, at) for board in boards for at in range(PER_BOARD)]
    return Run(
        run_id=f"{started:%Y%m%dT%H%M%SZ}-{number:04x}",
        path=Path("nowhere"),
        outcome=Outcome.PASS,
        complete=True,
        started_utc=started,
        duration_s=600.0,
        operator=None,
        environment={},
        boards=boards,
        cases=tuple(_case(board, at, dice) for board, at in names if at % 4 == 0),
        measurements=tuple(_measured(board, at, dice) for board, at in names),
        events=(),
    )


def _case(board: str, at: int, dice: Random) -> CaseResult:
    outcome = Outcome.FAIL if dice.random() < 0.01 else Outcome.PASS
    return CaseResult(board, "kernel", f"case_{at}", 1, outcome, "", False, at, 1.5, {})


def _measured(board: str, at: int, dice: Random) -> MeasurementResult:
    value = (at + 1) * 100 * math.exp(dice.gauss(0, 0.01))
    spread = (
        value * 0.98,
        value,
        value,
        value * 1.01,
        value * 1.02,
        value * 1.03,
        value * 1.04,
        value * 0.01,
    )
    return MeasurementResult(
        *(board, "kernel", f"case_{at}", 1, f"kernel.figure.{at}", "cycles", 1000, *spread),
        *(None, value * 2, "requirement: KRN-1", "limits.toml:7", False, False, Outcome.PASS, None),
        {**CONTEXT, "cold_ticks": int(value)},
        "p50",
    )


def _big_bundle(runs_dir: Path, seed: int) -> Path:
    dice = Random(seed)
    with RunRecorder.create(runs_dir, RunClock(), None, {}) as run:
        run.board("board-0", "SN-0", "ab" * 32, {})
        run.case_started("board-0", "kernel", "test_all")
        for at in range(500):
            samples = [round(dice.lognormvariate(6, 0.02)) for _ in range(1000)]
            run.measurement(
                "board-0", "kernel", "test_all", 1, Measurement(f"m{at}", "cycles"), samples=samples
            )
        run.case_finished("board-0", "kernel", "test_all", 1, Outcome.PASS)
    return run.path


# --- what it stands beside


def one_parquet(store: Store, path: Path) -> None:
    """All figures in one file, in order of time, as nights would have been added to it."""
    import pandas as pd

    with store.database.reading() as link:
        columns = 'p.board, p."case", p.name, m.started_us, m.run_id, m.p50, m.p99, m.outcome'
        found = link.ask(
            f"SELECT {columns} FROM measurements m JOIN places p ON p.id = m.place ORDER BY m.started_us"
        )
    pd.DataFrame(found).to_parquet(path, index=False)


def _filtered(path: Path, key: SeriesKey) -> int:
    import pyarrow.parquet

    wanted = [("board", "=", key.board), ("name", "=", key.name)]
    return int(pyarrow.parquet.read_table(path, columns=["started_us", "p50"], filters=wanted).num_rows)


def _newest(path: Path) -> int:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=["board", "started_us"])
    return int(table.group_by("board").aggregate([("started_us", "max")]).num_rows)


def _figures_only(path: Path, rows: list[MeasurementResult]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows((m.board, m.name, m.n, m.min, m.mean, m.p50, m.p99, m.max) for m in rows)


def _row_per_sample(path: Path) -> None:
    dice = Random(1)
    values = [round(dice.lognormvariate(6, 0.02)) for _ in range(1000)]
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE samples (series INTEGER, position INTEGER, value INTEGER)")
        rows = ((series, at, value) for series in range(500) for at, value in enumerate(values))
        connection.executemany("INSERT INTO samples VALUES (?, ?, ?)", rows)
        connection.commit()


def _of_it(work: Callable[[], object]) -> str:
    """What this process itself has to do for it: waiting for others on a busy host is not in there."""
    began = time.process_time()
    work()
    return f"once more: {(time.process_time() - began) * 1e3:.1f} ms of this process's own time"


def _s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ms(check: Callable[[], bool]) -> float:
    began = time.perf_counter()
    if not check():
        raise SystemExit("the answer is not what was put in")
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Measures and prints."""
    show_by_database("stores", __doc__, figures)


if __name__ == "__main__":
    main()
