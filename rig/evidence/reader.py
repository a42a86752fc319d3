# SPDX-License-Identifier: MIT
"""Reading a run's bundle back, whole or cut off. Makes no verdicts of its own but what is missing.

The journals are the truth: ``run.json`` and ``summary.json`` are only for those who want to look quickly. A
case that started and never ended is ERROR (ABORTED where the run recorded an abort); a run that is not
complete is ERROR at best. Where boards ran side by side, one whose own journal has no end is ERROR, and the
cases it had before it are SKIPPED; the other boards are as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.errors import EvidenceFault
from rig.events import Event
from rig.evidence import bundle, records
from rig.evidence.measurement import Outcome, aggregate, decide
from rig.evidence.model import BoardResult, CaseResult, MeasurementResult, Run
from rig.evidence.part import Part, in_order, read_parts
from rig.evidence.records import CaseKey

if TYPE_CHECKING:
    import numpy.typing as npt


def load_run(path: Path, *, with_events: bool = True) -> Run:
    """Reads the bundle in the folder ``path``; a run that still goes on reads as one that was cut off.

    Raises EvidenceFault if it is no bundle, or of a newer format. ``with_events=False`` leaves them out.
    """
    header, own = bundle.read_header(path), read_parts(path, ())[0]
    first = own.content.records[0] if own.content.records else {}
    header = header or (first if first.get("type") == "run" else {})
    if not header:
        raise EvidenceFault("no run's bundle here: expected run.json and journal.jsonl", evidence=str(path))
    if header["format"] not in (bundle.FORMAT, bundle.SIDE_BY_SIDE_FORMAT):
        expected = f"format {bundle.SIDE_BY_SIDE_FORMAT}, this bundle has {header['format']}"
        raise EvidenceFault(f"cannot read the run: this rig reads {expected}", evidence=str(path))
    return _Assembly(path, header, [own, *read_parts(path, header.get("boards", ()))[1:]], with_events).run()


def decided(cases: Iterable[CaseResult], board: str | None = None) -> list[Outcome]:
    """One outcome per case (of that board), all its attempts considered."""
    attempts: dict[tuple[str, str, str], list[Outcome]] = {}
    for case in cases:
        if board in (None, case.board):
            attempts.setdefault((case.board, case.suite, case.case), []).append(case.outcome)
    return [decide(outcomes) for outcomes in attempts.values()]


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
    parts = read_parts(run.path, bundle.read_header(run.path).get("boards", ()))
    kept = [r for part in parts for r in part.content.records if r.get("type") == "artifact"]
    expected = {record["path"]: record["sha256"] for record in kept}
    summary = bundle.read_json(run.path / bundle.SUMMARY)
    if summary:
        expected |= {bundle.JOURNAL: summary.get("journal_sha256"), **summary.get("journals", {})}
    return (*faults, *(f for name, sha256 in expected.items() if (f := _differs(run.path / name, sha256))))


def _differs(path: Path, sha256: object) -> str:
    try:
        return "" if bundle.sha256_of(path) == sha256 else f"{path}: its SHA-256 is not the recorded one"
    except OSError as error:
        return f"{path}: {error.strerror}"


class _Assembly:
    """A run while its records are gone through; one method per type of record that says something."""

    def __init__(self, path: Path, header: Mapping[str, Any], parts: list[Part], with_events: bool) -> None:
        self.path, self.header, self.own = path, header, parts[0]
        self.parts = {part.board: part for part in parts}
        self.with_events = with_events
        self.boards: dict[str, dict[str, Any]] = {}
        self.started: dict[CaseKey, int] = {}
        self.requirements: dict[CaseKey, tuple[str, ...]] = {}
        self.cases: list[CaseResult] = []
        self.measurements: list[MeasurementResult] = []
        self.events: list[Event] = []
        self.sensitive: set[Path] = set()

    def run(self) -> Run:
        """Goes through all records."""
        for board in filter(None, self.parts):
            self._known(board)
        for part, record in in_order(self.parts.values()):
            self._take(part, record)
        for part in self.parts.values():
            self._end(part)
        self._cut_off()
        notes = tuple(note for part in self.parts.values() for note in part.notes)
        last_ns = max(part.last_ns for part in self.parts.values())
        finish = self.own.finish
        boards = tuple(self._board(name) for name in self.boards)
        return Run(
            run_id=self.header["run_id"],
            path=self.path,
            outcome=self._outcome(complete=not notes),
            complete=not notes,
            started_utc=datetime.fromisoformat(self.header["started_utc"]),
            duration_s=finish[1] if finish else last_ns / 1e9,
            operator=self.header.get("operator"),
            environment=self.header.get("environment") or {},
            boards=boards,
            cases=tuple(self.cases),
            measurements=tuple(self.measurements),
            events=tuple(self.events),
            notes=notes,
            sensitive=frozenset(self.sensitive),
        )

    def _take(self, part: Part, record: Mapping[str, Any]) -> None:
        """Files one record; one that lacks what it needs (of another rig's making) is a note, not an end."""
        try:
            self._file(part, record)
        except (KeyError, TypeError, ValueError, EvidenceFault) as error:
            part.notes.append(f"{part.name}: record {record.get('seq')} makes no sense: {error!r}")

    def _file(self, part: Part, record: Mapping[str, Any]) -> None:
        match record["type"]:
            case "event":
                if self.with_events:
                    self.events.append(records.event_from(record))
            case "board":
                self._merge_board(record)
            case "case_started":
                self._known(record["board"])
                self.started[records.case_key(record)] = record["t"]
                self.requirements[records.case_key(record)] = tuple(record.get("requirements", ()))
            case "measurement":
                self.measurements.append(records.measurement_from(record))
            case "case_finished":
                self._known(record["board"])
                self.started.pop(records.case_key(record), None)
                self.cases.append(records.case_from(record, self.path))
            case "artifact" if record["sensitive"]:
                self.sensitive.add(self.path / record["path"])
            case "abort":
                part.aborted = record["reason"]
            case "lost":
                part.notes.append(f"{record['records']} events are lost: they could not be written")
            case "planned":
                part.planned = tuple((suite, case) for suite, case in record["cases"])
            case "board_ended":
                self.parts[record["board"]].how = record["how"]
            case "finish":
                part.finish = (Outcome(record["outcome"]), float(record["duration_s"]))

    def _known(self, board: str) -> dict[str, Any]:
        return self.boards.setdefault(board, {"identity": {}})

    def _merge_board(self, record: Mapping[str, Any]) -> None:
        known = self._known(record["name"])
        identity = {**known["identity"], **record["identity"]}
        given = {key: record[key] for key in ("dut", "image_sha256", "transcript") if record[key] is not None}
        known.update(given, identity=identity)

    def _end(self, part: Part) -> None:
        """An abort of the run is one of all its boards; a journal without an end is noted.

        A board that was seen to end by the abort before it began has lost nothing.
        """
        part.aborted = self.own.aborted if part.aborted is None else part.aborted
        if part.never_began and part.aborted is not None:
            part.notes.clear()
        elif part.finish is None and part is self.own:
            part.notes.append("the run was cut off: it has no end")
        elif part.finish is None:
            part.notes.append(f"board {part.board}: {part.cut_off}")

    def _cut_off(self) -> None:
        """Ends the cases that never ended; those that a board never came to are SKIPPED with the cause."""
        begun = {case_key[:3] for case_key in self.started} | {(c.board, c.suite, c.case) for c in self.cases}
        for key, started_ns in self.started.items():
            part = self.parts.get(key[0], self.own)
            outcome = Outcome.ERROR if part.aborted is None else Outcome.ABORTED
            duration_s = max(0, part.last_ns - started_ns) / 1e9
            there_for = self.requirements[key]
            self.cases.append(
                CaseResult(*key, outcome, part.cut_off, False, started_ns, duration_s, {}, there_for)
            )
        for part in self.parts.values():
            if part.board is None or part.finish is not None or part.aborted is not None:
                continue
            left = [k for suite, case in part.planned if (k := (part.board, suite, case)) not in begun]
            self.cases += [_never_begun(part, (*k, 1)) for k in left]

    def _board(self, name: str) -> BoardResult:
        known = self.boards[name]
        transcript = known.get("transcript")
        return BoardResult(
            name=name,
            outcome=aggregate([*decided(self.cases, name), *self._ending(name)]) or Outcome.SKIPPED,
            dut=known.get("dut"),
            image_sha256=known.get("image_sha256"),
            identity=known["identity"],
            transcript=self.path / transcript if transcript else None,
        )

    def _ending(self, board: str) -> list[Outcome]:
        return self.parts[board].ending if board in self.parts else []

    def _outcome(self, *, complete: bool) -> Outcome:
        stated = [self.own.finish[0]] if self.own.finish else []
        stated += [outcome for part in self.parts.values() if part.board for outcome in part.ending]
        missing = [] if complete else [Outcome.ERROR]
        aborted = [] if self.own.aborted is None else [Outcome.ABORTED]
        return aggregate([*decided(self.cases), *stated, *missing, *aborted]) or Outcome.SKIPPED


def _never_begun(part: Part, key: CaseKey) -> CaseResult:
    reason = f"first cause: {part.cut_off}"
    return CaseResult(*key, Outcome.SKIPPED, reason, False, part.last_ns, 0.0, {})
