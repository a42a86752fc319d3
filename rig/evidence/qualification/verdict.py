# SPDX-License-Identifier: MIT
"""Whether boards are *qualified* by a profile, from runs, waivers and what is known beside them. Pure.

*Qualified*: every mandatory requirement that applies is met on the required units with one image, or somebody
answers for it. *Stale*: they were, but the evidence is older than allowed, or of another image. A board that
is emulated is never qualified: it reads ``emulated``, whatever it met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rig.errors import UsageFault
from rig.evidence.measurement import Outcome
from rig.evidence.model import Run
from rig.evidence.qualification.checks import Check, check_integrity, check_version
from rig.evidence.qualification.executions import Execution, Unit, distinct, executions, units_of
from rig.evidence.qualification.judging import Judged, State, judge
from rig.evidence.qualification.profile import INTEGRITY_ID, VERSION_ID, Profile, Wanted
from rig.evidence.qualification.qualification import Qualification, Row, Word
from rig.evidence.qualification.releases import Release, releases
from rig.evidence.qualification.tree import Tree
from rig.evidence.qualification.waivers import Waiver, must_be_wanted


@dataclass(frozen=True, slots=True)
class Given:
    """What is known beside the runs: the libraries' tree, its files' hashes, and those they should have."""

    tree: Tree | None = None
    seen: dict[str, str] | None = None
    listed: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all requirements are judged on. ``taken``: the runs with their units that are asked for."""

    profile: Profile
    release: Release | None
    now: datetime
    taken: tuple[tuple[Run, dict[str, Unit]], ...]
    boards: tuple[str, ...]
    newest: str | None
    image: str | None
    units: tuple[Unit, ...]
    found: tuple[Execution, ...]
    checks: Mapping[str, Check]
    waivers: tuple[Waiver, ...]


def qualify(
    profile: Profile,
    runs: Sequence[Run],
    now: datetime,
    *,
    boards: Collection[str] = (),
    image: str | None = None,
    waivers: Sequence[Waiver] = (),
    given: Given | None = None,
) -> Qualification:
    """Judges the boards (all of the runs, or those named) by the profile, at ``now``.

    They are units of one product: one image, that of the newest run unless ``image`` (its SHA-256, or the
    beginning) names another, is what is judged. Raises UsageFault for an image no run has, and for a waiver
    of what the profile does not want; EvidenceFault for two different runs of one id.
    """
    must_be_wanted(waivers, profile.ids, profile.name)
    taken = tuple((run, units) for run in distinct(runs) if (units := _chosen(run, boards)))
    seen = [unit for _, units in taken for unit in units.values()]
    newest = next((unit.image_sha256 for unit in seen if unit.image_sha256 and not unit.played), None)
    judged = newest if image is None else _image(image, seen)
    mine = _units(seen, judged)
    release = releases().get(profile.release) if profile.release else None
    ground = _Ground(
        profile=profile,
        release=release,
        now=now,
        taken=taken,
        boards=tuple(dict.fromkeys(unit.board for unit in seen)),
        newest=newest,
        image=judged,
        units=mine,
        found=tuple(one for run, units in taken for one in executions(run) if one.unit.board in units),
        checks=_checks(profile, release, mine, given or Given()),
        waivers=tuple(waivers),
    )
    return _verdict(ground, tuple(_row(ground, wanted) for wanted in profile.wanted))


def _chosen(run: Run, boards: Collection[str]) -> dict[str, Unit]:
    return {name: unit for name, unit in units_of(run).items() if not boards or name in boards}


def _image(wanted: str, units: Sequence[Unit]) -> str:
    there = dict.fromkeys(unit.image_sha256 for unit in units if unit.image_sha256)
    matching = [sha256 for sha256 in there if sha256.startswith(wanted.lower())]
    if len(matching) == 1:
        return matching[0]
    what = f"{len(matching)} images begin with" if matching else "no run has an image that begins with"
    raise UsageFault(f"{what} {wanted}: there are {', '.join(sha[:12] for sha in there) or 'none'}")


