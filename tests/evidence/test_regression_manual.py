# SPDX-License-Identifier: MIT
"""docs/regression.md says what the code does: states, kinds, constants, and the keys that programs read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rig.evidence import confirming, looking, segmentation, significance, suspicion, trend
from rig.evidence.alerts import STATES, Kind
from rig.evidence.measurement import EXIT_REGRESSION

if TYPE_CHECKING:
    from tests.evidence.nights import Bench
else:
    from nights import Bench

PAGE = (Path(__file__).parents[2] / "docs" / "regression.md").read_text(encoding="utf-8")
WORDS = {2: "two", 3: "three", 5: "five"}


def section(heading: str) -> str:
    """A section as one line."""
    return " ".join(PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0].split())


def first_column(heading: str) -> list[str]:
    text = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_states_and_kinds() -> None:
    assert tuple(first_column("From a night to an alert")) == STATES
    assert set(first_column("What is suspected")) == set(get_args(Kind))


def test_what_is_suspected() -> None:
    said = section("What is suspected")
    newest, outside = suspicion.QUICK
    assert f"{WORDS[outside]} of the {WORDS[newest]} newest runs" in said
    assert f"more than {segmentation.PENALTY:g} ln n" in said
    assert f"the larger of {significance.MINIMUM_EFFECT:.0%}".replace("%", " %") in said
    assert f"± {trend.BAND:g} standard deviations" in said
    assert f"the newest {trend.LATEST} runs has left that of the first {trend.REFERENCE}" in said
    assert f"the newest {suspicion.WINDOW} runs" in said
    assert f"older than {suspicion.RECENT} runs" in said
    assert f"from its {suspicion.EDGE}th run on" in said
    assert f"count from its {significance.FEWEST}th" in said
    assert f"stayed for {significance.FEWEST} runs or more" in said
    assert f"{WORDS[looking.WITHIN]} runs in a row within it" in said


def test_what_confirms() -> None:
    said = section("What confirms")
    assert f"{WORDS[suspicion.RERUNS].title()} fresh runs of the case" in said
    assert f"({WORDS[suspicion.RERUNS_EXACT]} of an exact series)" in said
    assert f"p below {confirming.CONFIRMED_P:g}. Up to {confirming.UNCLEAR_P:g} they are not clear" in said


def test_keys_for_programs() -> None:
    named = first_column("For a campaign")
    levels = iter([98.0] * 3 + [99.0] * 9)
    nights = Bench(lambda _night: next(levels), exact=True)
    nights.nights(3)
    (suspected, confirmed) = nights.one_night()
    night = nights.look().as_json()
    assert set(night) == set(named[: len(night)])
    assert {*suspected.detail, *confirmed.detail} <= set(named)
    assert f"Exit code {EXIT_REGRESSION} while a regression is confirmed" in section("For a campaign")
