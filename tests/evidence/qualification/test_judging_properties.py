# SPDX-License-Identifier: MIT
"""Laws of the judging that hold for every history of runs, whatever came when and on which unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rig.evidence.measurement import Outcome
from rig.evidence.qualification.executions import Execution, Unit
from rig.evidence.qualification.judging import State, judge
from rig.evidence.qualification.profile import Terms, Wanted
from tests.evidence.qualification.runs import IMAGE, NOW, OTHER_IMAGE

DIGEST = "PKCS11/Digest"


def _execution(hours: int, unit: str, image: str, case: str, outcome: Outcome) -> Execution:
    return Execution(
        run_id=f"run-{hours}",
        started_utc=NOW - timedelta(hours=hours),
        whole=True,
        unit=Unit(unit, unit, image, "V11.1.0", "hardware", False, None),
        suite="connectivity",
        case=case,
        outcome=outcome,
        unstable=False,
        attempts=1,
        reason="",
        duration_s=1.0,
        clocks=("hardware",),
        evidence=(),
        samples=(),
        requirements=(DIGEST,),
    )


ENTRIES = st.tuples(
    st.sampled_from(["SN-1", "SN-2"]),
    st.sampled_from([IMAGE, IMAGE, OTHER_IMAGE]),
    st.sampled_from(["digest[a]", "digest[b]"]),
    st.sampled_from(list(Outcome)),
)
HISTORIES = st.lists(ENTRIES, max_size=12).map(
    lambda entries: [_execution(hours, *entry) for hours, entry in enumerate(entries, 1)]
)
TERMS = st.builds(Terms, units=st.integers(1, 2), repeats=st.integers(1, 3))


def _state(history: Sequence[Execution], terms: Terms) -> State:
    return judge(Wanted(DIGEST, True, None, terms), history, IMAGE, NOW).state


def _passes(history: Sequence[Execution], unit: str, case: str, repeats: int) -> bool:
    """Whether the newest judged executions of a case on a unit are all PASS, and are enough."""
    judged = [
        one.outcome
        for one in history
        if (one.unit.name, one.case, one.unit.image_sha256) == (unit, case, IMAGE)
        and one.outcome in (Outcome.PASS, Outcome.FAIL)
    ][:repeats]
    return judged == [Outcome.PASS] * repeats


@given(HISTORIES, TERMS)
def test_what_is_met_was_passed_by_every_case_on_enough_units(history: list[Execution], terms: Terms) -> None:
    if _state(history, terms) is State.MET:
        cases = {one.case for one in history if one.unit.image_sha256 == IMAGE}
        ran = {(one.unit.name, one.case) for one in history if one.outcome is not Outcome.SKIPPED}
        units = [
            unit
            for unit in ("SN-1", "SN-2")
            if all(_passes(history, unit, case, terms.repeats) for case in cases if (unit, case) in ran)
            and any(_passes(history, unit, case, terms.repeats) for case in cases)
        ]
        assert len(units) >= terms.units


@given(HISTORIES, TERMS)
def test_a_newest_fail_of_any_unit_is_never_met(history: list[Execution], terms: Terms) -> None:
    failed = _execution(0, "SN-1", IMAGE, "digest[a]", Outcome.FAIL)
    assert _state([failed, *history], terms) is State.FAILED


@given(HISTORIES, TERMS, st.sampled_from([Outcome.ERROR, Outcome.ABORTED]))
def test_what_could_not_be_judged_changes_no_pass_and_no_fail(
    history: list[Execution], terms: Terms, outcome: Outcome
) -> None:
    known = [one for one in history if one.unit.image_sha256 == IMAGE and one.outcome is not Outcome.SKIPPED]
    before = _state(history, terms)
    for one in known:
        newest = _execution(0, one.unit.name, IMAGE, one.case, outcome)
        if before in (State.MET, State.FAILED):
            assert _state([newest, *history], terms) is before


@given(HISTORIES, TERMS)
def test_runs_of_another_image_never_help(history: list[Execution], terms: Terms) -> None:
    own = [one for one in history if one.unit.image_sha256 == IMAGE]
    if own:
        assert _state(history, terms) is _state(own, terms)
    else:
        assert _state(history, terms) in (State.STALE, State.MISSING)


@given(HISTORIES, TERMS)
def test_more_demanded_is_never_easier(history: list[Execution], terms: Terms) -> None:
    harder = Terms(units=terms.units + 1, repeats=terms.repeats)
    if _state(history, harder) is State.MET:
        assert _state(history, terms) is State.MET
