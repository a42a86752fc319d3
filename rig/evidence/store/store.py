# SPDX-License-Identifier: MIT
"""The store: results of many runs in one database, to be asked. Owns how it is opened, and transactions.

The bundles are the truth; what people decided (alerts, baselines) is kept here only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rig.errors import EvidenceFault
from rig.evidence.alerts import Alert, Baseline
from rig.evidence.model import CaseResult, MeasurementResult, Run
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.store import decisions, reading
from rig.evidence.store.database import BUSY_S, Database, Unusable
from rig.evidence.store.postgres import SCHEMES, PostgresServer
from rig.evidence.store.records import BoardNow, Flake, IndexedRun, placed
from rig.evidence.store.sqlite import SqliteFile
from rig.evidence.store.writing import must_be_the_same, packed_samples, place_id, put_run

if TYPE_CHECKING:
    import numpy.typing as npt

INDEX = "index.sqlite"
"""The store of a folder of runs, made again from them when it cannot be used."""

_T = TypeVar("_T")


class Store:
    """An open store; a context manager. Usable from any thread; every method blocks until it has its answer.

    Raises EvidenceFault where the database is away, locked, full, read-only, damaged, or a newer rig's.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database."""
        self.database.close()

    def ingest(self, run: Run, stamp: str = "") -> None:
        """Puts a run (again) into the store, all of it or nothing; never in the place of another one.

        ``stamp`` is the state of its bundle (see ``intake.stamp``); without one a later scan reads it again.
        """
        packed = self._read(packed_samples, run)
        with self.explained(), self.database.writing() as link:
            must_be_the_same(link, run)
            put_run(link, run, stamp, packed)

    # --- asking

    def count(self) -> int:
        """How many runs there are."""
        return int(self._read(lambda link: link.ask("SELECT count(*) AS n FROM runs"))[0]["n"])

    def runs(self, limit: int | None = None, board: str | None = None) -> list[IndexedRun]:
        """The newest runs first, at most ``limit``, of that board or of any."""
        return [self._placed(run) for run in self._read(reading.read_runs, limit, board)]

    def run(self, run_id: str) -> IndexedRun | None:
        """The run of that id, or None."""
        run = self._read(reading.read_run, run_id)
        return None if run is None else self._placed(run)

    def whole(self, run_id: str) -> Run | None:
        """All that is kept of a run, without events, artifacts and samples; None where there is none."""
        return self._read(reading.read_whole, run_id)

    def boards(self) -> list[BoardNow]:
        """Each board as its newest run left it, by name."""
        return self._read(reading.read_boards)

    def keys(self, board: str | None = None) -> list[SeriesKey]:
        """The series of that board, or of all, in order: of each measurement its value or median, and the
        figure that its limit judges."""
        return self._read(reading.read_keys, board)

    def newest(self, board: str) -> list[tuple[str, MeasurementResult]]:
        """What the board gave last of each measurement, for each variant of a series key that it has."""
        return self._read(reading.read_newest, board)

    def series(self, key: SeriesKey, newest: int | None = None) -> list[Point]:
        """A figure over all runs that have it, or so many newest, oldest first; the last attempt of each
        run counts.

        Any statistic can be asked for, listed or not; raises ValueError for one that is unknown.
        """
        place = place_id(key.board, key.suite, key.case, key.name, key.variant)
        return self._read(reading.read_series, place, key.statistic, newest)

    def measurements(self, run_id: str) -> list[MeasurementResult]:
        """What a run measured, in its order."""
        return self._read(reading.read_measurements, run_id)

    def cases(self, run_id: str) -> list[CaseResult]:
        """The attempts of a run, in its order; artifacts are in its bundle only."""
        return self._read(reading.read_cases, run_id)

    def flakes(self, since: datetime) -> list[Flake]:
        """The cases that since then passed on a later attempt or sometimes went wrong; most trouble first."""
        return self._read(reading.read_flakes, since)

    def samples(self, sha256: str, dtype: str) -> npt.NDArray[Any]:
        """The samples of that hash; raises EvidenceFault if they are not there (any more)."""
        return self._read(reading.read_samples, sha256, dtype, self.database.shown)

    # --- what people decide

    def alerts(self, states: Collection[str] | None = None) -> list[Alert]:
        """The alerts in one of the states, or all; the one that changed last first."""
        return self._read(decisions.read_alerts, states)

    def save_alert(self, alert: Alert) -> None:
        """Keeps an alert, in the place of the one with its id."""
        with self.explained(), self.database.writing() as link:
            decisions.write_alert(link, alert)

    def baselines(self) -> list[Baseline]:
        """All baselines, every version of them, by name and version."""
        return self._read(decisions.read_baselines)

    def save_baseline(self, baseline: Baseline) -> None:
        """Keeps a baseline; raises UsageFault where that version of it is set already."""
        with self.explained(), self.database.writing() as link:
            decisions.write_baseline(link, baseline)

    # --- inside

    def _read(self, question: Callable[..., _T], *asked: object) -> _T:
        with self.explained(), self.database.reading() as link:
            return question(link, *asked)

    def _placed(self, run: IndexedRun) -> IndexedRun:
        return placed(run, self.database.file.parent) if self.database.file is not None else run

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Says in its own words that the store must be made again."""
        try:
            yield
        except Unusable as error:
            raise EvidenceFault(
                f"the store is damaged or an older rig's: {error}",
                hint="'rig store rebuild' makes it again from the bundles",
            ) from error


def database_at(where: str | Path, *, busy_s: float = BUSY_S) -> Database:
    """The database meant: a file, the index of a folder of runs, or ``postgresql://…``. Opens nothing."""
    if str(where).startswith(SCHEMES):
        return PostgresServer(str(where), busy_s=busy_s)
    path = Path(where)
    return SqliteFile(path / INDEX if path.is_dir() else path, busy_s=busy_s)


def open_store(where: str | Path, *, busy_s: float = BUSY_S) -> Store:
    """Opens the store at ``where``, see ``database_at``; makes or migrates its tables.

    The index of a folder of runs is made again from its bundles when it cannot be used. ``busy_s``: how long
    to wait for others that write. Raises EvidenceFault, UsageFault.
    """
    from rig.evidence.store.intake import remake

    database = database_at(where, busy_s=busy_s)
    store = Store(database)
    try:
        with database.reading():
            return store
    except Unusable:
        if database.file is not None and database.file.name == INDEX:
            remake(database, database.file.parent)
            return store
        with store.explained():
            raise
    except BaseException:
        store.close()
        raise
