# SPDX-License-Identifier: MIT
"""The PKCS #11 cases that our boards are SKIPPED for: a token that can do it passes, one that errs fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from rig.bench.inventory_values import FEATURES
from rig.links.console_link import ConsoleLink
from rig.pytest_plugin.board_pkcs11 import Token
from suites.connectivity import test_pkcs11_preprovisioned as preprovisioned
from suites.connectivity import test_pkcs11_rsa as with_rsa
from tests.pytest_plugin.token_fake import TokenConsole

Case = Callable[..., None]


def _cases(module: Any) -> dict[str, Case]:
    return {name: getattr(module, name) for name in dir(module) if name.startswith("test_")}


CASES = {**_cases(with_rsa), **_cases(preprovisioned)}
FLAWS: Mapping[str, set[str]] = {
    "short keys": {"test_rsa_is_told_of"},
    "takes anything": {"test_rsa_objects_are_created"},
    "tells its secret": {"test_rsa_attributes", "test_the_credentials_tell_of_themselves"},
    "extractable": {"test_the_credentials_tell_of_themselves"},
    "signs something else": {
        *("test_rsa_signatures_hold", "test_the_credentials_sign", "test_the_credentials_stay"),
        "test_the_credentials_sign_for_four_threads",
    },
    "gives its key away": {"test_the_credentials_stay"},
    "destroys nothing": {"test_destroyed_rsa_objects_are_gone"},
}
"""What a token does wrong, and the cases that see it."""


@pytest.fixture(autouse=True)
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA keys take long to make; one will do for all."""
    monkeypatch.setattr(f"{RSAPrivateKey.__module__}.generate_private_key", _key)


@cache
def _key(exponent: int, bits: int) -> RSAPrivateKey:
    return generate_private_key(exponent, bits)


def _run(name: str, flaw: str = "") -> None:
    """A case on a token of its own, with its fixtures made as pytest makes them."""
    console = cast(ConsoleLink, TokenConsole(flaw))
    token = Token(console)
    token.session = token.open()
    case = CASES[name]
    wanted = case.__code__.co_varnames[: case.__code__.co_argcount]
    made: dict[str, object] = {"token": token, "console": console}
    if "rsa_pair" in wanted:
        made["rsa_pair"] = with_rsa.rsa_pair.__wrapped__(token, console)  # type: ignore[attr-defined]
    if "credentials" in wanted:
        made["credentials"] = preprovisioned.credentials.__wrapped__(token)  # type: ignore[attr-defined]
    case(**{argument: made[argument] for argument in wanted})


@pytest.mark.parametrize("name", CASES)
def test_a_token_that_can_do_it_passes(name: str) -> None:
    _run(name)


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_token_that_errs_fails_where_it_is_looked_at(flaw: str) -> None:
    failed = set()
    for name in CASES:
        try:
            _run(name, flaw)
        except (AssertionError, pytest.fail.Exception):
            failed.add(name)
    assert failed == FLAWS[flaw]


@pytest.mark.parametrize(
    ("module", "feature"), [(with_rsa, "pkcs11-rsa"), (preprovisioned, "pkcs11-preprovisioned")]
)
def test_the_cases_ask_for_a_feature_that_boards_can_state(module: Any, feature: str) -> None:
    named = {mark.args[0] for mark in module.pytestmark if mark.name == "board_feature"}
    assert named == {"pkcs11", feature} <= set(FEATURES)
