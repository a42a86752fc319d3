# SPDX-License-Identifier: MIT
"""What a run comes to when it ends: the outcomes it is made of, and ``summary.json`` for those in a hurry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig.events import RunClock
from rig.evidence import bundle
from rig.evidence.journal import Journal
from rig.evidence.measurement import Outcome, exit_code
from rig.evidence.reader import decided, load_run


@dataclass(frozen=True, slots=True)
class Ended:
    """``outcomes`` make the run's: of its boards where they ran side by side, else of its cases.

    ``cases`` has one outcome per case; ``journals`` the SHA-256 of each board's journal by its file's name.
    """

    outcomes: Sequence[Outcome]
    cases: Sequence[Outcome]
    journals: dict[str, str] = field(default_factory=dict)


def read_boards(run: Path, boards: Sequence[str]) -> Ended:
    """What the processes of these boards have kept; all of them have ended. Raises EvidenceFault."""
    read = load_run(run, with_events=False)
    paths = [run / bundle.journal_name(board) for board in boards]
    kept = {path.name: bundle.sha256_of(path) for path in paths if path.exists()}
    return Ended([board.outcome for board in read.boards], decided(read.cases), kept)


def write_summary(
    run: Path, outcome: Outcome, ended: Ended, clock: RunClock, t_ns: int, journal: Journal
) -> None:
    """Writes the summary of a run that ended at ``t_ns``. Raises EvidenceFault."""
    summary = {
        "run_id": run.name,
        "outcome": outcome,
        "exit_code": exit_code(outcome),
        "duration_s": t_ns / 1e9,
        "finished_utc": clock.utc(t_ns).isoformat(),
        "cases": {str(o): ended.cases.count(o) for o in Outcome},
        "records": journal.records,
        "journal_sha256": journal.sha256,
        **({"journals": ended.journals} if ended.journals else {}),
    }
    bundle.write_json(run / bundle.SUMMARY, summary)
