# SPDX-License-Identifier: MIT
"""Asking the index: lists, finding a run by what a person types, a series, a trend. Never writes verdicts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.errors import EvidenceFault, UsageFault
from rig.events import Scalar
from rig.evidence import bundle
from rig.evidence.measurement import Outcome
from rig.evidence.model import BoardResult
from rig.evidence.statistics import STATISTICS
from rig.evidence.store.database import Unusable, connected
from rig.evidence.store.index import rebuild, refresh

if TYPE_CHECKING:
    import numpy.typing as npt

LATEST = "latest"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class IndexedRun:
    """A run as the index knows it; ``load_run(path)`` has the rest."""

    run_id: str
    path: Path
    outcome: Outcome
    complete: bool
    started_utc: datetime
    duration_s: float
    operator: str | None
    boards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One run's figure of a measurement; ``value`` is NaN where the run has none."""

    run_id: str
    started_utc: datetime
    value: float
    n: int
    outcome: Outcome | None
    image_sha256: str | None


@dataclass(frozen=True, slots=True)
class SameImage:
    """A measurement of a run of one image: its place (board, suite, case, name), figures, and how taken."""

    run_id: str
    key: tuple[str, str, str, str]
    unit: str
    figures: Mapping[str, float]
    context: Mapping[str, Scalar]
    board: BoardResult


def list_runs(runs_dir: Path, limit: int | None = None) -> list[IndexedRun]:
    """The runs of the folder, newest first, at most ``limit``; bundles not indexed yet are indexed first.

    A folder that does not exist has no runs. Raises EvidenceFault.
    """
    if not runs_dir.is_dir():
        return []
    refresh(runs_dir)
    names = "SELECT group_concat(name, char(10)) FROM boards WHERE boards.run_id = runs.run_id"
    sql = f"SELECT *, ({names}) AS boards FROM runs ORDER BY run_id DESC LIMIT ?"
    return [_indexed(runs_dir, row) for row in _ask(runs_dir, sql, (-1 if limit is None else limit,))]


def find_run(runs_dir: Path, wanted: str = LATEST) -> Path:
    """The folder of the run meant by ``latest``, by a folder's path, or by the beginning or end of a run id.

    Raises UsageFault, listing the candidates, if there is none or more than one.
    """
    if wanted != LATEST and (Path(wanted) / bundle.HEADER).is_file():
        return Path(wanted)
    names = [run.run_id for run in list_runs(runs_dir)]
    if not names:
        raise UsageFault(f"there are no runs in {runs_dir}")
    if wanted == LATEST:
        return runs_dir / names[0]
    found = [name for name in names if name.startswith(wanted) or name.endswith(f"-{wanted}")]
    if len(found) == 1:
        return runs_dir / found[0]
    what = f"'{wanted}' means {len(found)} runs" if found else f"no run '{wanted}' in {runs_dir}"
    raise UsageFault(f"{what}: there {'are' if len(found or names) > 1 else 'is'} {_listed(found or names)}")


def latest(runs_dir: Path) -> Path:
    """The folder of the newest run; raises UsageFault if there is none."""
    return find_run(runs_dir, LATEST)


