# SPDX-License-Identifier: MIT
"""Which state a requirement is in, by the executions that there are. Pure; outcomes are the runs' own.

What counts is evidence of the one image, by an allowed clock, not too old, of a whole run. Of each case that
carries the id the newest ``repeats`` executions on a unit must all be PASS; ERROR and ABORTED say nothing of
a board and are passed over, a FAIL counts even where the run was cut off. Several cases become one as
outcomes do: a SKIPPED one beside one that passed takes nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rig.evidence.measurement import Outcome
from rig.evidence.qualification.executions import Execution
from rig.evidence.qualification.profile import Terms, Wanted

_JUDGED: Final = (Outcome.PASS, Outcome.FAIL)
_AHEAD: Final = timedelta(days=1)
"""How far a run may lie ahead of now: another host's clock, but not another year."""


class State(StrEnum):
    """The state of a requirement; only ``MET`` is good."""

    MET = "met"
    FAILED = "failed"
    TOO_FEW = "too few"
    NOT_JUDGED = "not judged"
    SKIPPED = "skipped"
    STALE = "stale"
    MISSING = "missing"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Judged:
    """A state, why, and the execution that decided; None where there was none."""

    state: State
    reason: str
    by: Execution | None


def judge(wanted: Wanted, found: Sequence[Execution], image: str | None, now: datetime) -> Judged:
    """The state of a requirement; ``found``: the executions of cases that carry it, newest first."""
    usable = [one for one in found if not unusable(one, wanted.terms, image, now)]
    if not usable:
        return _without(wanted.terms, found, image, now)
    units = dict.fromkeys(one.unit.name for one in usable)
    cases = dict.fromkeys(one.label for one in usable)
    by_unit = {
        unit: _joined([_case(_of(usable, unit, case), case, unit, wanted.terms.repeats) for case in cases])
        for unit in units
    }
    return _over_units(by_unit, wanted.terms.units)


def unusable(one: Execution, terms: Terms, image: str | None, now: datetime) -> str:
    """Why an execution does not count; empty if it does."""
    return _never(one, terms, now) or _no_longer(one, terms, image, now)


def _never(one: Execution, terms: Terms, now: datetime) -> str:
    """Why an execution never counted by these terms."""
    if one.unit.played is not None:
        return f"played from run {one.unit.played}: no board ran"
    if one.unit.image_sha256 is None:
        return "of an image that the run does not name"
    if one.started_utc > now + _AHEAD:
        return f"dated {one.started_utc:%Y-%m-%d}, which is still to come"
    if any(clock not in terms.clocks for clock in one.clocks):
        return f"by the clock '{', '.join(one.clocks)}', not {' or '.join(terms.clocks)}"
    if not one.whole and one.outcome is not Outcome.FAIL:
        return "of a run that is incomplete"
    return ""


def _no_longer(one: Execution, terms: Terms, image: str | None, now: datetime) -> str:
    """Why an execution counted once and does not now."""
    if one.unit.image_sha256 != image:
        return f"of another image, {(one.unit.image_sha256 or 'unknown')[:12]}"
    if terms.max_age_days is not None and now - one.started_utc > timedelta(days=terms.max_age_days):
        return f"of {one.started_utc:%Y-%m-%d}, older than {terms.max_age_days} days"
    return ""


def _without(terms: Terms, found: Sequence[Execution], image: str | None, now: datetime) -> Judged:
    """Where nothing counts: stale, if the newest that was judged is a pass that counted once."""
    if not found:
        return Judged(State.MISSING, "no run has a case that shows it", None)
    newest = next((one for one in found if one.outcome in _JUDGED), found[0])
    once = newest.outcome is Outcome.PASS and not _never(newest, terms, now)
    why = unusable(newest, terms, image, now)
    return Judged(State.STALE if once else State.MISSING, f"its {newest.outcome.value} is {why}", newest)


def _of(found: Iterable[Execution], unit: str, case: str) -> list[Execution]:
    return [one for one in found if one.unit.name == unit and one.label == case]


def _case(found: Sequence[Execution], case: str, unit: str, repeats: int) -> Judged:
    """One case on one unit, its executions newest first."""
    judged = [one for one in found if one.outcome in _JUDGED][:repeats]
    failed = next((one for one in judged if one.outcome is Outcome.FAIL), None)
    if failed is not None:
        return Judged(State.FAILED, failed.reason or "FAIL without a reason", failed)
    if len(judged) == repeats:
        return Judged(State.MET, "", judged[0])
    if judged:
        return Judged(State.TOO_FEW, f"{case} passed {len(judged)} of {repeats} times on {unit}", judged[0])
    if not found:
        return Judged(State.TOO_FEW, f"{case} was not run on {unit}", None)
    newest = found[0]
    state = State.SKIPPED if newest.outcome is Outcome.SKIPPED else State.NOT_JUDGED
    return Judged(state, newest.reason or newest.outcome.value, newest)


_WORST_FIRST: Final = (State.FAILED, State.NOT_JUDGED, State.TOO_FEW, State.MET, State.SKIPPED)


def _joined(cases: Sequence[Judged]) -> Judged:
    """Several cases of one requirement on one unit: as outcomes become one."""
    return min(cases, key=lambda one: _WORST_FIRST.index(one.state))


def _over_units(by_unit: dict[str, Judged], needed: int) -> Judged:
    met = {unit: one for unit, one in by_unit.items() if one.state is State.MET}
    others = [one for one in by_unit.values() if one.state is not State.MET]
    failed = next((one for one in others if one.state is State.FAILED), None)
    if failed is not None:
        return failed
    if len(met) >= needed:
        return next(iter(met.values()))
    if met:
        first = next(iter(met.values()))
        return Judged(State.TOO_FEW, f"met on {len(met)} of {needed} units: {', '.join(met)}", first.by)
    return min(others, key=lambda one: _WORST_FIRST.index(one.state))
