# SPDX-License-Identifier: MIT
"""Which boards are qualified for which release: the verdict of each profile, and the evidence behind it.

Reads the JSON of ``rig/evidence/qualification`` (``Qualification.as_json``); the verdicts are its.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.dashboard.json_files import read_documents
from reports.dashboard.names import slug
from reports.dashboard.sources import Sources, View

_LARGEST: Final = 16 << 20
_TONES: Final = {"qualified": "PASS", "emulated": "SKIPPED", "stale": "ERROR"}
"""The outcome in whose colour a verdict is shown; every other is FAIL's."""
_MOST_RUNS: Final = 5000
_GOOD: Final = ("met", "not applicable")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a profile, as it was found; ``evidence`` is a path within the run."""

    id: str
    mandatory: bool
    state: str
    reason: str
    case: str
    outcome: str
    run_id: str
    evidence: str
    feature: str
    waived: bool
    unstable: bool
    waivers: Sequence[Mapping[str, Any]]

    @property
    def group(self) -> str:
        """What it belongs to."""
        return self.id.partition("/")[0]

    @property
    def good(self) -> bool:
        """Whether it stands in nobody's way."""
        return self.state in _GOOD or self.waived or not self.mandatory


@dataclass(frozen=True, slots=True)
class Feature:
    """A group of requirements, as a cell of the matrix counts it."""

    name: str
    feature: str
    rows: Sequence[Requirement]

    @property
    def good(self) -> int:
        """How many stand in nobody's way."""
        return sum(row.good for row in self.rows)

    @property
    def tone(self) -> str:
        """The outcome in whose colour it is shown: grey where none of it applies."""
        if all(row.state == "not applicable" for row in self.rows):
            return "SKIPPED"
        bad = [row for row in self.rows if not row.good]
        return "FAIL" if any(row.state == "failed" for row in bad) else "ERROR" if bad else "PASS"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Boards (units of one product) against a profile."""

    boards: Sequence[str]
    release: str
    profile: str
    verdict: str
    sentence: str
    image_sha256: str
    kernel: str
    judged: str
    window: str
    source: str
    notes: Sequence[str]
    requirements: Sequence[Requirement]

    @property
    def name(self) -> str:
        """The boards in words."""
        return ", ".join(self.boards)

    @property
    def anchor(self) -> str:
        """The place of it on the page."""
        return slug(f"{self.name} {self.profile}")

    @property
    def tone(self) -> str:
        """The outcome in whose colour the verdict is shown."""
        return _TONES.get(self.verdict, "FAIL")

    @property
    def features(self) -> list[Feature]:
        """The requirements by group, in the profile's order."""
        found: dict[str, list[Requirement]] = {}
        for row in self.requirements:
            found.setdefault(row.group, []).append(row)
        return [Feature(name, rows[0].feature, rows) for name, rows in found.items()]

    @property
    def waivers(self) -> list[tuple[Requirement, Mapping[str, Any]]]:
        """Who answers for what; those that no longer count are among them."""
        return [(row, waiver) for row in self.requirements for waiver in row.waivers]


def qualified(sources: Sources) -> View:
    """The page."""
    found = verdicts(sources)
    cells: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in found:
        cells.setdefault((verdict.name, verdict.release), []).append(verdict)
    says = {
        "verdicts": found,
        "boards": list(dict.fromkeys(verdict.name for verdict in found)),
        "releases": sorted({verdict.release for verdict in found}, reverse=True),
        "of": cells,
        "runs": {run.run_id for run in sources.store.runs(_MOST_RUNS)},
    }
    return View("qualified.html.j2", "Qualified boards", "qualified", says)


def verdicts(sources: Sources) -> list[Verdict]:
    """The newest document of each boards and profile, by boards."""
    if sources.qualifications is None:
        return []
    found: dict[tuple[str, str], Verdict] = {}
    for _, document in read_documents(sources.qualifications, "**/*.json", _LARGEST):
        verdict = verdict_of(document)
        if verdict is None:
            continue
        key = verdict.name, verdict.profile
        if key not in found or found[key].judged <= verdict.judged:
            found[key] = verdict
    return [found[key] for key in sorted(found)]


def verdict_of(document: Mapping[str, Any]) -> Verdict | None:
    """The verdict of a document; None where it is no qualification."""
    rows, boards = document.get("requirements"), document.get("boards")
    if (
        not isinstance(rows, list)
        or not isinstance(boards, list)
        or not isinstance(document.get("verdict"), str)
    ):
        return None
    profile, release = _part(document, "profile"), _part(document, "release")
    until, window = _text(release, "until"), _text(release, "window")
    return Verdict(
        boards=[str(board) for board in boards],
        release=_text(release, "name") or "no release",
        profile=_text(profile, "title") or _text(profile, "name") or "unknown",
        verdict=document["verdict"],
        sentence=_text(document, "sentence"),
        image_sha256=_text(document, "image_sha256"),
        kernel=_text(document, "kernel"),
        judged=_text(document, "judged"),
        window=f"{window}, until {until}" if until else window or "unknown",
        source=_text(release, "source"),
        notes=[str(note) for note in document.get("notes") or ()],
        requirements=[_requirement(row) for row in rows if isinstance(row, dict)],
    )


def _requirement(row: Mapping[str, Any]) -> Requirement:
    waiver, expired = row.get("waiver"), row.get("expired")
    late = (
        [{**old, "late": True} for old in expired if isinstance(old, dict)]
        if isinstance(expired, list)
        else []
    )
    return Requirement(
        id=_text(row, "id"),
        mandatory=bool(row.get("mandatory")),
        state=_text(row, "state"),
        reason=_text(row, "reason"),
        case=_text(row, "case"),
        outcome=_text(row, "outcome"),
        run_id=_text(row, "run_id"),
        evidence=_text(row, "evidence"),
        feature=_text(row, "feature"),
        waived=row.get("waived") is True,
        unstable=row.get("unstable") is True,
        waivers=[*([waiver] if isinstance(waiver, dict) else []), *late],
    )


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)
