# SPDX-License-Identifier: MIT
"""docs/comparing.md says what the code does: its tables, its constants and the keys of the JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.evidence import conditions, judging, significance
from rig.evidence.comparison import Word
from rig.evidence.comparison_json import comparison_as_json
from rig.evidence.direction import Better, better
from rig.evidence.history import MOST_RUNS
from rig.evidence.regression import compare

if TYPE_CHECKING:
    from tests.evidence.paired_runs import Taken, loaded
else:
    from paired_runs import Taken, loaded

PAGE = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(heading: str) -> list[list[str]]:
    lines = [line for line in section(heading).splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize(("figures", "way"), rows("Which way is better")[1:])
def test_directions(figures: str, way: str) -> None:
    expected = {"lower": Better.LOWER, "higher": Better.HIGHER, "neither": Better.UNKNOWN}[way]
    for word in quoted(figures) or ["furlong"]:
        name, unit = (word.replace("*", "some"), "furlong") if "." in word else ("some.name", word)
        assert better(name, unit) is expected, word


def test_keys_of_contexts() -> None:
    forbidding, observed, _ = (quoted(row[0]) for row in rows("What may stand beside what")[1:])
    affixes = {*conditions._CONDITION_ENDS, *conditions._CONDITION_STARTS}
    assert set(forbidding) == conditions._CONDITIONS | affixes
    assert set(observed) == {*conditions._OBSERVED, *conditions._OBSERVED_STARTS}
    for key in forbidding:
        named = f"x{key}" if key in conditions._CONDITION_ENDS else key
        assert conditions.apart({named: 1}, {named: 2}, ()).forbidding, key
    for key in observed:
        assert conditions.apart({f"{key}": 1}, {f"{key}": 2}, ()) == conditions.Apart((), (), ()), key


def test_constants() -> None:
    text = " ".join(section("Other rows").split())
    for said in (
        f"at least {significance.MINIMUM_EFFECT:.0%}".replace("%", " %"),
        f"of at least {significance.MINIMUM_RANK_EFFECT}",
        f"`p_value` below {significance.ALPHA}",
        f"once in {1 / significance.ALPHA:,.0f} comparisons",
        f"{significance._DRAWS:,} draws",
        f"seed ({significance.SEED})",
        f"With at least {judging.FEWEST_EARLIER} earlier",
        f"the newest {MOST_RUNS} are",
        f"{significance._BLOCKS} consecutive blocks, {significance._REPLICATES} repetitions",
        f"Fewer than {significance.FEWEST} samples",
        f"difference of {judging.SINGLE_EFFECT:.0%}".replace("%", " %"),
    ):
        assert said in text


def test_verdicts_and_keys_of_the_json(tmp_path: Path) -> None:
    words = [word for row in rows("What a row is")[1:] for word in quoted(row[0])]
    assert set(words) == {*map(str, Word), "incomparable"}
    before = loaded(tmp_path, {"m": Taken(samples=[5] * 9), "x": Taken(value=1)})
    after = loaded(tmp_path, {"m": Taken(samples=[6] * 9), "x": Taken(value=1, unit="s")}, image="bb")
    said = comparison_as_json(compare(before, after))
    of_all, of_change = section("JSON").split("Each of `changes` has")
    (change,) = said["changes"]
    for text, keys in ((of_all, said), (of_change, change)):
        table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        assert [key for cell in table for key in quoted(cell)] == sorted_as(keys, table)


def sorted_as(keys: dict[str, object], table: list[str]) -> list[str]:
    """The keys in the order of the page, so that a missing or a foreign one shows."""
    order = [key for cell in table for key in quoted(cell)]
    return sorted(keys, key=lambda key: order.index(key) if key in order else -1)
