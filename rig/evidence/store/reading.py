# SPDX-License-Identifier: MIT
"""The questions that the store answers, as SQL. Reads summary rows, never samples but where it says so."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rig.errors import EvidenceFault
from rig.evidence import bundle
from rig.evidence.model import CaseResult, MeasurementResult, Run
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.statistics import STATISTICS
from rig.evidence.store.database import Link, Row, microseconds
from rig.evidence.store.records import (
    BoardNow,
    Flake,
    IndexedRun,
    SameImage,
    board_now,
    board_result,
    case_result,
    indexed_run,
    measurement_result,
    point,
    stored_run,
)

if TYPE_CHECKING:
    import numpy.typing as npt

_ALL: Final = 2**62
_POINT: Final = (
    "m.run_id, m.started_us, m.image_sha256, m.{figure}, m.n, m.outcome, m.lower, m.upper, m.unit, m.exact"
)
_OF_A_CASE: Final = 'p.board = ? AND p.suite = ? AND p."case" = ? AND p.name = ?'


def read_runs(link: Link, limit: int | None, board: str | None = None) -> list[IndexedRun]:
    """The newest runs first, at most ``limit``, of that board or of any."""
    table, which, of_board = ("runs", "", ()) if board is None else ("boards", "WHERE name = ?", (board,))
    chosen = f"SELECT run_id FROM {table} {which} ORDER BY started_us DESC, run_id DESC LIMIT ?"
    values = (*of_board, _ALL if limit is None else limit)
    rows = link.ask(f"SELECT * FROM runs WHERE run_id IN ({chosen})", values)
    newest_first = sorted(rows, key=lambda row: (row["started_us"], row["run_id"]), reverse=True)
    return _with_boards(link, newest_first, chosen, values)


def read_run(link: Link, run_id: str) -> IndexedRun | None:
    """The run of that id, or None."""
    rows = link.ask("SELECT * FROM runs WHERE run_id = ?", (run_id,))
    return next(iter(_with_boards(link, rows, "?", (run_id,))), None)


def _with_boards(link: Link, rows: list[Row], ids: str, values: tuple[object, ...]) -> list[IndexedRun]:
    boards: dict[str, list[str]] = {}
    for row in link.ask(f"SELECT run_id, name FROM boards WHERE run_id IN ({ids})", values):
        boards.setdefault(row["run_id"], []).append(row["name"])
    return [indexed_run(row, tuple(sorted(boards.get(row["run_id"], ())))) for row in rows]


def read_whole(link: Link, run_id: str) -> Run | None:
    """All that the tables have of a run."""
    rows = link.ask("SELECT * FROM runs WHERE run_id = ?", (run_id,))
    boards = link.ask("SELECT * FROM boards WHERE run_id = ? ORDER BY name", (run_id,))
    if not rows:
        return None
    return stored_run(rows[0], boards, read_cases(link, run_id), read_measurements(link, run_id))


def read_boards(link: Link) -> list[BoardNow]:
    """Each board as its newest run left it, by name."""
    newest = "SELECT name, max(started_us) AS newest FROM boards GROUP BY name"
    sql = f"SELECT b.* FROM boards b JOIN ({newest}) n ON n.name = b.name AND n.newest = b.started_us"
    found = sorted(map(board_now, link.ask(sql)), key=lambda board: (board.name, board.run_id))
    return list({board.name: board for board in found}.values())


def read_keys(link: Link, board: str | None = None) -> list[SeriesKey]:
    """The series of that board, or of all, in order."""
    sql = 'SELECT p.board, p.suite, p."case", p.name, f.statistic, p.variant FROM places p JOIN followed f'
    of_board, values = ("", ()) if board is None else (" WHERE p.board = ?", (board,))
    return sorted(SeriesKey(**row) for row in link.ask(f"{sql} ON f.place = p.id{of_board}", values))


def read_series(link: Link, place: int, statistic: str, newest: int | None) -> list[Point]:
    """One figure of a place over its ``newest`` runs, or all, oldest first; the last attempt of each."""
    sql = f"""
      SELECT {_POINT.format(figure=_figure(statistic))} FROM measurements m
      WHERE m.place = ? AND m.last = 1 ORDER BY m.started_us DESC, m.run_id DESC LIMIT ?"""
    rows = link.tuples(sql, (place, _ALL if newest is None else newest))
    return [point(*row) for row in reversed(list(rows))]


def read_trend(link: Link, of: tuple[str, str, str, str], statistic: str) -> list[Point]:
    """The same of a board, suite, case and name, however it was taken."""
    sql = f"""
      SELECT {_POINT.format(figure=_figure(statistic))} FROM places p JOIN measurements m ON m.place = p.id
      WHERE {_OF_A_CASE} AND m.last = 1 ORDER BY m.started_us, m.run_id"""
    return [point(*row) for row in link.tuples(sql, of)]


def _figure(statistic: str) -> str:
    if statistic not in STATISTICS:
        raise ValueError(f"unknown statistic '{statistic}', there are {', '.join(STATISTICS)}")
    return "mean" if statistic == "value" else statistic


def read_measurements(link: Link, run_id: str) -> list[MeasurementResult]:
    """What a run measured, in its order."""
    return [measurement_result(row) for row in _measured(link, "m.run_id = ?", (run_id,))]


def read_newest(link: Link, board: str) -> list[tuple[str, MeasurementResult]]:
    """What the board gave last of each measurement, for each way it was taken: the variant and the result."""
    last = "SELECT max(n.started_us) FROM measurements n WHERE n.place = m.place AND n.last = 1"
    which = f"p.board = ? AND m.last = 1 AND m.started_us = ({last})"
    return [(row["variant"], measurement_result(row)) for row in _measured(link, which, (board,))]


def _measured(link: Link, which: str, values: tuple[object, ...]) -> list[Row]:
    sql = f"""
      SELECT p.board, p.suite, p."case", p.name, p.variant, m.*, t.* FROM measurements m
      JOIN taken t ON t.run_id = m.run_id AND t.place = m.place AND t.attempt = m.attempt
      JOIN places p ON p.id = m.place WHERE {which} ORDER BY m.run_id, t.position"""
    return link.ask(sql, values)


def read_cases(link: Link, run_id: str) -> list[CaseResult]:
    """The attempts of a run, in its order; without artifacts."""
    rows = link.ask("SELECT * FROM cases WHERE run_id = ? ORDER BY position", (run_id,))
    return [case_result(row) for row in rows]


def read_flakes(link: Link, since: datetime) -> list[Flake]:
    """The cases that since then passed on a later attempt, or went wrong sometimes; most trouble first.

    The order of a CROSS JOIN is SQLite's to keep: the few runs first, never all cases.
    """
    wrong = "sum(CASE WHEN c.outcome IN ('FAIL', 'ERROR') THEN 1 ELSE 0 END)"
    sql = f"""
      SELECT c.board, c.suite, c."case", count(*) AS attempts, sum(c.unstable) AS unstable, {wrong} AS failed
      FROM runs r CROSS JOIN cases c
      WHERE r.started_us >= ? AND c.run_id = r.run_id AND c.outcome <> 'SKIPPED'
      GROUP BY c.board, c.suite, c."case"
      HAVING sum(c.unstable) > 0 OR ({wrong} > 0 AND {wrong} < count(*))"""
    rows = link.ask(sql, (microseconds(since),))
    flakes = [Flake(**{name: _plain(value) for name, value in row.items()}) for row in rows]
    return sorted(flakes, key=lambda f: (-(f.failed + f.unstable) / f.attempts, f.board, f.suite, f.case))


def _plain(value: Any) -> Any:
    """A sum of PostgreSQL is a Decimal."""
    return value if isinstance(value, str) else int(value)


def read_same_image(
    link: Link, board: str, image_sha256: str, most: int, without: Collection[str]
) -> list[SameImage]:
    """What the newest ``most`` complete runs of an image on a board measured; see ``folder.same_image``."""
    sql = """
      SELECT b.* FROM boards b JOIN runs r ON r.run_id = b.run_id
      WHERE b.name = ? AND b.image_sha256 = ? AND r.complete = 1
      ORDER BY b.started_us DESC, b.run_id DESC LIMIT ?"""
    rows = link.ask(sql, (board, image_sha256, most + len(without)))
    ran = [row for row in rows if row["run_id"] not in without][:most]
    return [found for row in ran for found in _same_image(link, row)]


def _same_image(link: Link, run: Row) -> list[SameImage]:
    board = board_result(run)
    which = "m.run_id = ? AND p.board = ? AND m.last = 1 AND m.mean IS NOT NULL"
    return [
        SameImage(
            run["run_id"],
            (board.name, row["suite"], row["case"], row["name"]),
            row["unit"],
            {name: row[name] for name in ("p50", "p99", "max", "mean")},
            json.loads(row["context"]),
            board,
        )
        for row in _measured(link, which, (run["run_id"], board.name))
    ]


def read_samples(link: Link, sha256: str, dtype: str, shown: str) -> npt.NDArray[Any]:
    """The samples of that hash; raises EvidenceFault if they are not there (any more)."""
    rows = link.ask("SELECT zlib FROM samples WHERE sha256 = ? AND dtype = ?", (sha256, dtype))
    if not rows:
        raise EvidenceFault(f"no samples {sha256[:12]}… of type {dtype} in the store", evidence=shown)
    return bundle.series_from_bytes(zlib.decompress(rows[0]["zlib"]), dtype)
