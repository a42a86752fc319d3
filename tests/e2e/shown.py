# SPDX-License-Identifier: MIT
"""What a command showed while it ran, to be found in the run that it left, however it ended."""

from __future__ import annotations

import re

from rig.errors import EvidenceFault
from rig.evidence.model import Run
from rig.evidence.reader import load_run
from tests.e2e.bench_place import BenchPlace, Done

_RUN = re.compile(r"^run (\S+) on ", re.MULTILINE)
_CASE = re.compile(r"^(PASS|FAIL|ERROR|SKIPPED|ABORTED) +(\S+)  (\w+/\S+)  \d", re.MULTILINE)


def cases_shown(text: str) -> list[tuple[str, str, str]]:
    """(outcome, board, suite/case) of each case that was shown."""
    return _CASE.findall(text)


def run_left(place: BenchPlace) -> Run | None:
    """The run as it was left, or None where it had not begun."""
    for folder in place.run_folders():
        try:
            return load_run(folder)
        except EvidenceFault:
            assert not (folder / "journal.jsonl").exists() or not (folder / "journal.jsonl").stat().st_size
    return None


def assert_kept(run: Run | None, done: Done) -> None:
    """All that was shown is in the run."""
    begun, cases = _RUN.findall(done.err), cases_shown(done.err)
    if run is None:
        assert not begun
        assert not cases
        return
    assert begun in ([], [run.run_id])
    kept = {(str(case.outcome), case.board, f"{case.suite}/{case.case}") for case in run.cases}
    assert set(cases) <= kept
    measured = {(m.board, m.name) for m in run.measurements}
    for outcome, board, case in cases:
        if (outcome, case) == ("PASS", "boot/time_to_ready"):
            assert (board, "boot.ready_time") in measured
