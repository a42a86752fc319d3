# SPDX-License-Identifier: MIT
"""Putting a run into the tables, and taking one out. Owns the rows; transactions are the caller's."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from rig.errors import EvidenceFault
from rig.evidence import bundle
from rig.evidence.conditions import context_of, is_exact
from rig.evidence.model import BoardResult, MeasurementResult, Run
from rig.evidence.series_key import followed, variant_of
from rig.evidence.store.database import Link, cell, insert, marks, microseconds, portions
from rig.evidence.store.records import FIGURES

_LEVEL: Final = 6
"""Of zlib: the next one takes half as long again for a hundredth less."""

_RUN = (
    *("run_id", "outcome", "complete", "started_us", "duration_s", "operator", "environment"),
    *("path", "stamp", "bundled"),
)
_BOARD = ("run_id", "name", "started_us", "outcome", "dut", "image_sha256", "identity")
_CASE = (
    *("run_id", "position", "board", "suite", "case", "attempt", "outcome", "reason", "unstable"),
    *("started_ns", "duration_s", "requirements"),
)
_PLACE = ("id", "board", "suite", "case", "name", "variant")
_MEASUREMENT = (
    *("place", "started_us", "run_id", "attempt", "last", "unit", "n", *FIGURES, "lower", "upper"),
    *("outcome", "exact", "image_sha256"),
)
_TAKEN = (
    *("run_id", "place", "attempt", "position", "statistic", "limit_origin", "limit_at", "provisional"),
    *("marginal", "samples_sha256", "samples_dtype", "context", "note"),
)
_SAMPLES = ("sha256", "dtype", "n", "last_us", "zlib")
_NEWEST: Final = (
    "(sha256, dtype) DO UPDATE SET last_us = excluded.last_us WHERE samples.last_us < excluded.last_us"
)

PackedSamples = Mapping[tuple[str, str], tuple[int, bytes]]
"""Number and compressed bytes of series that the store may not have yet, by SHA-256 and dtype."""


def run_id_of(run: Run) -> str:
    """The id a run is kept by: the name of its folder where that is an id, else what its header says."""
    return run.path.name if run.path.match(bundle.RUN_ID_GLOB) else run.run_id


def packed_samples(link: Link, run: Run) -> PackedSamples:
    """Reads, checks and compresses what the store lacks; a series missing from the bundle is missing here."""
    wanted = {
        (m.samples_sha256, m.samples_dtype): m.n
        for m in run.measurements
        if m.samples_sha256 is not None and m.samples_dtype is not None
    }
    there: set[tuple[str, str]] = set()
    for hashes in portions({sha256 for sha256, _ in wanted}):
        rows = link.ask(f"SELECT sha256, dtype FROM samples WHERE sha256 IN ({marks(hashes)})", hashes)
        there |= {(row["sha256"], row["dtype"]) for row in rows}
    return dict(_packed(run, {key: n for key, n in wanted.items() if key not in there}))


def _packed(
    run: Run, lacking: Mapping[tuple[str, str], int]
) -> Iterator[tuple[tuple[str, str], tuple[int, bytes]]]:
    for (sha256, dtype), n in lacking.items():
        try:
            content = bundle.series_bytes(run.path, sha256)
        except EvidenceFault:
            continue
        yield (sha256, dtype), (n, zlib.compress(content, _LEVEL))


def put_run(link: Link, run: Run, stamp: str, packed: PackedSamples) -> None:
    """Replaces all that is known of a run; ``stamp`` is the state of its bundle when it was read."""
    run_id, started_us = run_id_of(run), microseconds(run.started_utc)
    before = delete_run(link, run_id)
    boards = {board.name: board for board in run.boards}
    _rows(link, "runs", _RUN, [_of_run(run, run_id, started_us, stamp)])
    _rows(link, "boards", _BOARD, [_of_board(board, run_id, started_us) for board in run.boards])
    cases = [_fields(c, _CASE) | {"run_id": run_id, "position": at} for at, c in enumerate(run.cases)]
    _rows(link, "cases", _CASE, cases)
    _put_measurements(link, run, run_id, started_us, boards)
    samples = [(*key, n, started_us, content) for key, (n, content) in packed.items()]
    link.many(insert("samples", _SAMPLES, again=_NEWEST), samples)
    link.do(
        "UPDATE samples SET last_us = ? WHERE last_us < ? AND sha256 IN"
        " (SELECT samples_sha256 FROM taken WHERE run_id = ?)",
        (started_us, started_us, run_id),
    )
    link.do("DELETE FROM left_out WHERE run_id = ?", (run_id,))
    drop_empty(link, before)


def delete_run(link: Link, run_id: str) -> set[int]:
    """Takes out all that is known of a run but its samples; the places that had something of it."""
    rows = link.ask("SELECT DISTINCT place FROM measurements WHERE run_id = ?", (run_id,))
    for table in ("runs", "boards", "cases", "measurements", "taken"):
        link.do(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
    return {row["place"] for row in rows}


def drop_empty(link: Link, places: Collection[int]) -> None:
    """Forgets those of the places that have no measurement any more."""
    for some in portions(places):
        used = f"SELECT place FROM measurements WHERE place IN ({marks(some)})"
        for table, column in (("followed", "place"), ("places", "id")):
            which = f"{column} IN ({marks(some)}) AND {column} NOT IN ({used})"
            link.do(f"DELETE FROM {table} WHERE {which}", [*some, *some])


def must_be_the_same(link: Link, run: Run) -> None:
    """Raises EvidenceFault where the store has another run of that id."""
    run_id = run_id_of(run)
    rows = link.ask("SELECT started_us, path FROM runs WHERE run_id = ?", (run_id,))
    if rows and rows[0]["started_us"] != microseconds(run.started_utc):
        raise EvidenceFault(
            f"run {run_id} is in the store already, begun at another moment: that is another run",
            evidence=f"{run.path}, {rows[0]['path']}",
        )


def _put_measurements(
    link: Link, run: Run, run_id: str, started_us: int, boards: Mapping[str, BoardResult]
) -> None:
    """A row each in ``measurements`` and ``taken``, and their places; of two alike the first one counts."""
    last = _last_attempts(run.measurements)
    places: dict[int, tuple[object, ...]] = {}
    series: dict[tuple[int, str], None] = {}
    measurements, taken = [], []
    for at, result in enumerate(run.measurements):
        board = boards.get(result.board)
        key = (result.board, result.suite, result.case, result.name, variant_of(result.context, board))
        place = place_id(*key)
        places[place] = (place, *key)
        series |= dict.fromkeys((place, statistic) for statistic in followed(result))
        there = {"run_id": run_id, "place": place, "started_us": started_us, "position": at}
        measurements.append(
            _fields(result, _MEASUREMENT)
            | there
            | {
                "last": last[result.board, result.suite, result.case, result.name] == result.attempt,
                "exact": is_exact(result.unit, context_of(result.context, board)),
                "image_sha256": board.image_sha256 if board else None,
            }
        )
        taken.append(_fields(result, _TAKEN) | there)
    link.many(insert("places", _PLACE, again="DO NOTHING"), [_cells(row) for row in places.values()])
    link.many(insert("followed", ("place", "statistic"), again="DO NOTHING"), list(series))
    _rows(link, "measurements", _MEASUREMENT, measurements)
    _rows(link, "taken", _TAKEN, taken)


def place_id(*key: str) -> int:
    """The number of a place: 63 bits of a hash of what it is, so that nobody needs to ask for it."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _last_attempts(results: Iterable[MeasurementResult]) -> dict[tuple[str, str, str, str], int]:
    last: dict[tuple[str, str, str, str], int] = {}
    for r in results:
        key = (r.board, r.suite, r.case, r.name)
        last[key] = max(r.attempt, last.get(key, 0))
    return last


def _of_run(run: Run, run_id: str, started_us: int, stamp: str) -> dict[str, object]:
    bundled = bool(stamp) or (run.path / bundle.HEADER).exists()
    kept = {"run_id": run_id, "started_us": started_us, "path": run.path.resolve()}
    return _fields(run, _RUN) | kept | {"stamp": stamp, "bundled": bundled}


def _of_board(board: BoardResult, run_id: str, started_us: int) -> dict[str, object]:
    return _fields(board, _BOARD) | {"run_id": run_id, "started_us": started_us}


def _fields(record: Any, names: Iterable[str]) -> dict[str, object]:
    """Those of the names that the record has."""
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def _rows(link: Link, table: str, columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> None:
    again = "DO NOTHING" if table in ("measurements", "taken") else ""
    link.many(insert(table, columns, again=again), [_cells(row[name] for name in columns) for row in rows])


def _cells(values: Iterable[object]) -> list[object]:
    return [cell(value) for value in values]
