# SPDX-License-Identifier: MIT
"""A sample of the kernel's seeded defects, one of each kind; ``make defects`` tries them all.

Those of the network are left to it: each takes the suites minutes.

``RIG_DEFECT_SEED`` repeats a sample.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from tests.defects.counted import countable
from tests.defects.declared import TABLES, Defect, load_defects
from tests.defects.trial import trials

KERNEL = next(path for path in TABLES if path.name == "defects.toml")
SEED = int(os.environ.get("RIG_DEFECT_SEED") or random.randrange(1 << 32))


@pytest.mark.emulated
@pytest.mark.slow
def test_a_sample_of_the_defects_is_caught(tmp_path: Path) -> None:
    print(f"seed RIG_DEFECT_SEED={SEED}")
    chance = random.Random(SEED)
    kinds: dict[str, list[Defect]] = {}
    for defect in load_defects(KERNEL):
        kinds.setdefault(defect.judged, []).append(defect)
    sample = [chance.choice(kinds["compare"]), chance.choice(kinds["outcome"])]
    with trials(tmp_path, chance.sample(countable(), 8)) as tried:
        assert {run.outcome for run in tried.sound(sample)} == {Outcome.PASS}
        results = list(tried.all_of(sample))
    assert [str(result) for result in results if not result.caught] == []
