# SPDX-License-Identifier: MIT
"""Which run and which case a fixture is asked for by. Owns where pytest keeps both, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rig.pytest_plugin.qualification import Qualification
    from rig.pytest_plugin.settings import Case

QUALIFICATION: pytest.StashKey[Qualification] = pytest.StashKey()
CASE: pytest.StashKey[Case] = pytest.StashKey()


def of_request(request: pytest.FixtureRequest) -> tuple[Qualification, Case]:
    """The run and the case that ask for a fixture. A usage error anywhere but below ``suites/``."""
    case = request.node.stash.get(CASE, None)
    if case is None:
        raise pytest.UsageError("this fixture belongs to cases below suites/, run with --board NAME")
    return request.config.stash[QUALIFICATION], case
