# SPDX-License-Identifier: MIT
"""The index of a folder of runs, ``runs/index.sqlite``: a store that follows its folder by itself.

Bundles that are new, have grown or are gone are noticed whenever it is asked. It is a convenience: when it is
missing, damaged or of an older rig, it is made again at once. Their hashes are not looked at for that;
``rig store ingest`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from rig.errors import EvidenceFault, UsageFault
from rig.evidence import bundle
from rig.evidence.model import Run
from rig.evidence.series_key import Point
from rig.evidence.statistics import STATISTICS
from rig.evidence.store import reading
from rig.evidence.store.database import Link, Row, Unusable
from rig.evidence.store.intake import PRUNED, bundles_in, read_bundle, refill, stamp
from rig.evidence.store.records import IndexedRun, SameImage, placed
from rig.evidence.store.sqlite import SqliteFile
from rig.evidence.store.store import INDEX
from rig.evidence.store.writing import delete_run, drop_empty, packed_samples, put_run

LATEST: Final = "latest"
_SHOWN: Final = 10
_T = TypeVar("_T")


def index_run(run: Run) -> None:
    """Puts a run (again) into the index of the folder it lies in. Blocks while others write.

    An index that cannot be used is made again from all bundles. Raises EvidenceFault.
    """
    with _index(run.path.parent) as index:
        try:
            with index.reading() as link:
                packed = packed_samples(link, run)
            with index.writing() as link:
                put_run(link, run, stamp(run.path) if run.complete else "", packed)
        except Unusable:
            _remake(index, run.path.parent)


def rebuild(runs_dir: Path) -> tuple[str, ...]:
    """Makes the index anew from the bundles; returns what could not be read, one text per bundle."""
    with _index(runs_dir) as index:
        return _remake(index, runs_dir)


def refresh(runs_dir: Path) -> tuple[str, ...]:
    """Brings the index up to bundles that are new, have grown or are gone; returns what was unreadable."""
    with _index(runs_dir) as index:
        try:
            return _followed(index, runs_dir)
        except Unusable:
            return _remake(index, runs_dir)


def list_runs(runs_dir: Path, limit: int | None = None) -> list[IndexedRun]:
    """The runs of the folder, newest first, at most ``limit``; bundles not indexed yet are indexed first.

    A folder that does not exist has no runs. Raises EvidenceFault.
    """
    found = _ask(runs_dir, lambda link: reading.read_runs(link, limit)) if runs_dir.is_dir() else []
    return [placed(run, runs_dir) for run in found]


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
) -> list[Point]:
    """One figure of a measurement over all runs that have it, oldest first; each run's last attempt counts.

    Raises ValueError for an unknown statistic.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"unknown statistic '{statistic}', there are {', '.join(STATISTICS)}")
    return _ask(runs_dir, lambda link: reading.read_trend(link, (board, suite, case, name), statistic))


def same_image(
    runs_dir: Path, board: str, image_sha256: str, most: int, without: Collection[str] = ()
) -> list[SameImage]:
    """What the newest ``most`` runs of that image on that board measured; each case's last attempt counts.

    Runs that are not complete are left out, those in ``without``, and measurements that are no numbers. A
    folder without runs has none.
    """
    if not runs_dir.is_dir():
        return []
    return _ask(runs_dir, lambda link: reading.read_same_image(link, board, image_sha256, most, without))


@contextmanager
def _index(runs_dir: Path) -> Iterator[SqliteFile]:
    index = SqliteFile(runs_dir / INDEX)
    try:
        yield index
    finally:
        index.close()


def _ask(runs_dir: Path, question: Callable[[Link], _T]) -> _T:
    """The answer of an index that is up to its folder; damage may be seen by the question only."""
    with _index(runs_dir) as index:
        for _ in range(2):
            try:
                _followed(index, runs_dir)
                with index.reading() as link:
                    return question(link)
            except Unusable:
                _remake(index, runs_dir)
    raise EvidenceFault("the index of runs is damaged again at once", evidence=str(runs_dir / INDEX))


def _remake(index: SqliteFile, runs_dir: Path) -> tuple[str, ...]:
    with index.replaced() as link:
        return tuple(refused.why for refused in refill(link, runs_dir, check=False).refused)


def _followed(index: SqliteFile, runs_dir: Path) -> tuple[str, ...]:
    """Takes in what is new or has grown, takes out what is gone; returns what was unreadable."""
    with index.reading() as link:
        known = {row["run_id"]: row for row in link.ask("SELECT run_id, stamp, bundled, path FROM runs")}
        left_out = {row["run_id"]: row for row in link.ask("SELECT run_id, stamp, why FROM left_out")}
    there = {path.name: path for path in bundles_in(runs_dir)}
    if gone := [name for name, row in known.items() if name not in there and _is_gone(row)]:
        with index.writing() as link:
            for name in gone:
                drop_empty(link, delete_run(link, name))
    unreadable = []
    for name, path in there.items():
        now, left = stamp(path), left_out.get(name, {})
        if left.get("why") == PRUNED or (name in known and known[name]["stamp"] == now):
            continue
        why = left["why"] if left.get("stamp") == now else _taken_in(index, path, now)
        unreadable += [why] if why else []
    return tuple(unreadable)


def _taken_in(index: SqliteFile, path: Path, state: str) -> str:
    """Puts a bundle of the folder in; why it cannot be read, or nothing."""
    why, run = read_bundle(path, check=False)
    if run is None:
        return why
    with index.reading() as link:
        packed = packed_samples(link, run)
    with index.writing() as link:
        put_run(link, run, state, packed)
    return ""


def _is_gone(row: Row) -> bool:
    """Whether a run's bundle was deleted; one that never had a bundle, or lies elsewhere, is not."""
    return bool(row["bundled"]) and not Path(row["path"]).exists()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} older" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
