# SPDX-License-Identifier: MIT
"""Reading a run's bundle back, whole or cut off. Makes no verdicts of its own but what is missing.

The journal is the truth: ``run.json`` and ``summary.json`` are only for those who want to look quickly. A
case that started and never ended is ERROR (ABORTED where the run recorded an abort); a run that is not
complete is ERROR at best.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.errors import EvidenceFault
from rig.events import Event
from rig.evidence import bundle, records
from rig.evidence.journal import JournalContent, read_journal
from rig.evidence.measurement import Outcome, aggregate, decide
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.records import CaseKey

if TYPE_CHECKING:
    import numpy.typing as npt


def load_run(path: Path, *, with_events: bool = True) -> Run:
    """Reads the bundle in the folder ``path``; a run that still goes on reads as one that was cut off.

    Raises EvidenceFault if it is no bundle, or of a newer format. ``with_events=False`` leaves them out.
    """
    header = _header(path)
    has_journal = (path / bundle.JOURNAL).exists()
    content = read_journal(path / bundle.JOURNAL) if has_journal else JournalContent((), ("no journal",))
    first = content.records[0] if content.records else {}
    header = header or (first if first.get("type") == "run" else {})
    if not header:
        raise EvidenceFault("no run's bundle here: expected run.json and journal.jsonl", evidence=str(path))
    if header["format"] != bundle.FORMAT:
        expected = f"format {bundle.FORMAT}, this bundle has {header['format']}"
        raise EvidenceFault(f"cannot read the run: this rig reads {expected}", evidence=str(path))
    return _Assembly(path, header, content, with_events).run()


def samples(run: Run, measurement: MeasurementResult) -> npt.NDArray[Any]:
    """The samples behind a measurement of the run, int64 or float64; a single value as an array of one.

    Raises EvidenceFault if they are missing or their hash differs.
    """
    if measurement.samples_sha256 and measurement.samples_dtype:
        stored = bundle.StoredSeries(measurement.samples_sha256, measurement.samples_dtype)
        return bundle.load_series(run.path, stored)
    import numpy as np

    return np.array([measurement.mean][: measurement.n], dtype="<f8")


def verify(run: Run) -> tuple[str, ...]:
    """Every fault of the bundle's files: samples and artifacts against their hashes, journal against summary.

    Reads all of them; empty if all is well.
    """
    faults = list(run.notes)
    for sha256, dtype in {(m.samples_sha256, m.samples_dtype) for m in run.measurements if m.samples_sha256}:
        try:
            bundle.load_series(run.path, bundle.StoredSeries(sha256 or "", dtype or ""))
        except EvidenceFault as fault:
            faults.append(str(fault))
    kept = [r for r in read_journal(run.path / bundle.JOURNAL).records if r.get("type") == "artifact"]
    expected = {record["path"]: record["sha256"] for record in kept}
    summary = _json(run.path / bundle.SUMMARY)
    if summary:
        expected[bundle.JOURNAL] = summary.get("journal_sha256")
    return (*faults, *(f for name, sha256 in expected.items() if (f := _differs(run.path / name, sha256))))


def _differs(path: Path, sha256: object) -> str:
    try:
        return "" if bundle.sha256_of(path) == sha256 else f"{path}: its SHA-256 is not the recorded one"
    except OSError as error:
        return f"{path}: {error.strerror}"


def _json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _header(path: Path) -> dict[str, Any]:
    header = _json(path / bundle.HEADER)
    return header if {"format", "run_id", "started_utc"} <= header.keys() else {}


class _Assembly:
    """A run while its records are gone through; one method per type of record that says something."""

    def __init__(
        self, path: Path, header: Mapping[str, Any], content: JournalContent, with_events: bool
    ) -> None:
        self.path, self.header = path, header
        self.records, self.notes = content.records, list(content.notes)
        self.with_events = with_events
        self.boards: dict[str, dict[str, Any]] = {}
        self.started: dict[CaseKey, int] = {}
        self.cases: list[CaseResult] = []
        self.measurements: list[MeasurementResult] = []
        self.events: list[Event] = []
        self.sensitive: set[Path] = set()
        self.aborted: str | None = None
        self.finish: tuple[Outcome, float] | None = None

    def run(self) -> Run:
        """Goes through all records."""
        for record in self.records:
            self._take(record)
        last_ns = max((record.get("t", 0) for record in self.records), default=0)
        self._cut_off(last_ns)
        if self.finish is None:
            self.notes.append("the run was cut off: it has no end")
        complete = not self.notes
        boards = tuple(self._board(name) for name in self.boards)
        return Run(
            run_id=self.header["run_id"],
            path=self.path,
            outcome=self._outcome(complete),
            complete=complete,
            started_utc=datetime.fromisoformat(self.header["started_utc"]),
            duration_s=self.finish[1] if self.finish else last_ns / 1e9,
            operator=self.header.get("operator"),
            environment=self.header.get("environment") or {},
            boards=boards,
            cases=tuple(self.cases),
            measurements=tuple(self.measurements),
            events=tuple(self.events),
            notes=tuple(self.notes),
            sensitive=frozenset(self.sensitive),
        )

    def _take(self, record: Mapping[str, Any]) -> None:
        """Files one record; one that lacks what it needs (of another rig's making) is a note, not an end."""
        try:
            self._file(record)
        except (KeyError, TypeError, ValueError, EvidenceFault) as error:
            self.notes.append(f"{bundle.JOURNAL}: record {record.get('seq')} makes no sense: {error!r}")

    def _file(self, record: Mapping[str, Any]) -> None:
        match record["type"]:
            case "event":
                if self.with_events:
                    self.events.append(records.event_from(record))
            case "board":
                self._merge_board(record)
            case "case_started":
                self._known(record["board"])
                self.started[records.case_key(record)] = record["t"]
            case "measurement":
                self.measurements.append(records.measurement_from(record))
            case "case_finished":
                self._known(record["board"])
                self.started.pop(records.case_key(record), None)
                self.cases.append(records.case_from(record, self.path))
            case "artifact" if record["sensitive"]:
                self.sensitive.add(self.path / record["path"])
            case "abort":
                self.aborted = record["reason"]
            case "lost":
                self.notes.append(f"{record['records']} events are lost: they could not be written")
            case "finish":
                self.finish = (Outcome(record["outcome"]), float(record["duration_s"]))

    def _known(self, board: str) -> dict[str, Any]:
        return self.boards.setdefault(board, {"identity": {}})

    def _merge_board(self, record: Mapping[str, Any]) -> None:
        known = self._known(record["name"])
        identity = {**known["identity"], **record["identity"]}
        given = {key: record[key] for key in ("dut", "image_sha256", "transcript") if record[key] is not None}
        known.update(given, identity=identity)

    def _cut_off(self, last_ns: int) -> None:
        """Ends the cases that never ended."""
        for key, started_ns in self.started.items():
            outcome = Outcome.ERROR if self.aborted is None else Outcome.ABORTED
            reason = "cut off" if self.aborted is None else f"cut off: {self.aborted}"
            duration_s = max(0, last_ns - started_ns) / 1e9
            self.cases.append(CaseResult(*key, outcome, reason, False, started_ns, duration_s, {}))

    def _board(self, name: str) -> BoardResult:
        known = self.boards[name]
        transcript = known.get("transcript")
        return BoardResult(
            name=name,
            outcome=aggregate(self._decided(name)) or Outcome.SKIPPED,
            dut=known.get("dut"),
            image_sha256=known.get("image_sha256"),
            identity=known["identity"],
            transcript=self.path / transcript if transcript else None,
        )

    def _decided(self, board: str | None = None) -> list[Outcome]:
        """One outcome per case, all its attempts considered."""
        attempts: dict[tuple[str, str, str], list[Outcome]] = {}
        for case in self.cases:
            if board in (None, case.board):
                attempts.setdefault((case.board, case.suite, case.case), []).append(case.outcome)
        return [decide(outcomes) for outcomes in attempts.values()]

    def _outcome(self, complete: bool) -> Outcome:
        stated = [self.finish[0]] if self.finish else []
        missing = [] if complete else [Outcome.ERROR]
        aborted = [] if self.aborted is None else [Outcome.ABORTED]
        return aggregate([*self._decided(), *stated, *missing, *aborted]) or Outcome.SKIPPED
