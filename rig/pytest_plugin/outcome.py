# SPDX-License-Identifier: MIT
"""How an attempt or a run ended, from what pytest saw. Verdicts are ``evidence/measurement.py``'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rig.errors import RigError
from rig.evidence.measurement import EXIT_USAGE, Outcome, aggregate, exit_code, outcome_of

_REASON_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Ending:
    """How a phase of an attempt ended, why, and by which error."""

    outcome: Outcome
    reason: str = ""
    error: BaseException | None = None


def ending_of(
    info: pytest.ExceptionInfo[BaseException] | None, explain: Callable[[RigError], RigError]
) -> Ending:
    """The ending of one phase; ``explain`` may know more of an error of the rig."""
    if info is None:
        return Ending(Outcome.PASS)
    error = info.value
    if isinstance(error, pytest.skip.Exception):
        return Ending(Outcome.SKIPPED, str(error), error)
    if isinstance(error, RigError):
        known = explain(error)
        return Ending(outcome_of(known), str(known), known)
    reason = str(error) if isinstance(error, pytest.fail.Exception) else info.exconly()
    if error.__cause__ is not None:  # of a thread that died, pytest raises a warning, which names no more
        reason += f"\ncaused by {type(error.__cause__).__name__}: {error.__cause__}"
    outcome = Outcome.FAIL if isinstance(error, pytest.fail.Exception) else outcome_of(error)
    return Ending(outcome, reason[:_REASON_BYTES], error)


def worse(first: Ending | None, second: Ending) -> Ending:
    """The worse of two endings, the first of two alike; a skip in set-up stands against a clean tear-down."""
    if first is None or (first.outcome is Outcome.PASS and second.outcome is Outcome.SKIPPED):
        return second
    if first.outcome is Outcome.SKIPPED and second.outcome is Outcome.PASS:
        return first
    return first if aggregate([first.outcome, second.outcome]) is first.outcome else second


def run_exit_code(session: pytest.Session, outcome: Outcome | None) -> int:
    """The exit code of a run; pytest's own where the run never began."""
    status = pytest.ExitCode(session.exitstatus) if session.exitstatus in list(pytest.ExitCode) else None
    if outcome is None:
        return EXIT_USAGE if status is pytest.ExitCode.USAGE_ERROR else exit_code(None)
    if outcome is Outcome.PASS and status in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.INTERRUPTED):
        return exit_code(Outcome.ERROR)
    return exit_code(outcome)