def trend(
    runs_dir: Path, board: str, suite: str, case: str, name: str, statistic: str = "p50"
) -> list[TrendPoint]:
    """One figure of a measurement over all runs that have it, oldest first; each run's last attempt counts.

    Raises ValueError for an unknown statistic.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"unknown statistic '{statistic}', there are {', '.join(STATISTICS)}")
    figure = "mean" if statistic == "value" else statistic
    sql = f"""
      SELECT m.run_id, r.started_utc, m.{figure} AS value, m.n, m.outcome, b.image_sha256, max(m.attempt)
      FROM measurements m JOIN runs r USING (run_id)
      LEFT JOIN boards b ON b.run_id = m.run_id AND b.name = m.board
      WHERE m.name = ? AND m.board = ? AND m.suite = ? AND m."case" = ?
      GROUP BY m.run_id ORDER BY m.run_id"""
    refresh(runs_dir)
    return [_point(row) for row in _ask(runs_dir, sql, (name, board, suite, case))]


def same_image(
    runs_dir: Path, board: str, image_sha256: str, most: int, without: Collection[str] = ()
) -> list[SameImage]:
    """What the newest ``most`` runs of that image on that board measured; each case's last attempt counts.

    Runs that are not complete are left out, those in ``without``, and measurements that are no numbers. A
    folder without runs has none.
    """
    if not runs_dir.is_dir():
        return []
    refresh(runs_dir)
    sql = """
      SELECT b.run_id, b.outcome, b.dut, b.identity FROM boards b JOIN runs r USING (run_id)
      WHERE b.name = ? AND b.image_sha256 = ? AND r.complete ORDER BY b.run_id DESC LIMIT ?"""
    rows = _ask(runs_dir, sql, (board, image_sha256, most + len(without)))
    ran = [row for row in rows if row["run_id"] not in without][:most]
    return [found for row in ran for found in _same_image(runs_dir, board, image_sha256, row)]


def series(runs_dir: Path, sha256: str, dtype: str) -> npt.NDArray[Any]:
    """The samples of that hash from the index; raises EvidenceFault if it has none."""
    rows = _ask(runs_dir, "SELECT zlib FROM series WHERE sha256 = ? AND dtype = ?", (sha256, dtype))
    if not rows:
        raise EvidenceFault(f"no samples {sha256[:12]}… of type {dtype} in the index", evidence=str(runs_dir))
    return bundle.series_from_bytes(zlib.decompress(rows[0]["zlib"]), dtype)


def _ask(runs_dir: Path, sql: str, values: Sequence[object]) -> list[Any]:
    try:
        return _rows(runs_dir, sql, values)
    except Unusable:
        rebuild(runs_dir)
    try:
        return _rows(runs_dir, sql, values)
    except Unusable as error:
        raise EvidenceFault(f"the index of runs is damaged again at once: {error}") from error


def _rows(runs_dir: Path, sql: str, values: Sequence[object]) -> list[Any]:
    with connected(runs_dir) as connection:
        return connection.execute(sql, values).fetchall()


def _same_image(runs_dir: Path, board: str, image_sha256: str, run: Any) -> list[SameImage]:
    sql = """
      SELECT *, max(attempt) FROM measurements WHERE run_id = ? AND board = ? AND mean IS NOT NULL
      GROUP BY suite, "case", name"""
    identity = json.loads(run["identity"])
    result = BoardResult(board, Outcome(run["outcome"]), run["dut"], image_sha256, identity, None)
    return [
        SameImage(
            run["run_id"],
            (board, row["suite"], row["case"], row["name"]),
            row["unit"],
            {name: row[name] for name in ("p50", "p99", "max", "mean")},
            json.loads(row["context"]),
            result,
        )
        for row in _ask(runs_dir, sql, (run["run_id"], board))
    ]


def _indexed(runs_dir: Path, row: Any) -> IndexedRun:
    return IndexedRun(
        run_id=row["run_id"],
        path=runs_dir / row["run_id"],
        outcome=Outcome(row["outcome"]),
        complete=bool(row["complete"]),
        started_utc=datetime.fromisoformat(row["started_utc"]),
        duration_s=row["duration_s"],
        operator=row["operator"],
        boards=tuple((row["boards"] or "").split("\n")) if row["boards"] else (),
    )


def _point(row: Any) -> TrendPoint:
    value = float("nan") if row["value"] is None else row["value"]
    outcome = None if row["outcome"] is None else Outcome(row["outcome"])
    started = datetime.fromisoformat(row["started_utc"])
    return TrendPoint(row["run_id"], started, value, row["n"], outcome, row["image_sha256"])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} older" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
