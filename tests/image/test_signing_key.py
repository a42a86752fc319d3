# SPDX-License-Identifier: MIT
"""Keys by reference: file and environment, and what an error says of them; never a part of the key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from rig.errors import UsageFault
from rig.image.signing_key import lab_key, load_private, load_public


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return lab_key(tmp_path / "keys")


def test_a_key_is_made_once_and_is_its_owners(keys: tuple[Path, Path]) -> None:
    private, public = keys
    before = private.read_bytes(), public.read_bytes()
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in before[1]
    assert lab_key(private.parent) == keys
    assert (private.read_bytes(), public.read_bytes()) == before


def test_by_file_and_by_environment_it_is_the_same_key(keys: tuple[Path, Path]) -> None:
    private, public = keys
    of_file = load_public(f"file:{public}")
    of_environment = load_public("env:KEY", {"KEY": private.read_text()})
    assert of_file.point == of_environment.point
    assert len(of_file.point) == 65
    assert load_private(f"file:{private}").key_size == 256


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("file:missing.pem", "key file:missing.pem: cannot be read: No such file"),
        ("env:NONE", "the environment has no variable NONE"),
        ("key.pem", "'key.pem': expected file:PATH or env:NAME"),
        ("file:", "expected file:PATH or env:NAME"),
        ("env:BAD", "not a private key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nMIGH", r"\(not shown\)"),
    ],
)
def test_reference_that_leads_to_no_key(reference: str, said: str) -> None:
    with pytest.raises(UsageFault, match=said) as caught:
        load_private(reference, {"BAD": "secret words"})
    assert "secret words" not in str(caught.value)
    assert "MIGH" not in str(caught.value)


def test_key_of_another_curve_or_with_a_password_is_refused() -> None:
    key = generate_private_key(SECP384R1())
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    with pytest.raises(UsageFault, match="expected one on the curve P-256"):
        load_public("env:KEY", {"KEY": plain.decode()})
    with pytest.raises(UsageFault, match="encrypted"):
        load_private("env:KEY", {"KEY": locked.decode()})
