# SPDX-License-Identifier: MIT
"""PKCS #11 with credentials that the board came with, as a secure element does (``pkcs11-preprovisioned``).

Nothing is made, brought or destroyed here: what the maker put in is found, tells of itself, signs, and cannot
be read, changed or taken away. The labels are those of the identity that the rig gives other boards.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from rig.pytest_plugin.board_pkcs11 import SERIAL, Cka, Rv, Token, holds, public_key, sign
from rig.pytest_plugin.provisioning import IDENTITY

pytestmark = [
    pytest.mark.board_feature("pkcs11"),
    pytest.mark.board_feature("pkcs11-preprovisioned"),
    pytest.mark.arrangement(clock="free"),
]

YES, NO = "01", "00"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The objects of the board's identity."""

    public: int
    private: int
    certificate: int


@pytest.fixture
def credentials(token: Token) -> Credentials:
    """One object of each kind, found by label."""
    found = {kind: token.find(label=IDENTITY, kind=kind) for kind in ("public", "private", "certificate")}
    assert {kind: len(handles) for kind, handles in found.items()} == dict.fromkeys(found, 1)
    return Credentials(**{kind: handle for kind, (handle,) in found.items()})


@pytest.mark.requirement("PKCS11", "PreProvisioned_FindObject")
def test_the_credentials_are_found(token: Token, credentials: Credentials) -> None:
    handles = {credentials.public, credentials.private, credentials.certificate}
    assert len(handles) == 3
    assert set(token.find(label=IDENTITY)) == handles
    again = token.open()
    assert token.find(label=IDENTITY, kind="private") == [credentials.private]
    token.good("session", call="close", session=again)


@pytest.mark.requirement("PKCS11", "PreProvisioned_GetAttributeValue")
def test_the_credentials_tell_of_themselves(token: Token, credentials: Credentials) -> None:
    public_key(token, credentials.public)  # a point of the curve
    asked = (Cka.TOKEN, Cka.SENSITIVE, Cka.EXTRACTABLE)
    said = {kind: token.attribute(credentials.private, kind)["data"] for kind in asked}
    assert said == {Cka.TOKEN: YES, Cka.SENSITIVE: YES, Cka.EXTRACTABLE: NO}
    value = token.attribute(credentials.private, Cka.VALUE)
    assert (value.integer("rv"), value["length"], "data" in value) == (Rv.ATTRIBUTE_SENSITIVE, "-1", False)
    certificate = token.attribute(credentials.certificate, Cka.VALUE, room=0)
    assert (certificate.integer("rv"), certificate.integer("length") > 0) == (Rv.OK, True)


@pytest.mark.requirement("PKCS11", "PreProvisioned_Sign")
def test_the_credentials_sign(token: Token, credentials: Credentials) -> None:
    key = public_key(token, credentials.public)
    digests = [hashlib.sha256(text).digest() for text in (b"", b"one", b"another")]
    signatures = [sign(token, credentials.private, digest) for digest in digests]
    assert [holds(key, *pair) for pair in zip(signatures, digests, strict=True)] == [True] * 3
    assert not holds(key, signatures[0], digests[1])


@pytest.mark.requirement("PKCS11", "PreProvisioned_SignVerifyMultiThread")
def test_the_credentials_sign_for_four_threads(token: Token, credentials: Credentials) -> None:
    given = {"public": credentials.public, "private": credentials.private}
    said = token("threads", work="sign", threads=4, rounds=1, **given)
    assert (said["done"], said["failed"]) == ("4", "0")


@pytest.mark.requirement("PKCS11", "PreProvisioned_DestroyObject")
def test_the_credentials_stay(token: Token, credentials: Credentials) -> None:
    """From a session that only reads: if a board got this wrong elsewhere, its key would be gone for good."""
    reader = token.open(SERIAL)
    for handle in (credentials.public, credentials.private, credentials.certificate):
        assert token.rv("destroy", session=reader, object=handle) == Rv.SESSION_READ_ONLY
    token.good("session", call="close", session=reader)
    key = public_key(token, credentials.public)
    assert holds(key, sign(token, credentials.private), hashlib.sha256(b"what is signed").digest())
