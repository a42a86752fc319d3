# SPDX-License-Identifier: MIT
"""Bundles into a store: which are new or have grown, whether they are what they say, and all of them again.

Nothing is lost while a store is away: the bundles lie in their folder, and the next scan takes in what it
does not know. A bundle that is refused stays out, with the reason, until it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import EvidenceFault, UsageFault
from rig.evidence import bundle
from rig.evidence.model import Run
from rig.evidence.reader import load_run, verify
from rig.evidence.store.database import Database, Link, Unusable, cell, insert, microseconds
from rig.evidence.store.sqlite import SqliteFile
from rig.evidence.store.store import INDEX, Store
from rig.evidence.store.writing import delete_run, drop_empty, packed_samples, put_run, run_id_of

PRUNED: Final = "pruned"
"""Why a run is left out that was taken out on purpose: it stays out, whatever becomes of its bundle."""

_ANOTHER: Final = "the store has another run of that id, begun at another moment"
LEFT_OUT: Final = insert(
    "left_out",
    ("run_id", "stamp", "why"),
    again="(run_id) DO UPDATE SET stamp = excluded.stamp, why = excluded.why",
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A bundle that was not taken in, and why."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of the bundles of a scan; ``incomplete`` are those of ``taken`` that have no end (yet)."""

    taken: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def stamp(run: Path) -> str:
    """Tells one state of a bundle from another without reading it: size and time of its journals."""
    try:
        found = [path.stat() for path in run.glob(bundle.JOURNALS_GLOB)]
    except OSError:
        return ""
    size, changed_ns = sum(s.st_size for s in found), max((s.st_mtime_ns for s in found), default=0)
    return f"{size}:{changed_ns}" if found else ""


def bundles_in(folder: Path) -> list[Path]:
    """The folders named like a run, oldest first."""
    named = (path for path in folder.glob(bundle.RUN_ID_GLOB) if path.name.isascii())
    return sorted(path for path in named if (path / bundle.HEADER).exists())


def take_in(store: Store, places: Iterable[Path], *, again: bool = False) -> Intake:
    """Takes in what the store does not know of bundles and folders of bundles, checked against their hashes.

    A bundle is one transaction. ``again`` reads those that did not change, too. Raises EvidenceFault where
    the store cannot go on: what is in it by then stays, and the next scan does the rest. UsageFault for a
    place that is neither.
    """
    wanted = dict(named for place in places for named in _meant(place))
    scan = _Scan(store, again)
    for path, by_name in wanted.items():
        scan.take(path, by_name=by_name)
    return Intake(tuple(scan.taken), tuple(scan.unchanged), tuple(scan.incomplete), tuple(scan.refused))


def remake(database: Database, folder: Path) -> Intake:
    """Makes the runs of a folder's bundles again in a store; what people decided stays.

    The folder's own index and a file that cannot be used are made anew, all or nothing. A store of other
    kinds may hold the runs of other folders too, and keeps them.
    """
    if isinstance(database, SqliteFile) and (_is_index_of(database, folder) or not _is_usable(database)):
        with database.replaced() as link:
            return refill(link, folder, check=True)
    return take_in(Store(database), [folder], again=True)


def _is_index_of(database: SqliteFile, folder: Path) -> bool:
    return database.path.name == INDEX and database.path.parent.resolve() == folder.resolve()


def _is_usable(database: SqliteFile) -> bool:
    try:
        with database.reading() as link:
            return bool(link.ask("PRAGMA quick_check(1)")[0]["quick_check"] == "ok")
    except Unusable:
        return False


def refill(link: Link, folder: Path, *, check: bool) -> Intake:
    """Puts all bundles of a folder into an empty store; without ``check`` their hashes are not looked at."""
    taken: list[str] = []
    incomplete: list[str] = []
    refused: list[Refused] = []
    for path in bundles_in(folder):
        before = stamp(path)
        why, run = read_bundle(path, check=check)
        if run is None:
            refused.append(Refused(path, why))
            if check:
                link.do(LEFT_OUT, (path.name, before, cell(why)))
            continue
        put_run(link, run, before, packed_samples(link, run))
        taken.append(run_id_of(run))
        incomplete += [] if run.complete else [run_id_of(run)]
    return Intake(tuple(taken), (), tuple(incomplete), tuple(refused))


class _Scan:
    """A scan while it goes on: what the store knew when it began, and what became of each bundle."""

    def __init__(self, store: Store, again: bool) -> None:
        self.store, self.again = store, again
        self.taken: list[str] = []
        self.unchanged: list[str] = []
        self.incomplete: list[str] = []
        self.refused: list[Refused] = []
        with store.explained(), store.database.reading() as link:
            runs = link.ask("SELECT run_id, stamp, started_us, path FROM runs")
            left_out = link.ask("SELECT run_id, stamp, why FROM left_out")
        self._known = {row["run_id"]: row for row in runs}
        self._left_out = {row["run_id"]: row for row in left_out}

    def take(self, path: Path, *, by_name: bool) -> None:
        """Takes in one bundle, or says why not."""
        before, name = stamp(path), path.name
        left = None if self.again or by_name else self._left_out.get(name)
        if left and left["why"] == PRUNED:
            self.unchanged.append(name)
        elif left and left["stamp"] == before:
            self.refused.append(Refused(path, left["why"]))
        elif not self.again and name in self._known and self._known[name]["stamp"] == before:
            self.unchanged.append(name)
        else:
            self._read(path, before)

    def _read(self, path: Path, before: str) -> None:
        why, run = read_bundle(path, check=True)
        if run is None:
            self._leave_out(path, before, why)
            return
        known = self._known.get(run_id_of(run))
        if known and known["started_us"] != microseconds(run.started_utc):
            self.refused.append(Refused(path, _ANOTHER))
            return
        self.store.ingest(run, before)
        self.taken.append(run_id_of(run))
        self.incomplete += [] if run.complete else [run_id_of(run)]

    def _leave_out(self, path: Path, before: str, why: str) -> None:
        """What was taken in from that very bundle goes, too: it can no longer be trusted."""
        self.refused.append(Refused(path, why))
        known = self._known.get(path.name)
        if known and known["path"] != str(path):  # a damaged copy says nothing of the bundle that is in there
            return
        with self.store.explained(), self.store.database.writing() as link:
            drop_empty(link, delete_run(link, path.name))
            link.do(LEFT_OUT, (path.name, before, cell(why)))


def _meant(place: Path) -> Iterator[tuple[Path, bool]]:
    """The bundles at a place, and whether it is one that was named by itself."""
    if (place / bundle.HEADER).exists() or (place / bundle.JOURNAL).exists():
        yield place.resolve(), True
    elif place.is_dir():
        yield from ((path, False) for path in bundles_in(place.resolve()))
    else:
        raise UsageFault(f"neither a run's bundle nor a folder of them: {place}")


def read_bundle(path: Path, *, check: bool) -> tuple[str, Run | None]:
    """The run of a bundle; or what is wrong with it, and None.

    That a run was cut off is no fault of its bundle: it is taken in as far as it came.
    """
    try:
        run = load_run(path, with_events=False)
        faults = verify(run)[len(run.notes) :] if check else ()
    except EvidenceFault as fault:
        return str(fault), None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # a header of nonsense
        return f"no run's bundle: {error!r}", None
    return "; ".join(faults), None if faults else run
