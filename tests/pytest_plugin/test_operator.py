# SPDX-License-Identifier: MIT
"""The operator: a case waits for a person's answer, and a person who never comes is no fault of the board."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from rig.errors import RigFault
from rig.events import Scalar
from rig.evidence.prompts import Answer, Prompt, give_answer
from rig.pytest_plugin.operator import Operator

Told = list[tuple[str, Mapping[str, Scalar]]]


@pytest.fixture
def told() -> Told:
    """The events that were kept."""
    return []


@pytest.fixture
def operator(tmp_path: Path, told: Told) -> Operator:
    """A person at a board."""
    return Operator("mps2", tmp_path, lambda kind, data: told.append((kind, data)))


def test_a_case_goes_on_with_what_a_person_says(operator: Operator, told: Told, tmp_path: Path) -> None:
    prompt = Prompt("mps2", 1, "Is the LED on?", ("yes", "no"))
    person = threading.Timer(0.05, lambda: give_answer(tmp_path, prompt, Answer("no", "dana")))
    person.start()
    assert operator.ask("Is the LED on?", "yes", "no", timeout_s=20) == "no"
    person.join()
    assert told == [
        ("prompt", {"number": 1, "text": "Is the LED on?", "choices": "yes|no"}),
        ("answered", {"number": 1, "answer": "no", "by": "dana"}),
    ]


def test_nobody_comes(operator: Operator, told: Told) -> None:
    with pytest.raises(RigFault, match=r"board mps2: nobody answered in 0 s: Press it.*station page"):
        operator.ask("Press it", timeout_s=0)
    assert [kind for kind, _ in told] == ["prompt", "expired"]


def test_prompts_are_numbered_through(operator: Operator, told: Told) -> None:
    for _ in range(2):
        with pytest.raises(RigFault):
            operator.ask("Press it", timeout_s=0)
    assert [data["number"] for kind, data in told if kind == "prompt"] == [1, 2]
