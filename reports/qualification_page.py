# SPDX-License-Identifier: MIT
"""A qualification as one HTML file that needs nothing else, and the same for paper. It has no script.

Owns what the page shows; the words are in ``templates/qualification.html.j2``. It is the traceability matrix
for people: requirement, case, outcome, evidence. For programs it is ``qualification_table.py``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from reports.html import STATIC
from reports.templating import plain_environment
from reports.text import printable
from rig.evidence.model import Run
from rig.evidence.qualification import Qualification, Row, Waiver, Word
from rig.evidence.qualification.executions import Execution
from rig.evidence.qualification.judging import State

LOOKS: Final = {
    State.MET: "PASS",
    State.FAILED: "FAIL",
    State.TOO_FEW: "ERROR",
    State.NOT_JUDGED: "ERROR",
    State.MISSING: "ERROR",
    State.STALE: "ABORTED",
    State.SKIPPED: "SKIPPED",
    State.NOT_APPLICABLE: "SKIPPED",
}
"""The outcome whose colour a state has."""
_WORDS: Final = {
    Word.QUALIFIED: "PASS",
    Word.NOT_QUALIFIED: "FAIL",
    Word.STALE: "ABORTED",
    Word.EMULATED: "SKIPPED",
}
_MOST_LINES: Final = 6
"""Executions of one requirement that have a line of their own."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Requirements of one group that stand in the way for the same reason."""

    group: str
    reason: str
    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        """One of them, for its state."""
        return self.rows[0]

    @property
    def names(self) -> list[str]:
        """What they are called within the group."""
        return [row.wanted.name for row in self.rows]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the matrix; ``common``: an execution whose unit and run are those of all that is shown.

    ``several``: there is more than one unit, or more than one run, so each execution has a line.
    """

    name: str
    rows: tuple[Row, ...]
    tally: str
    common: Execution | None
    several: bool


def qualification_page(said: Qualification, runs: Sequence[Run], *, paper: bool = False) -> str:
    """Returns the whole page; evidence is linked as it lies in a pack. ``runs``: those it was judged by."""
    from markupsafe import Markup

    sheets = ["report.css", *(["paper.css"] if paper else []), "qualification.css"]
    css = "".join((STATIC / sheet).read_text(encoding="utf-8") for sheet in sheets)
    env = plain_environment()
    env.filters |= {"evidence": _address, "executions": executions_of}
    return env.get_template("qualification.html.j2").render(
        said=said,
        look=_WORDS[said.word],
        looks={state.value: look for state, look in LOOKS.items()},
        counts=_counts(said.mandatory),
        window=said.release.window(said.judged_utc.date()) if said.release else "unknown",
        most=_MOST_LINES,
        folds=folds(said),
        waivers=list(_waivers(said)),
        groups=list(_groups(said)),
        runs=[run for run in runs if run.run_id in said.runs],
        hashes=list(_hashes(said, runs)),
        css=Markup(css),
    )


def executions_of(row: Row) -> list[Execution]:
    """What there is to show of a requirement: what decided first, then the others of the image."""
    others = [one for one in row.shown if one is not row.by]
    return [row.by, *others] if row.by is not None else others


def tally(rows: Sequence[Row]) -> str:
    """How many are in which state: ``14 met, 9 missing``."""
    return ", ".join(f"{count} {state}" for state, count in _counts(rows).items())


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    seen = Counter(row.state for row in rows)
    return {state.value: seen[state] for state in State if seen[state]}


def folds(said: Qualification) -> list[Fold]:
    """What stands in the way, by group, state and reason, in the profile's order."""
    found: dict[tuple[str, State, str], list[Row]] = {}
    for row in said.open:
        found.setdefault((row.wanted.group, row.state, row.reason), []).append(row)
    return [Fold(group, reason, tuple(rows)) for (group, _, reason), rows in found.items()]


def _groups(said: Qualification) -> Iterator[Group]:
    for name in dict.fromkeys(row.wanted.group for row in said.rows):
        rows = tuple(row for row in said.rows if row.wanted.group == name)
        all_of = [one for row in rows for one in executions_of(row)]
        seen = {(one.unit.name, one.run_id): one for one in all_of}
        common = next(iter(seen.values())) if len(seen) == 1 else None
        yield Group(name, rows, tally(rows), common, len(seen) > 1)


def _waivers(said: Qualification) -> Iterator[tuple[Row, Waiver, str]]:
    """All of them: those that count, those that are not needed, those that have expired."""
    for row in said.rows:
        if row.waiver is not None:
            yield row, row.waiver, "waived" if row.waived else "not needed"
        yield from ((row, waiver, "expired") for waiver in row.expired)


def _hashes(said: Qualification, runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    from rig.evidence.bundle import JOURNALS_GLOB, sha256_of

    yield "image", said.image_sha256 or "unknown"
    yield f"profile {said.profile.name}", said.profile.sha256
    for run in runs:
        if run.run_id in said.runs:
            for path in sorted(run.path.glob(JOURNALS_GLOB)):
                yield f"{run.run_id}/{path.name}", sha256_of(path)


def _address(one: Execution) -> str:
    return quote(printable(f"runs/{one.run_id}/{one.evidence[0]}"))
