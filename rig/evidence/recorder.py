# SPDX-License-Identifier: MIT
"""Writing a run's bundle while the run goes on. Owns the order of records; the file itself is journal.py's.

Every method returns only when its record is with the operating system, so that a rig that is killed loses
nothing it was told is kept; fsync at the end of each case and of the run. Only events are batched (50 ms).
Methods may be called from any thread. All raise EvidenceFault if the disk refuses, and ValueError for what
cannot be: a measurement of a case that is not running, or the same one taken twice.

Boards side by side are one bundle of several recorders, each in a process of its own, with a journal of its
own: the run's (``create`` with ``boards``), whose outcome is made of theirs, and one per board (``join``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rig.errors import EvidenceFault
from rig.events import Event, RunClock, Scalar
from rig.evidence import bundle, records
from rig.evidence.casebook import CaseBook
from rig.evidence.journal import Journal
from rig.evidence.measurement import NOT_GOOD, Measurement, Outcome, SpecLimit, aggregate, judge
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.records import CaseKey
from rig.evidence.statistics import UNSET, Summary, as_series, summarise, summarise_value
from rig.evidence.summary import Ended, read_boards, write_summary

if TYPE_CHECKING:
    from rig.evidence.statistics import Samples


class RunRecorder:
    """The bundle of one run, open for writing. A context manager; make it with ``create`` or ``join``.

    ``clock`` is the run's; of a run that another process began, its.
    """

    def __init__(
        self, path: Path, clock: RunClock, board: str | None = None, boards: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.run_id = path.name
        self.clock = clock
        self._part_of, self._boards = board, tuple(boards)
        self._journal = Journal(path / bundle.journal_name(board))
        self._lock = threading.RLock()
        self._cases = CaseBook()
        self._aborted = ""
        self._finished = False

    @classmethod
    def create(
        cls,
        runs_dir: Path,
        clock: RunClock,
        operator: str | None = None,
        environment: Mapping[str, Scalar] | None = None,
        *,
        boards: Sequence[str] = (),
    ) -> RunRecorder:
        """Makes the folder ``runs_dir/<run_id>`` and writes its header. Raises EvidenceFault.

        ``boards``: those whose processes will ``join``; the run is complete when each of them has finished.
        """
        path = bundle.create_run_folder(runs_dir, clock.started_utc)
        header = {
            "format": bundle.SIDE_BY_SIDE_FORMAT if boards else bundle.FORMAT,
            "run_id": path.name,
            "started_utc": clock.started_utc.astimezone(UTC).isoformat(),
            "operator": operator,
            "environment": dict(environment or {}),
        }
        header |= {"boards": list(boards), "clock_zero_ns": clock.zero_ns} if boards else {}
        bundle.write_json(path / bundle.HEADER, header)
        return cls(path, clock, None, boards)._begun("run", **header)

    @classmethod
    def join(cls, path: Path, board: str) -> RunRecorder:
        """The part of one board in a run that another process of this host has created for it.

        Raises EvidenceFault if the run was not, or has that part already.
        """
        header = bundle.read_header(path)
        if board not in header.get("boards", ()):
            raise EvidenceFault("is no part of this run", board=board, evidence=str(path))
        clock = RunClock.shared(datetime.fromisoformat(header["started_utc"]), header["clock_zero_ns"])
        return cls(path, clock, board)._begun("part", board=board)

    def _begun(self, kind: str, **what: Any) -> RunRecorder:
        try:
            self._write(kind, **what)
        except EvidenceFault:
            self._journal.close()
            raise
        return self

    def __enter__(self) -> RunRecorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finishes the run if nobody did: ABORTED after Ctrl-C, ERROR after any other exception."""
        if not self._finished:
            if isinstance(error, KeyboardInterrupt):
                self._aborted = self._aborted or "interrupted"
            self.finish(Outcome.ERROR if error is not None else None)

    def event(self, event: Event) -> None:
        """The run's event sink: never raises and never waits; a fault is raised by the next record."""
        self._journal.defer(partial(records.event_record, event))

    def board(
        self,
        name: str,
        dut: str | None = None,
        image_sha256: str | None = None,
        identity: Mapping[str, Scalar] | None = None,
        transcript: Path | None = None,
    ) -> None:
        """What is known of a board; may be called again when more is known, and what is given then replaces.

        ``transcript`` is a file inside the bundle (``artifact_path``), written by whoever listens.
        """
        shown = records.relative_to_run(transcript, self.path) if transcript else None
        said = dict(identity or {})
        self._write("board", name=name, dut=dut, image_sha256=image_sha256, identity=said, transcript=shown)

    def planned(self, board: str, cases: Sequence[tuple[str, str]]) -> None:
        """The cases, (suite, case), that the board is going to be put through."""
        self._write("planned", board=board, cases=[list(case) for case in cases])

    def board_ended(self, board: str, how: str) -> None:
        """How the process of a board ended; counts where that process could not end its journal."""
        self._write("board_ended", board=board, how=how)

    def case_started(
        self, board: str, suite: str, case: str, attempt: int = 1, requirements: Sequence[str] = ()
    ) -> None:
        """An attempt at a case begins; ``requirements`` are the ids of what it is there to show."""
        key = (board, suite, case, attempt)
        with self._lock:
            self._cases.must_not_run(key)
            now_ns = self.clock.now_ns()
            there_for = {"requirements": list(requirements)} if requirements else {}
            self._write("case_started", **records.key_fields(key), **there_for)
            self._cases.start(key, now_ns, tuple(requirements))

    def declare(self, board: str, suite: str, case: str, attempt: int, declared: Measurement) -> None:
        """Promises a measurement: one that is not set when the case passes makes it ERROR."""
        key = (board, suite, case, attempt)
        with self._lock:
            self._cases.case(key).declared[declared.name] = declared
            what = {"name": declared.name, "unit": declared.unit, "statistic": declared.statistic}
            self._write("declared", **records.key_fields(key), **what)

    def measurement(
        self,
        board: str,
        suite: str,
        case: str,
        attempt: int,
        declared: Measurement,
        *,
        samples: Samples | None = None,
        value: float | None = None,
        limit: SpecLimit | None = None,
        context: Mapping[str, Scalar] | None = None,
    ) -> MeasurementResult:
        """Keeps one distribution (``samples``) or one ``value`` in the declared unit, and judges it.

        Whole-number samples are kept as int64, others as float64. No samples at all is ERROR.
        """
        if (samples is None) == (value is None):
            raise ValueError(f"{declared.name}: give either samples or value")
        key = (board, suite, case, attempt)
        stored = None
        if samples is not None:
            series = as_series(samples)
            summary = summarise(series)
            stored = bundle.store_series(self.path, series) if summary.n else None
        elif value is not None:
            summary = summarise_value(value)
        with self._lock:
            return self._measured(key, declared, summary, limit, stored, context or {})

    def case_finished(
        self,
        board: str,
        suite: str,
        case: str,
        attempt: int,
        outcome: Outcome,
        reason: str = "",
        artifacts: Mapping[str, Path] | None = None,
    ) -> CaseResult:
        """An attempt ended as ``outcome``; its measurements may make that worse (returned), never better.

        Blocks for an fsync. If the fault of lost events is raised the attempt is still open: end it again.
        """
        outcome = Outcome(outcome)
        key = (board, suite, case, attempt)
        with self._lock:
            for declared in self._cases.case(key).unset if outcome is Outcome.PASS else []:
                self._measured(key, declared, UNSET, None, None, {})
            now_ns = self.clock.now_ns()
            result = self._cases.result(key, outcome, reason, artifacts or {}, now_ns)
            self._journal.append(records.case_record(result, self.path, now_ns))
            self._cases.end(key, result.outcome)
            self._sync()
            return result

    def artifact_path(self, name: str) -> Path:
        """A path under ``artifacts/`` for whoever writes a file itself (a transcript); its folder exists."""
        return bundle.artifact_path(self.path, name)

    def artifact(self, name: str, content: bytes | Path, *, sensitive: bool = False) -> Path:
        """Keeps a file (a Path is copied) and returns where: ``name``, or ``name-2`` if that is taken.

        A Path inside ``artifacts/`` stays where it is; it must not change any more.
        ``sensitive`` files (images, crash records, captures) never leave the bundle with an export.
        """
        with self._lock:
            if isinstance(content, Path) and content.is_relative_to(self.path / bundle.ARTIFACTS):
                path = content
            else:
                path = bundle.free_artifact_path(self.path, name)
                bundle.write_atomic(path, content)
            shown = records.relative_to_run(path, self.path)
            self._write("artifact", path=shown, sha256=bundle.sha256_of(path), sensitive=sensitive)
            return path

    def abort(self, reason: str) -> None:
        """A person or a time budget stops the run: it and its open cases end ABORTED, even if killed next."""
        with self._lock:
            self._aborted = reason
            self._write("abort", reason=reason)

    def finish(self, outcome: Outcome | None = None) -> Outcome:
        """Ends the run, writes ``summary.json`` and closes the bundle; returns the run's outcome.

        ``outcome`` can only make worse what the cases say. Cases still open end as ABORTED or ERROR. A fault
        of the last events is raised when all else is written.
        """
        with self._lock:
            fault = self._journal.take_fault()
            try:
                for key in self._cases.running:
                    end = Outcome.ABORTED if self._aborted else Outcome.ERROR
                    self.case_finished(*key, end, f"cut off: {self._aborted or 'the run ended before it'}")
                ended = self._ended()
                final = self._outcome(outcome, fault, ended)
                self._end(final, ended)
            finally:
                self._finished = True
                self._journal.close()
        if fault:
            raise fault
        return final

    def _ended(self) -> Ended:
        if self._boards:
            return read_boards(self.path, self._boards)
        return Ended(self._cases.decided, self._cases.decided)

    def _outcome(self, stated: Outcome | None, fault: EvidenceFault | None, ended: Ended) -> Outcome:
        worse = [stated] if stated and stated in NOT_GOOD else []
        worse += [Outcome.ABORTED] if self._aborted else []
        worse += [Outcome.ERROR] if fault else []
        return aggregate([*ended.outcomes, *worse]) or Outcome.SKIPPED

    def _end(self, outcome: Outcome, ended: Ended) -> None:
        t_ns = self.clock.now_ns()
        self._write("finish", outcome=outcome, duration_s=t_ns / 1e9)
        self._sync()
        if self._part_of is None:
            write_summary(self.path, outcome, ended, self.clock, t_ns, self._journal)

    def _measured(
        self,
        key: CaseKey,
        declared: Measurement,
        summary: Summary,
        limit: SpecLimit | None,
        stored: bundle.StoredSeries | None,
        context: Mapping[str, Scalar],
    ) -> MeasurementResult:
        case = self._cases.case(key)
        case.must_be_new(declared.name)
        verdict = judge(declared, summary, limit)
        where = (stored.sha256, stored.dtype) if stored else None
        result = records.measurement_result(key, declared, summary, limit, verdict, where, context)
        self._journal.append(records.measurement_record(result, self.clock.now_ns()))
        case.measured[declared.name] = result
        return result

    def _sync(self) -> None:
        self._journal.sync()
        bundle.sync_folders(self.path)

    def _write(self, kind: str, **what: Any) -> None:
        self._journal.append({"type": kind, "t": self.clock.now_ns(), **what})
