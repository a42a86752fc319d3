# SPDX-License-Identifier: MIT
"""A sample of the seeded defects, one of each kind of the kernel's; ``make defects`` tries all.

Those of the network and of updates are left to it: each takes the suites minutes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.evidence.measurement import Outcome
from tests.defects.counted import countable
from tests.defects.declared import Defect, load_defects
from tests.defects.trial import trials
from tests.seeds import dice


@pytest.mark.emulated
@pytest.mark.slow
def test_a_sample_of_the_defects_is_caught(tmp_path: Path) -> None:
    chance = dice("defects")
    kinds: dict[str, list[Defect]] = {}
    for defect in load_defects():
        if defect.table == "kernel":
            kinds.setdefault(defect.judged, []).append(defect)
    sample = [chance.choice(kinds["compare"]), chance.choice(kinds["outcome"])]
    with trials(tmp_path, chance.sample(countable(), 8)) as tried:
        assert {run.outcome for run in tried.sound(sample)} == {Outcome.PASS}
        results = list(tried.all_of(sample))
    assert [str(result) for result in results if not result.caught] == []
