# SPDX-License-Identifier: MIT
"""The fixture ``operator``: a person at the bench, asked by a case to press, plug or look.

Owns the waiting; the question and the answer are ``rig/evidence/prompts.py``'s. The question is shown by the
dashboard's station page, and answered there or by ``rig dashboard answer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline, poll
from rig.errors import RigFault
from rig.evidence.prompts import ANSWERED, ASKED, EXPIRED, SOURCE, Prompt, asked, read_answer
from rig.pytest_plugin.current import of_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rig.events import Scalar

PATIENCE_S: Final = 600.0
_LOOK_S: Final = 0.1
_KEY: Final[pytest.StashKey[Operator]] = pytest.StashKey()
"""The one operator of a run: its prompts are numbered through."""


class Operator:
    """The person at one board. ``tell`` keeps an event of source ``operator`` in the run."""

    def __init__(self, board: str, run: Path, tell: Callable[[str, Mapping[str, Scalar]], None]) -> None:
        self._board, self._run, self._tell = board, run, tell
        self._asked = 0

    def ask(self, text: str, *choices: str, timeout_s: float = PATIENCE_S) -> str:
        """Asks, and blocks until a person has answered; returns one of the choices, or any text without them.

        Raises RigFault when nobody does: that says nothing about the board.
        """
        self._asked += 1
        prompt = Prompt(self._board, self._asked, text, choices)
        self._tell(ASKED, asked(prompt))
        if not poll(lambda: read_answer(self._run, prompt) is not None, Deadline.after(timeout_s), _LOOK_S):
            self._tell(EXPIRED, {"number": prompt.number})
            raise RigFault(f"nobody answered in {timeout_s:g} s: {text}", board=self._board,
                           hint="Prompts are answered on the station page of 'rig dashboard'")  # fmt: skip
        answer = read_answer(self._run, prompt)
        assert answer is not None
        self._tell(ANSWERED, {"number": prompt.number, "answer": answer.text, "by": answer.author})
        return answer.text


@pytest.fixture
def operator(request: pytest.FixtureRequest) -> Operator:
    """A person at the bench."""
    run, _ = of_request(request)
    stash = request.config.stash
    if _KEY not in stash:
        assert run.run_path is not None
        told = Operator(
            run.settings.board.name, run.run_path, lambda kind, data: run.event(SOURCE, kind, data)
        )
        stash[_KEY] = told
    return stash[_KEY]