def _units(seen: Sequence[Unit], image: str | None) -> tuple[Unit, ...]:
    """The units that ran the image, each as the newest run saw it."""
    found: dict[str, Unit] = {}
    for unit in seen:
        if image is not None and unit.image_sha256 == image and not unit.played:
            found.setdefault(unit.name, unit)
    return tuple(found.values())


def _checks(
    profile: Profile, release: Release | None, units: Sequence[Unit], given: Given
) -> dict[str, Check]:
    kernels = {unit.name: unit.kernel for unit in units}
    return {
        VERSION_ID: check_version(kernels, profile.release, release, given.tree),
        INTEGRITY_ID: check_integrity(given.tree, given.seen or {}, given.listed),
    }


def _row(ground: _Ground, wanted: Wanted) -> Row:
    check = ground.checks.get(wanted.id)
    mine = [one for one in ground.found if wanted.id in one.requirements]
    judged = _checked(check) if check is not None else judge(wanted, mine, ground.image, ground.now)
    if _lacks(wanted, ground.units) and judged.state is not State.FAILED:
        judged = Judged(State.NOT_APPLICABLE, f"the board has no feature '{wanted.feature}'", None)
    own = [waiver for waiver in ground.waivers if waiver.is_for(wanted.id, ground.boards)]
    return Row(
        wanted=wanted,
        state=judged.state,
        reason=judged.reason,
        by=judged.by,
        outcome=judged.by.outcome if judged.by else check.outcome if check else None,
        shown=tuple(one for one in mine if one.unit.image_sha256 == ground.image and not one.unit.played),
        waiver=next((waiver for waiver in own if waiver.counts(ground.now)), None),
        expired=tuple(waiver for waiver in own if not waiver.counts(ground.now)),
    )


def _checked(check: Check) -> Judged:
    states = {Outcome.PASS: State.MET, Outcome.FAIL: State.FAILED}
    return Judged(states[check.outcome] if check.outcome else State.NOT_JUDGED, check.said, None)


def _lacks(wanted: Wanted, units: Sequence[Unit]) -> bool:
    """Whether all units say what they have, and none has the feature. Who says nothing is asked for all."""
    if wanted.feature is None or not units:
        return False
    return all(unit.features is not None and wanted.feature not in unit.features for unit in units)


def _notes(ground: _Ground, rows: Sequence[Row]) -> Iterator[str]:
    if ground.release is not None:
        yield f"{ground.release.name}: {ground.release.window(ground.now.date())}"
    elif ground.profile.release:
        yield f"{ground.profile.release}: not in the table of releases, nothing is known of it"
    if ground.newest != ground.image:
        yield f"a newer image has run since: {(ground.newest or 'unknown')[:12]}"
    for run, _ in ground.taken:
        if not run.complete:
            yield f"run {run.run_id} is incomplete: only what failed in it counts"
    for row in rows:
        if row.unstable and row.state is State.MET:
            yield f"{row.wanted.id} passed on a retry (unstable)"
    for waiver in ground.waivers:
        if not waiver.counts(ground.now):
            yield f"{waiver.at}: the waiver of {waiver.what} has expired"


def _verdict(ground: _Ground, rows: tuple[Row, ...]) -> Qualification:
    needed = [row for row in rows if row.wanted.mandatory and row.state is not State.NOT_APPLICABLE]
    missing = [row for row in needed if not row.good and not row.waived]
    met = not missing and any(row.state is State.MET for row in needed)
    stale = bool(missing) and all(row.state is State.STALE for row in missing)
    word = Word.QUALIFIED if met else Word.STALE if stale else Word.NOT_QUALIFIED
    used = {one.run_id for row in rows for one in row.shown}
    return Qualification(
        profile=ground.profile,
        release=ground.release,
        boards=ground.boards,
        units=ground.units,
        image_sha256=ground.image,
        word=Word.EMULATED if any(unit.emulated for unit in ground.units) else word,
        met=met,
        rows=rows,
        runs=tuple(run.run_id for run, _ in ground.taken if run.run_id in used),
        notes=tuple(_notes(ground, rows)),
        judged_utc=ground.now,
    )
