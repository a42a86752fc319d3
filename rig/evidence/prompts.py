# SPDX-License-Identifier: MIT
"""What a case asks of a person while it runs, and where the person's answer goes.

The question is an event of the run (``operator``, ``prompt``), so that whoever reads the journal sees it. The
answer is a file in the run's folder, ``answers/<board>.<number>.json``, written whole or not at all: who
answers (a dashboard, a command) is another process than the one that waits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import EvidenceFault, UsageFault
from rig.events import Event, Scalar
from rig.evidence import bundle

SOURCE: Final = "operator"
ASKED, ANSWERED, EXPIRED = "prompt", "answered", "expired"
_FOLDER: Final = "answers"
_LONGEST: Final = 1000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to a person; ``choices`` are the answers it takes, none: any text."""

    board: str
    number: int
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said, and who that was."""

    text: str
    author: str


def asked(prompt: Prompt) -> Mapping[str, Scalar]:
    """The data of the event that asks."""
    return {"number": prompt.number, "text": prompt.text, "choices": "|".join(prompt.choices)}


def open_prompts(events: Sequence[Event]) -> list[Prompt]:
    """What was asked and neither answered nor given up."""
    found: dict[tuple[str, int], Prompt] = {}
    for event in events:
        if event.source != SOURCE or event.board is None:
            continue
        number = event.data.get("number")
        if not isinstance(number, int):
            continue
        if event.kind == ASKED:
            choices = str(event.data.get("choices") or "")
            split = tuple(choices.split("|")) if choices else ()
            found[event.board, number] = Prompt(event.board, number, str(event.data.get("text")), split)
        elif event.kind in (ANSWERED, EXPIRED):
            found.pop((event.board, number), None)
    return list(found.values())


def give_answer(run: Path, prompt: Prompt, answer: Answer) -> None:
    """Writes the answer. Raises UsageFault for one that the prompt does not take, or that comes second."""
    if prompt.choices and answer.text not in prompt.choices:
        expected = ", ".join(prompt.choices)
        raise UsageFault(f"the prompt takes {expected}, not {answer.text[:40]!r}", board=prompt.board)
    if len(answer.text) > _LONGEST:
        raise UsageFault(f"an answer has at most {_LONGEST} characters", board=prompt.board)
    path = _path(run, prompt.board, prompt.number)
    if path.exists():
        raise UsageFault("the prompt has been answered already", board=prompt.board, evidence=str(path))
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise EvidenceFault(f"no place for an answer: {error.strerror}", evidence=str(path)) from error
    bundle.write_json(path, {"text": answer.text, "author": answer.author})


def read_answer(run: Path, prompt: Prompt) -> Answer | None:
    """The answer, if there is one."""
    found = bundle.read_json(_path(run, prompt.board, prompt.number))
    text, author = found.get("text"), found.get("author")
    return Answer(text, author) if isinstance(text, str) and isinstance(author, str) else None


def _path(run: Path, board: str, number: int) -> Path:
    if not _NAME.fullmatch(board):
        raise UsageFault(f"no board is called {board[:40]!r}")
    return run / _FOLDER / f"{board}.{number}.json"
