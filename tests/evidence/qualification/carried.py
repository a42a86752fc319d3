# SPDX-License-Identifier: MIT
"""A plug-in for pytest that prints, as one line of JSON, which requirements the collected cases carry."""

from __future__ import annotations

import json

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """By id, for each case that carries it, the features of a board that the case needs."""
    from rig.pytest_plugin.current import CASE  # not before pytest has rewritten it

    found: dict[str, list[list[str]]] = {}
    for item in session.items:
        case = item.stash[CASE]
        for name in case.requirements:
            found.setdefault(name, []).append(sorted(case.features))
    print(f"\ncarried: {json.dumps(found)}")
