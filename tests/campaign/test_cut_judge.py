# SPDX-License-Identifier: MIT
"""The verdict on one state, over every way in which a board can come back."""

from __future__ import annotations

import pytest

from rig.campaign.cut_judge import Boot, Images, Outcome, Recovery, expected, judge
from rig.image.slot_layout import State

IMAGES = Images("a", "old-hash", "new-hash")


@pytest.mark.parametrize(
    ("state", "whole", "wanted"),
    [
        ("none", False, ("old", "confirmed")),
        ("none", True, ("old", "confirmed")),
        ("test", True, ("new", "test")),
        ("test", False, ("old", "refused")),
        ("tried", True, ("old", "revert")),
        ("tried", False, ("old", "revert")),
        ("confirmed", True, ("new", "confirmed")),
        ("confirmed", False, ("old", "refused")),
    ],
)
def test_what_must_run_is_told_by_the_trailer(state: State, whole: bool, wanted: tuple[Outcome, str]) -> None:
    assert expected({"a": "confirmed", "b": state}, whole, IMAGES) == wanted


def boot(image: str, reason: str, *, said: str = "", slot: str | None = "b", trouble: str = "") -> Boot:
    return Boot("b" if slot == "b" else None, reason, image, said or image, "0.9.1", trouble)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (boot("new-hash", "test"), "new"),
        (boot("old-hash", "confirmed"), "wrong choice"),
        (boot("new-hash", "confirmed"), "wrong choice"),
        (boot("other", "test"), "wrong image"),
        (boot("new-hash", "test", said="old-hash"), "wrong image"),
        (boot("", "recovery", slot=None), "dead"),
        (boot("new-hash", "test", trouble="no answer"), "dead"),
    ],
)
def test_verdict(found: Boot, outcome: Outcome) -> None:
    judged, why = judge(found, ("new", "test"), IMAGES)
    assert judged == outcome
    assert bool(why) == (outcome != "new")


def test_a_recovery_is_kept_whole() -> None:
    found = Recovery("state", "new", "", boot("new-hash", "test"), ("x", "y"), 0.1)
    assert Recovery.of_document("state", found.document()) == found
