# SPDX-License-Identifier: MIT
"""Every row of the tables in docs/outcomes.md, checked against the code."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from rig import errors
from rig.evidence.measurement import (
    EXIT_REGRESSION,
    EXIT_USAGE,
    Measurement,
    Outcome,
    SpecLimit,
    aggregate,
    case_outcome,
    decide,
    exit_code,
    is_unstable,
    judge,
    outcome_of,
)
from rig.evidence.statistics import UNSET, summarise_value

PAGE = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under that heading, without its head."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    return [] if cell == "nothing" else [word.strip() for word in cell.split(",")]


def outcome(word: str) -> Outcome | None:
    return None if word in ("none", "no limit") else Outcome(word)


def outcomes(cell: str) -> list[Outcome]:
    return [Outcome(word) for word in words(cell)]


@pytest.mark.parametrize(("name", "_means", "code"), rows("Outcomes and exit codes"))
def test_exit_code_of(name: str, _means: str, code: str) -> None:
    assert exit_code(outcome(name)) == int(code)


def test_every_outcome_stands_in_the_table() -> None:
    assert [row[0] for row in rows("Outcomes and exit codes")] == [*Outcome, "none"]


def test_other_exit_codes_are_told_apart() -> None:
    assert f"{EXIT_USAGE} is wrong usage" in PAGE
    assert f"{EXIT_REGRESSION} is a regression" in PAGE


@pytest.mark.parametrize(("together", "expected"), rows("Several outcomes become one"))
def test_aggregate_of(together: str, expected: str) -> None:
    assert aggregate(outcomes(together)) == outcome(expected)
    assert aggregate(reversed(outcomes(together))) == outcome(expected)


@pytest.mark.parametrize(("name", "expected"), rows("What ended a case"))
def test_outcome_of_error(name: str, expected: str) -> None:
    kind = getattr(errors, name, None) or getattr(builtins, name)
    assert outcome_of(kind("why")) is Outcome(expected)


@pytest.mark.parametrize(("body", "measured", "expected"), rows("A case and its measurements"))
def test_case_outcome_of(body: str, measured: str, expected: str) -> None:
    unset = words(measured).count("unset")
    verdicts = [outcome(word) for word in words(measured) if word != "unset"]
    assert case_outcome(Outcome(body), verdicts, unset) is Outcome(expected)


@pytest.mark.parametrize(("attempts", "expected", "flag"), rows("A case of several attempts"))
def test_attempts_decide(attempts: str, expected: str, flag: str) -> None:
    assert decide(outcomes(attempts)) is Outcome(expected)
    assert is_unstable(outcomes(attempts)) == (flag == "unstable")


@pytest.mark.parametrize(
    ("x", "lower", "upper", "band", "expected", "flag"), rows("A measurement and its limit")
)
def test_verdict_on(x: str, lower: str, upper: str, band: str, expected: str, flag: str) -> None:
    low, high = (float(bound) if bound else None for bound in (lower, upper))
    limit = (
        SpecLimit(low, high, "requirement: T-1", "limits.toml:1", guard_band=float(band)) if band else None
    )
    summary = UNSET if x == "unset" else summarise_value(float(x))
    verdict = judge(Measurement("kernel.yield", "cycles"), summary, limit)
    assert verdict.outcome == outcome(expected)
    assert verdict.marginal == (flag == "marginal")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_run_without_pass_is_not_a_pass(outcome: Outcome) -> None:
    assert (exit_code(aggregate([outcome, Outcome.SKIPPED])) == 0) == (outcome is Outcome.PASS)
