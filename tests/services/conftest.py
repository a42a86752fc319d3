# SPDX-License-Identifier: MIT
"""A certificate authority and a broker that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.services.broker import OWNER, Broker
from rig.services.pki import Authority, IdentityFiles

THING = "thing-1"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """The lab's CA."""
    return Authority.create()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for identities."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def thing(authority: Authority, keys: Path) -> IdentityFiles:
    """A device of the lab."""
    return authority.device(THING).write(keys)


@pytest.fixture(scope="module")
def owner(authority: Authority, keys: Path) -> IdentityFiles:
    """The identity that may use every topic."""
    return authority.device(OWNER).write(keys)


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that runs."""
    with Broker(tmp_path_factory.mktemp("broker"), authority) as running:
        yield running
