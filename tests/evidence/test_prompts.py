# SPDX-License-Identifier: MIT
"""What is asked of a person: seen in the events, answered once, and only with what the question takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import EvidenceFault, UsageFault
from rig.events import Event, Scalar
from rig.evidence.prompts import (
    ANSWERED,
    ASKED,
    EXPIRED,
    SOURCE,
    Answer,
    Prompt,
    asked,
    give_answer,
    open_prompts,
    read_answer,
)

FREE = Prompt("qual-03", 1, "What does the label say?")
CHOICE = Prompt("qual-03", 2, "Is the LED on?", ("yes", "no"))


def event(kind: str, data: dict[str, Scalar], board: str | None = "qual-03", source: str = SOURCE) -> Event:
    """An event of the operator."""
    return Event(1, source, kind, board, data)


def test_a_prompt_is_open_until_it_is_answered_or_given_up() -> None:
    said = [event(ASKED, dict(asked(FREE))), event(ASKED, dict(asked(CHOICE)))]
    assert open_prompts(said) == [FREE, CHOICE]
    assert open_prompts([*said, event(ANSWERED, {"number": 1})]) == [CHOICE]
    assert open_prompts([*said, event(EXPIRED, {"number": 2})]) == [FREE]
    assert open_prompts([*said, event(ANSWERED, {"number": 1}, "other")]) == [FREE, CHOICE]


@pytest.mark.parametrize(
    "odd",
    [
        event(ASKED, {"number": "1", "text": "x"}),
        event(ASKED, {"text": "x"}),
        event(ASKED, {"number": 1, "text": "x"}, board=None),
        event(ASKED, {"number": 1, "text": "x"}, source="console"),
        event("other", {"number": 1}),
    ],
)
def test_what_is_no_prompt_is_passed_over(odd: Event) -> None:
    assert open_prompts([odd]) == []


def test_an_answer_is_read_back_by_its_prompt_only(tmp_path: Path) -> None:
    assert read_answer(tmp_path, CHOICE) is None
    give_answer(tmp_path, CHOICE, Answer("yes", "dana"))
    assert read_answer(tmp_path, CHOICE) == Answer("yes", "dana")
    assert read_answer(tmp_path, FREE) is None


def test_an_answer_is_given_once(tmp_path: Path) -> None:
    give_answer(tmp_path, CHOICE, Answer("yes", "dana"))
    with pytest.raises(UsageFault, match="answered already"):
        give_answer(tmp_path, CHOICE, Answer("no", "lee"))
    assert read_answer(tmp_path, CHOICE) == Answer("yes", "dana")


@pytest.mark.parametrize(
    ("prompt", "answer", "said"),
    [
        (CHOICE, "maybe", "takes yes, no, not 'maybe'"),
        (CHOICE, "", "takes yes, no"),
        (FREE, "x" * 1001, "at most 1000"),
        (Prompt("../up", 1, "x"), "x", "no board is called"),
        (Prompt("", 1, "x"), "x", "no board is called"),
        (Prompt("a/b", 1, "x"), "x", "no board is called"),
    ],
)
def test_what_cannot_be_an_answer_is_refused(tmp_path: Path, prompt: Prompt, answer: str, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        give_answer(tmp_path, prompt, Answer(answer, "dana"))
    assert list(tmp_path.rglob("*.json")) == []


def test_a_run_that_is_gone_takes_no_answer(tmp_path: Path) -> None:
    with pytest.raises(EvidenceFault, match="no place for an answer"):
        give_answer(tmp_path / "gone", FREE, Answer("x", "dana"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"text": 1, "author": "x"}', '{"text": "x"}'])
def test_a_damaged_answer_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "qual-03.1.json").write_text(content)
    assert read_answer(tmp_path, FREE) is None
