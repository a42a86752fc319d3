# SPDX-License-Identifier: MIT
"""The index over all runs: ``runs/index.sqlite``. A convenience: the bundles are the truth, and the index is
made again from them whenever it is missing, damaged or of another version."""

from __future__ import annotations

from rig.evidence.store.index import index_run, rebuild, refresh
from rig.evidence.store.query import IndexedRun, TrendPoint, find_run, latest, list_runs, series, trend

__all__ = [
    "IndexedRun",
    "TrendPoint",
    "find_run",
    "index_run",
    "latest",
    "list_runs",
    "rebuild",
    "refresh",
    "series",
    "trend",
]
