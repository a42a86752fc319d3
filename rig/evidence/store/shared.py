# SPDX-License-Identifier: MIT
"""Where a run goes when it has ended: the index of its folder, and the store that several hosts share.

A run never waits for, nor fails by, a store that is away: its bundle lies in its folder, and the next
``rig store ingest`` takes in what was missed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from rig.errors import EvidenceFault, RigError
from rig.evidence.reader import load_run
from rig.evidence.store.folder import index_run
from rig.evidence.store.intake import stamp
from rig.evidence.store.store import open_store

SHARED: Final = "RIG_STORE"
"""The environment variable that names the shared store, as ``open_store`` takes it."""

PATIENCE_S: Final = 5.0
"""How long the end of a run may wait for others that write, in seconds."""


def keep_run(bundle: Path) -> str:
    """Puts a run that has ended into the index, and into the shared store if there is one.

    Returns why the shared store has not got it, or nothing; raises nothing that a run could fail by.
    """
    where = os.environ.get(SHARED, "")
    with suppress(EvidenceFault):  # the index is made again when it is asked
        state = stamp(bundle)
        run = load_run(bundle, with_events=False)
        index_run(run)
    if not where:
        return ""
    try:
        with open_store(where, busy_s=PATIENCE_S) as store:
            store.ingest(load_run(bundle, with_events=False), state)
    except RigError as fault:
        return f"run {bundle.name} is not in the shared store yet: {fault}"
    return ""
