# SPDX-License-Identifier: MIT
"""The record types of a journal, both ways: from the records of ``model.py`` to plain JSON and back.

Paths of artifacts are relative to the run's folder. Every record has ``type`` and ``t``, nanoseconds on the
run's clock: ``run``, ``part`` (the journal of one board begins), ``planned`` (its cases), ``board``,
``case_started``, ``declared``, ``measurement``, ``artifact``, ``case_finished``, ``event``, ``abort``,
``lost`` (deferred records that could not be written), ``board_ended`` (how its process ended), ``finish``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rig.errors import EvidenceFault
from rig.events import Event
from rig.evidence.measurement import Measurement, Outcome, SpecLimit, Verdict
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.statistics import Summary

CaseKey = tuple[str, str, str, int]
"""Board, suite, case, attempt."""

_FIGURES = ("min", "mean", "p50", "p90", "p99", "p999", "max", "sd")
_BOUNDS = ("lower", "upper")


def case_key(record: Mapping[str, Any]) -> CaseKey:
    """The attempt that a record is of."""
    return record["board"], record["suite"], record["case"], record["attempt"]


def key_fields(key: CaseKey) -> dict[str, Any]:
    """The attempt as the fields of a record."""
    return dict(zip(("board", "suite", "case", "attempt"), key, strict=True))


def event_record(event: Event) -> dict[str, Any]:
    """An event as a record; its time is the event's."""
    what = {"source": event.source, "kind": event.kind, "board": event.board, "data": event.data}
    return {"type": "event", "t": event.t_ns, **what}


def event_from(record: Mapping[str, Any]) -> Event:
    """The event of a record."""
    return Event(record["t"], record["source"], record["kind"], record["board"], record["data"])


def measurement_result(
    key: CaseKey,
    declared: Measurement,
    summary: Summary,
    limit: SpecLimit | None,
    verdict: Verdict,
    stored: tuple[str, str] | None,
    context: Mapping[str, Any],
) -> MeasurementResult:
    """Joins what was declared, measured and judged; ``stored`` is SHA-256 and dtype of the kept samples."""
    figures = {name: getattr(summary, name) for name in _FIGURES}
    sha256, dtype = stored or (None, None)
    return MeasurementResult(
        **key_fields(key),
        name=declared.name,
        unit=declared.unit,
        n=summary.n,
        **figures,
        lower=limit.lower if limit else None,
        upper=limit.upper if limit else None,
        limit_origin=limit.origin if limit else None,
        limit_at=limit.at if limit else None,
        provisional=limit.provisional if limit else False,
        marginal=verdict.marginal,
        outcome=verdict.outcome,
        samples_sha256=sha256,
        context=dict(context),
        statistic=verdict.statistic,
        samples_dtype=dtype,
        note=verdict.note,
    )


def measurement_record(result: MeasurementResult, t_ns: int) -> dict[str, Any]:
    """A measurement as a record."""
    return {"type": "measurement", "t": t_ns, **{f.name: getattr(result, f.name) for f in fields(result)}}


def measurement_from(record: Mapping[str, Any]) -> MeasurementResult:
    """The measurement of a record; raises EvidenceFault if the record is not one."""
    try:
        values = {f.name: record[f.name] for f in fields(MeasurementResult)}
        values |= {name: float(values[name]) for name in _FIGURES}
        values |= {name: None if values[name] is None else float(values[name]) for name in _BOUNDS}
        values["outcome"] = None if values["outcome"] is None else Outcome(values["outcome"])
        return MeasurementResult(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceFault(f"record {record.get('seq')} is no measurement: {error!r}") from error


def case_record(case: CaseResult, run: Path, t_ns: int) -> dict[str, Any]:
    """The end of an attempt as a record."""
    artifacts = {name: relative_to_run(path, run) for name, path in case.artifacts.items()}
    names = ("board", "suite", "case", "attempt", "outcome", "reason", "unstable", "started_ns", "duration_s")
    plain = {name: getattr(case, name) for name in names}
    there_for = {"requirements": list(case.requirements)} if case.requirements else {}
    return {"type": "case_finished", "t": t_ns, **plain, "artifacts": artifacts, **there_for}


def case_from(record: Mapping[str, Any], run: Path) -> CaseResult:
    """The attempt that a record ends."""
    return CaseResult(
        *case_key(record),
        outcome=Outcome(record["outcome"]),
        reason=record["reason"],
        unstable=record["unstable"],
        started_ns=record["started_ns"],
        duration_s=record["duration_s"],
        artifacts={name: run / path for name, path in record["artifacts"].items()},
        requirements=tuple(record.get("requirements", ())),
    )


def relative_to_run(path: Path, run: Path) -> str:
    """A path inside the run's folder as text relative to it; raises ValueError for one outside."""
    return path.absolute().relative_to(run.absolute()).as_posix()
