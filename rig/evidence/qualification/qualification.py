# SPDX-License-Identifier: MIT
"""What a profile says of boards: the verdict, and a row for each requirement with its evidence. Records.

How they come about is ``verdict.py``'s.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rig.evidence.measurement import Outcome
from rig.evidence.qualification.executions import Execution, Unit
from rig.evidence.qualification.judging import State
from rig.evidence.qualification.profile import Profile, Wanted
from rig.evidence.qualification.releases import Release
from rig.evidence.qualification.waivers import Waiver


class Word(StrEnum):
    """The verdict on boards, in a word."""

    QUALIFIED = "qualified"
    STALE = "stale"
    NOT_QUALIFIED = "not qualified"
    EMULATED = "emulated"


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement: its state, why, what decided it, and who answers for it where it is not met.

    ``case``, ``outcome``, ``run_id`` and ``evidence`` are of the deciding execution: None or empty without
    one. ``shown`` are all executions of the one image. ``expired``: waivers that no longer count.
    """

    wanted: Wanted
    state: State
    reason: str
    by: Execution | None
    outcome: Outcome | None
    shown: tuple[Execution, ...] = ()
    waiver: Waiver | None = None
    expired: tuple[Waiver, ...] = ()

    @property
    def waived(self) -> bool:
        """Whether somebody answers for it now, and it is needed."""
        return self.waiver is not None and not self.good

    @property
    def good(self) -> bool:
        """Whether nothing is left to show."""
        return self.state in (State.MET, State.NOT_APPLICABLE)

    @property
    def unstable(self) -> bool:
        """Whether the deciding execution passed on a retry."""
        return self.by is not None and self.by.unstable

    @property
    def case(self) -> str | None:
        """``suite/case`` of what decided."""
        return self.by.label if self.by else None

    @property
    def run_id(self) -> str | None:
        """The run of what decided."""
        return self.by.run_id if self.by else None

    @property
    def evidence(self) -> str | None:
        """The first file of what decided, relative to its run."""
        return self.by.evidence[0] if self.by and self.by.evidence else None


@dataclass(frozen=True, slots=True)
class Qualification:
    """What a profile says of boards. ``runs``: those that show something of this image, newest first."""

    profile: Profile
    release: Release | None
    boards: tuple[str, ...]
    units: tuple[Unit, ...]
    image_sha256: str | None
    word: Word
    met: bool
    rows: tuple[Row, ...]
    runs: tuple[str, ...]
    notes: tuple[str, ...]
    judged_utc: datetime

    @property
    def mandatory(self) -> tuple[Row, ...]:
        """The mandatory requirements that apply."""
        return tuple(r for r in self.rows if r.wanted.mandatory and r.state is not State.NOT_APPLICABLE)

    @property
    def open(self) -> tuple[Row, ...]:
        """The mandatory requirements that stand in the way."""
        return tuple(row for row in self.mandatory if not row.good and not row.waived)

    @property
    def waived(self) -> tuple[Row, ...]:
        """The requirements, mandatory or not, that somebody answers for."""
        return tuple(row for row in self.rows if row.waived)

    @property
    def kernel(self) -> str | None:
        """What the newest unit said of its kernel."""
        return next((unit.kernel for unit in self.units if unit.kernel), None)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        met = sum(row.good for row in self.mandatory)
        waived = sum(row.waived for row in self.mandatory)
        said = f"{met} of {len(self.mandatory)} mandatory requirements are met"
        parts = [f"{waived} waived"] if waived else []
        parts += [f"{n} {state.value}" for state, n in Counter(row.state for row in self.open).items()]
        said += f"; {', '.join(parts)}" if parts else ""
        return f"{said}. An emulated board is never qualified." if self.word is Word.EMULATED else f"{said}."

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, for the dashboard and other programs."""
        from rig.evidence.qualification.export import as_json

        return as_json(self)
