# SPDX-License-Identifier: MIT
"""Profiles: the breakdown of a trace, its JSON, and the difference of two."""

from __future__ import annotations

import json
from array import array
from typing import Any

import pytest

from rig.errors import UsageFault
from rig.image.functions import Function, Functions
from rig.image.profile import (
    PLAIN,
    Population,
    Profile,
    Share,
    Step,
    breakdown,
    compared,
    population,
    profile_of_json,
)

NOP, ADD, BL = "00bf", "0130", "fff7fbff"
CODE = bytes.fromhex(ADD + NOP + BL + ADD + NOP)
FUNCTIONS = Functions([Function("one", 0x100, 0x104), Function("two", 0x104, 0x10C)], [(0x100, CODE)])
LONG, SHORT = (0x104, 0x100, 0x102, 0x100, 0x102, 0x108), (0x104, 0x108)


def _profile(*populations: Population) -> Profile:
    return Profile("mps2", "queue.send", 16, 3, "ab" * 32, 2, 4, None, 0, populations)


def _part(*shares: Share, median: int = 0) -> Population:
    return Population(PLAIN, 1, median, median, median, 1, 1, shares)


def _steps(*codes: str, count: int = 1) -> tuple[Step, ...]:
    return tuple(Step(2 * number, code, count) for number, code in enumerate(codes))


def test_a_trace_is_broken_down_by_function_and_address() -> None:
    one, two = breakdown(LONG, FUNCTIONS)
    assert (one.name, one.instructions, one.calls) == ("one", 4, 2)
    assert one.steps == (Step(0, ADD, 2), Step(2, NOP, 2))
    assert (two.name, two.instructions, two.calls) == ("two", 2, 1)
    assert two.steps == (Step(0, BL, 1), Step(4, ADD, 1))


def test_what_has_no_symbol_is_not_left_out() -> None:
    (share,) = breakdown((0x20000000,), FUNCTIONS)
    assert (share.name, share.instructions) == ("(no symbol)", 1)


def test_a_population_shows_its_median_sample() -> None:
    traces = [array("I", trace) for trace in (SHORT, LONG, SHORT, (*LONG, 0x100))]
    part = population(PLAIN, [3, 1, 2], traces, 2, FUNCTIONS)
    assert (part.samples, part.minimum, part.median, part.maximum) == (3, 0, 4, 5)
    assert (part.sample, part.paths) == (1, 3)
    assert part.total == len(LONG)


def test_json_gives_the_same_profile_back() -> None:
    told = _profile(population(PLAIN, [0], [array("I", LONG)], 2, FUNCTIONS))
    data = json.loads(json.dumps(told.as_json()))
    assert (data["form"], data["unit"]) == ("rig-profile-1", "instructions")
    assert profile_of_json(data, "x.json") == told
    assert told.name == "queue.send.16"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"form": "rig-profile-9"}, "its form is 'rig-profile-9'"),
        ({"populations": [{"name": "x"}]}, "missing|functions"),
        ({"more": 1}, "unexpected keyword argument 'more'"),
    ],
)
def test_what_is_no_profile_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageFault, match=rf"x\.json is no profile .*({said})"):
        profile_of_json({**_profile().as_json(), **change}, "x.json")


@pytest.mark.parametrize("data", [None, [], {}, "profile"])
def test_other_json_is_refused(data: Any) -> None:
    with pytest.raises(UsageFault, match=r"x\.json is no profile"):
        profile_of_json(data, "x.json")


def test_an_inserted_instruction_is_one_change_though_all_behind_it_move() -> None:
    before = _part(Share("two", 3, 1, _steps(ADD, BL, ADD)))
    after = _part(Share("two", 4, 1, _steps(ADD, NOP, "00f010f8", ADD)))
    ((change,),) = compared(_profile(before), _profile(after)).values()
    assert (change.name, change.before, change.after) == ("two", 3, 4)
    (step,) = change.steps
    assert (step.offset, step.code, step.before, step.after, step.gone) == (2, NOP, 0, 1, False)


def test_more_executions_of_the_same_code_are_a_change() -> None:
    before = _part(Share("two", 2, 1, _steps(ADD, NOP)))
    after = _part(Share("two", 6, 3, _steps(ADD, NOP, count=3)))
    ((change,),) = compared(_profile(before), _profile(after)).values()
    assert (change.calls_before, change.calls_after) == (1, 3)
    assert [(step.before, step.after) for step in change.steps] == [(1, 3), (1, 3)]


def test_functions_that_came_or_went_are_changes_and_same_ones_are_not() -> None:
    same = Share("same", 2, 1, _steps(ADD, NOP))
    before = _part(same, Share("gone", 1, 1, _steps(NOP)))
    after = _part(same, Share("new", 2, 1, _steps(NOP, ADD)))
    ((new, gone),) = compared(_profile(before), _profile(after)).values()
    assert (new.name, new.before, new.after) == ("new", 0, 2)
    assert (gone.name, gone.before, gone.after) == ("gone", 1, 0)
    assert gone.steps[0].gone
