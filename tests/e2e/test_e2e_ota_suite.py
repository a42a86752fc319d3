# SPDX-License-Identifier: MIT
"""The suite of updates as its users run it: a sample of its cases, or all, and the board as before.

Every case of the suite must pass on the board as shipped; that they find what is wrong is the matter of the
seeded defects.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from rig.pytest_plugin.slots import IMAGE_GIVEN
from tests.e2e.bench_place import EVIDENCE, PROJECT, BenchPlace, cases_of
from tests.seeds import SEED, dice

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

SUITE = PROJECT / "suites" / "ota"
BANNER = f"{PROJECT / 'suites' / 'boot' / 'test_boot.py'}::test_banner_names_the_flashed_image"
OF_EACH = {"test_end_to_end": 3, "test_self_test": 1, "test_signatures": 2, "test_pal": 4}
"""How many cases of each file a sample has."""
LONGEST_S = 1_500.0
LONGEST = ("::test_hang", "::test_confirms_late")


def all_cases(place: BenchPlace) -> list[str]:
    """The cases of the suite, as pytest names them."""
    done = place.pytest("--collect-only", "-q", SUITE)
    return [f"{PROJECT / name}" for name in re.findall(r"^(suites/ota/\S+::.+)$", done.out, re.MULTILINE)]


def sample(cases: list[str]) -> list[str]:
    """Some of each file, in the suite's order; without those that wait for the watchdog."""
    chosen: set[str] = set()
    for file, count in OF_EACH.items():
        mine = [case for case in cases if f"/{file}.py::" in case and not case.endswith(LONGEST)]
        chosen |= set(dice("ota suite", file).sample(mine, count))
    return [case for case in cases if case in chosen]


def test_cases_pass_and_leave_the_board_as_it_was(place: BenchPlace) -> None:
    cases = all_cases(place)
    assert len(cases) >= 50
    chosen = cases if EVIDENCE else sample(cases)
    print(f"RIG_TEST_SEED={SEED}: {len(chosen)} of {len(cases)} cases")
    done = place.start_pytest(*chosen, BANNER).finish(LONGEST_S)
    run = place.run()
    assert {case.case: case.reason for case in run.cases if case.outcome is not Outcome.PASS} == {}
    assert len(run.cases) == len(chosen) + 1
    assert run.cases[-1].case == "banner_names_the_flashed_image"
    assert done.code == 0, done.err


def test_image_that_was_given_has_no_updates(place: BenchPlace, app_elf: Path) -> None:
    done = place.pytest(f"{SUITE / 'test_end_to_end.py'}::test_same_version", BANNER, "--image", app_elf)
    cases = cases_of(place.run())
    assert (cases["same_version"].outcome, cases["same_version"].reason) == (Outcome.SKIPPED, IMAGE_GIVEN)
    assert cases["banner_names_the_flashed_image"].outcome is Outcome.PASS
    assert done.code == 0, done.err
