# SPDX-License-Identifier: MIT
"""The store: results of many runs in one database, SQLite or PostgreSQL. The bundles are the truth; what can
be read from them is made again whenever it is missing. ``docs/store.md`` says what is kept where.

``open_store`` is for whoever asks over many runs; the functions with ``runs_dir`` follow one folder of runs.
"""

from __future__ import annotations

from rig.evidence.store.folder import find_run, index_run, latest, list_runs, rebuild, refresh, trend
from rig.evidence.store.records import BoardNow, Flake, IndexedRun
from rig.evidence.store.store import Store, open_store

__all__ = [
    "BoardNow",
    "Flake",
    "IndexedRun",
    "Store",
    "find_run",
    "index_run",
    "latest",
    "list_runs",
    "open_store",
    "rebuild",
    "refresh",
    "trend",
]
