# SPDX-License-Identifier: MIT
"""A qualification as one JSON object for other programs. Owns the names and order of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rig.evidence.qualification.executions import Execution, Unit
    from rig.evidence.qualification.qualification import Qualification, Row
    from rig.evidence.qualification.waivers import Waiver

FORMAT: Final = 1


def as_json(said: Qualification) -> dict[str, Any]:
    """All of a qualification as plain JSON values; paths of evidence are relative to their run's folder.

    ``format, verdict, met, sentence, profile, release, boards, units, image_sha256 … groups[],
    requirements[]``: what is there stays, more may follow.
    """
    release = said.release
    return {
        "format": FORMAT,
        "verdict": said.word.value,
        "met": said.met,
        "sentence": said.sentence,
        "profile": {
            "name": said.profile.name,
            "title": said.profile.title,
            "version": said.profile.version,
            "sha256": said.profile.sha256,
        },
        "release": {
            "name": said.profile.release,
            "kernels": list(release.kernels) if release else None,
            "until": release.until.isoformat() if release and release.until else None,
            "window": release.window(said.judged_utc.date()) if release else "unknown",
            "source": release.source if release else None,
        },
        "judged": said.judged_utc.astimezone(UTC).isoformat(),
        "boards": list(said.boards),
        "units": [_unit(unit) for unit in said.units],
        "image_sha256": said.image_sha256,
        "kernel": said.kernel,
        "mandatory": len(said.mandatory),
        "open": len(said.open),
        "waived": len(said.waived),
        "runs": list(said.runs),
        "notes": list(said.notes),
        "groups": list(_groups(said)),
        "requirements": [_row(row) for row in said.rows],
    }


def _groups(said: Qualification) -> Iterator[dict[str, Any]]:
    """The cells of a board's line on a page: how far each group of requirements is."""
    for group in dict.fromkeys(row.wanted.group for row in said.rows):
        rows = [row for row in said.rows if row.wanted.group == group]
        feature = next((row.wanted.feature for row in rows if row.wanted.feature), None)
        counted = {
            state: sum(row.state.value == state for row in rows) for row in rows if (state := row.state.value)
        }
        yield {
            "group": group,
            "feature": feature,
            "states": counted,
            "open": sum(r in said.open for r in rows),
        }


def _unit(unit: Unit) -> dict[str, Any]:
    features = None if unit.features is None else sorted(unit.features)
    more = {"kernel": unit.kernel, "clock": unit.clock, "emulated": unit.emulated, "features": features}
    return {"board": unit.board, "dut": unit.dut, **more}


def _row(row: Row) -> dict[str, Any]:
    terms = row.wanted.terms
    return {
        "id": row.wanted.id,
        "mandatory": row.wanted.mandatory,
        "state": row.state.value,
        "case": row.case,
        "outcome": row.outcome.value if row.outcome else None,
        "run_id": row.run_id,
        "evidence": row.evidence,
        "reason": row.reason,
        "feature": row.wanted.feature,
        "waived": row.waived,
        "waiver": _waiver(row.waiver) if row.waiver else None,
        "expired": [_waiver(waiver) for waiver in row.expired],
        "unstable": row.unstable,
        "needed": {
            "units": terms.units,
            "repeats": terms.repeats,
            "max_age_days": terms.max_age_days,
            "clocks": list(terms.clocks),
        },
        "executions": [_execution(one) for one in row.shown],
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    who = {"owner": waiver.owner, "reason": waiver.reason, "expires": waiver.expires.isoformat()}
    return {**who, "board": waiver.board, "at": waiver.at}


def _execution(one: Execution) -> dict[str, Any]:
    return {
        "run_id": one.run_id,
        "started": one.started_utc.astimezone(UTC).isoformat(),
        "unit": one.unit.name,
        "board": one.unit.board,
        "case": one.label,
        "outcome": one.outcome.value,
        "unstable": one.unstable,
        "attempts": one.attempts,
        "clocks": list(one.clocks),
        "duration_s": one.duration_s,
        "reason": one.reason,
        "evidence": list(one.evidence),
    }
