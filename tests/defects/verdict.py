# SPDX-License-Identifier: MIT
"""Whether the suites caught a seeded defect: pure, from what two runs found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rig.evidence.measurement import Outcome
from tests.defects.declared import Defect, matches

Outcomes = Mapping[str, Outcome]
"""The outcome of each case, by ``suite/case``."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a defect. ``missed``: what had to show; ``other``: what changed and was not declared."""

    defect: Defect
    shown: tuple[str, ...]
    missed: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """All that had to show did, and nothing that was not declared."""
        return bool(self.shown) and not self.missed and not self.other

    def __str__(self) -> str:
        word = "caught" if self.caught else "MISSED"
        text = f"{word}  {self.defect.id:<17} {_few(self.shown)}"
        text += f"; did not show: {_few(self.missed, 6)}" if self.missed else ""
        return text + (f"; not declared: {_few(self.other, 12)}" if self.other else "")


def by_outcome(defect: Defect, sound: Outcomes, seen: Outcomes) -> Tried:
    """Judges a defect that must make cases FAIL."""
    changed = _changed(sound, seen)
    failed = {name for name in changed if seen.get(name) is Outcome.FAIL}
    shown = tuple(name for name in sorted(failed) if matches(name, defect.must))
    missed = tuple(pattern for pattern in defect.must if not any(matches(f, (pattern,)) for f in failed))
    return Tried(defect, shown, missed, _undeclared(changed, (*defect.must, *defect.may), sound, seen))


def by_comparison(
    defect: Defect, sound: Outcomes, seen: Outcomes, compared: Mapping[str, Any], counted: Mapping[str, int]
) -> Tried:
    """Judges a defect that ``rig compare`` must find; ``compared`` is its JSON.

    ``counted``: how often each row executes what the defect added, by the outside instrument. Each must have
    grown by exactly that, and be declared.
    """
    found = {c["name"]: c for c in compared["changes"] if c["verdict"] != "unchanged"}
    deltas = {name: c["delta"] for name, c in found.items() if c["verdict"] == "regressed"}
    shown = tuple(f"{name} +{delta:g}" for name, delta in deltas.items() if defect.rows.get(name) == delta)
    expected = {**{name: defect.adds * times for name, times in counted.items()}, **defect.rows}
    missed = tuple(
        f"{name} +{delta:g} (is {deltas.get(name, 0):+g})"
        for name, delta in expected.items()
        if deltas.get(name, 0) != delta
    )
    other = [
        f"{name} {c['verdict']} {c['delta']}"
        for name, c in found.items()
        if name not in defect.rows and not matches(name, defect.rows_may)
    ]
    other += [] if compared["regressed"] else ["rig compare says: not regressed"]
    other += [
        f"{name} executes it {times} times, declared is {defect.rows.get(name, 0):g} more"
        for name, times in counted.items()
        if defect.adds * times != defect.rows.get(name, 0)
    ]
    undeclared = _undeclared(_changed(sound, seen), defect.may, sound, seen)
    return Tried(defect, shown, missed, (*other, *undeclared))


def _changed(sound: Outcomes, seen: Outcomes) -> set[str]:
    return {name for name in sound.keys() | seen.keys() if sound.get(name) != seen.get(name)}


def _undeclared(names: Iterable[str], may: Iterable[str], sound: Outcomes, seen: Outcomes) -> tuple[str, ...]:
    patterns = tuple(may)
    return tuple(
        f"{name} {_word(sound, name)}→{_word(seen, name)}"
        for name in sorted(names)
        if not matches(name, patterns)
    )


def _word(outcomes: Outcomes, name: str) -> str:
    return outcomes[name].value if name in outcomes else "absent"


def _few(names: tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more
