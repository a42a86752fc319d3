# SPDX-License-Identifier: MIT
"""Making room in a store: raw samples go first, whole runs only when that is asked for. Bundles stay.

Figures, trends and verdicts need no samples, so a year of nights stays readable. What somebody decided on
stays whole: the run of each baseline's newest version, and the run since which an alert is open.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rig.errors import EvidenceFault
from rig.evidence.store.database import Link, marks, microseconds
from rig.evidence.store.intake import LEFT_OUT, PRUNED
from rig.evidence.store.store import Store
from rig.evidence.store.writing import delete_run, drop_empty

_CLOSED: Final = ("expected", "fixed")
_NEWEST: Final = "SELECT max(version) FROM baselines n WHERE n.label = b.label"
_SIZE: Final = "count(*) AS series, coalesce(sum(length(zlib)), 0) AS bytes"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out (or would be): series of samples and their compressed bytes, and runs."""

    series: int
    bytes: int
    runs: tuple[str, ...]
    kept: tuple[str, ...]
    """Runs that are old enough, but that a decision stands on."""


def prune(
    store: Store, samples_before: datetime, runs_before: datetime | None = None, *, dry: bool = False
) -> Pruned:
    """Takes out samples that no run since ``samples_before`` has, and runs begun before ``runs_before``.

    A run that had a bundle is remembered, so that no scan brings it back. ``dry`` only counts.
    """
    limit_us = microseconds(max(samples_before, runs_before or samples_before))
    runs_us = None if runs_before is None else microseconds(runs_before)
    with store.explained(), store.database.reading() if dry else store.database.writing() as link:
        pruned = _chosen(link, limit_us, runs_us)
        if not dry:
            _take_out(link, pruned, limit_us)
    if not dry and (pruned.series or pruned.runs):
        with suppress(EvidenceFault):  # no room to do it in: the pages are used again
            store.database.compact()
    return pruned


def _chosen(link: Link, limit_us: int, runs_us: int | None) -> Pruned:
    decided = _decided(link)
    old = link.ask("SELECT run_id FROM runs WHERE started_us < ? ORDER BY started_us", (runs_us or 0,))
    names = [row["run_id"] for row in old] if runs_us is not None else []
    (size,) = link.ask(f"SELECT {_SIZE} FROM samples {_droppable(decided)}", (limit_us, *decided))
    going = tuple(name for name in names if name not in decided)
    staying = tuple(name for name in names if name in decided)
    return Pruned(int(size["series"]), int(size["bytes"]), going, staying)


def _take_out(link: Link, pruned: Pruned, limit_us: int) -> None:
    decided = _decided(link)
    link.do(f"DELETE FROM samples {_droppable(decided)}", (limit_us, *decided))
    places: set[int] = set()
    for run_id in pruned.runs:
        (row,) = link.ask("SELECT stamp, bundled FROM runs WHERE run_id = ?", (run_id,))
        places |= delete_run(link, run_id)
        if row["bundled"]:
            link.do(LEFT_OUT, (run_id, row["stamp"], PRUNED))
    drop_empty(link, places)


def _droppable(decided: list[str]) -> str:
    kept = f"run_id IN ({marks(decided)}) AND samples_sha256 IS NOT NULL"
    theirs = f"SELECT samples_sha256 FROM taken WHERE {kept}"
    return f"WHERE last_us < ? AND sha256 NOT IN ({theirs})"


def _decided(link: Link) -> list[str]:
    """The runs that a baseline or an open alert stands on."""
    sql = f"""
      SELECT run_id FROM baselines b WHERE version = ({_NEWEST})
      UNION SELECT since_run FROM alerts WHERE state NOT IN ({marks(_CLOSED)})"""
    return sorted(row["run_id"] for row in link.ask(sql, _CLOSED))
