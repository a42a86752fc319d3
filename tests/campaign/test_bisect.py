# SPDX-License-Identifier: MIT
"""The search for the first bad revision: as few as it can, ends that must be true, revisions passed over."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.campaign.bisect import Tried, bisect, word_of
from rig.campaign.bisect_plan import load_bisect
from rig.errors import RigFault, ToolFault, UsageFault


@given(st.integers(2, 200), st.data())
def test_the_first_bad_one_is_found_in_few_steps(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, count - 1))
    tried: list[int] = []

    def attempt(revision: str) -> Tried:
        tried.append(int(revision))
        return Tried(revision, "bad" if int(revision) >= first else "good", (1.0,))

    found = bisect([str(n) for n in range(count)], attempt)
    assert (found.good, found.among) == (str(first - 1), (str(first),))
    assert len(tried) == len(set(tried)) <= 2 + math.ceil(math.log2(count))


@given(st.integers(2, 60), st.data())
def test_revisions_that_cannot_be_tried_make_a_range_that_holds_it(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, count - 1))
    broken = data.draw(st.sets(st.integers(1, count - 1), max_size=count)) - {count - 1}

    def attempt(revision: str) -> Tried:
        number = int(revision)
        word = "none" if number in broken else "bad" if number >= first else "good"
        return Tried(revision, word, () if word == "none" else (1.0,), "does not build")  # type: ignore[arg-type]

    found = bisect([str(n) for n in range(count)], attempt)
    among = [int(revision) for revision in found.among]
    assert first in among
    assert int(found.good) == among[0] - 1
    assert all(number in broken for number in among[:-1])  # no more than what hides it


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("good", "good"), r"revision b was to be bad and is good: \[1.0\]"),
        (("bad", "bad"), r"revision a was to be good and is bad"),
        (("good", "none"), r"revision b was to be bad and could not be tried: no compiler"),
    ],
)
def test_ends_that_are_not_what_they_were_said_to_be(words: tuple[str, str], said: str) -> None:
    known = dict(zip("ab", words, strict=True))

    def attempt(revision: str) -> Tried:
        word = known[revision]
        return Tried(revision, word, () if word == "none" else (1.0,), "no compiler")  # type: ignore[arg-type]

    with pytest.raises(RigFault, match=said):
        bisect(["a", "b"], attempt)


def test_one_revision_is_no_range() -> None:
    with pytest.raises(UsageFault, match="a good and a bad revision, got 1"):
        bisect(["a"], lambda revision: Tried(revision, "bad"))


@pytest.mark.parametrize(
    ("figures", "word"),
    [((10.0,), "good"), ((11.0,), "bad"), ((10.4,), "good"), ((11.0, 10.0, 11.0), "bad"), ((), "none")],
)
def test_a_figure_is_what_it_is_nearer_to(figures: tuple[float, ...], word: str) -> None:
    assert word_of(figures, 10, 11) == word


# --- the commands

GOOD = """
revisions = ["printf", "%s\\n", "{good}+1", "{bad}"]
build = ["sh", "-c", "echo $0 > out-$0.elf", "{revision}"]
file = "out-{revision}.elf"
"""


def test_revisions_are_listed_and_built_by_the_commands(tmp_path: Path) -> None:
    (tmp_path / "bisect.toml").write_text(GOOD)
    plan = load_bisect(tmp_path / "bisect.toml")
    assert plan.list_revisions("v1", "v2") == ["v1", "v1+1", "v2"]
    assert plan.make("v2", tmp_path / "log", 60).read_text() == "v2\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"sh", "-c", "echo $0 > out-$0.elf", "{revision}"', '"false"'), "its build ended with status 1"),
        (('out-{revision}.elf"\n', 'other.elf"\n'), "its build made no"),
        (('"echo $0 > out-$0.elf"', '"sleep 60"'), "its build took longer than 0.005 minutes"),
    ],
)
def test_a_build_that_fails_is_told(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in GOOD
    (tmp_path / "bisect.toml").write_text(GOOD.replace(*change))
    with pytest.raises(ToolFault, match=said):
        load_bisect(tmp_path / "bisect.toml").make("v2", tmp_path / "log", 0.3)


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        ('["false"]', ToolFault, "false ended with status 1"),
        ('["true"]', UsageFault, "there is no revision after v1 up to v2"),
        ('["no-such-program"]', ToolFault, "'no-such-program' is missing"),
    ],
)
def test_revisions_that_cannot_be_listed(
    tmp_path: Path, command: str, error: type[Exception], said: str
) -> None:
    text = GOOD.replace('["printf", "%s\\n", "{good}+1", "{bad}"]', command)
    (tmp_path / "bisect.toml").write_text(text)
    with pytest.raises(error, match=said):
        load_bisect(tmp_path / "bisect.toml").list_revisions("v1", "v2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bisect.toml:1: revisions is a program and its arguments"),
        (GOOD + "shell = true", "bisect.toml:5: unknown key 'shell'"),
        (GOOD.replace('"out-{revision}.elf"', "3"), ":4: file is the path"),
        ("revisions = [", "bisect.toml:"),
    ],
)
def test_a_wrong_file_says_what_and_where(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bisect.toml").write_text(text)
    with pytest.raises(UsageFault, match=said):
        load_bisect(tmp_path / "bisect.toml")
