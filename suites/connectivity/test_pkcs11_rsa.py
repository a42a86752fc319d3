# SPDX-License-Identifier: MIT
"""PKCS #11 with RSA keys that are brought to the board, for boards that take such keys (``pkcs11-rsa``).

The key is made here for one case, lives in a session and protects nothing. Signatures are checked here, by
another implementation than the board's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from rig.pytest_plugin.board_pkcs11 import LABEL, SIGN, Cka, Ckm, Rv, Token
from rig.pytest_plugin.provisioning import bring

if TYPE_CHECKING:
    from rig.links.console_link import ConsoleLink

pytestmark = [
    pytest.mark.board_feature("pkcs11"),
    pytest.mark.board_feature("pkcs11-rsa"),
    pytest.mark.arrangement(clock="free"),
]

BITS = 2048
EXPONENT = 65_537
TEXT = b"what is signed"
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(TEXT).digest()
"""Of SHA-256, as PKCS #1 v1.5 signs it (RFC 8017, 9.2, note 1); ``CKM_RSA_PKCS`` only pads it."""


@dataclass(frozen=True, slots=True)
class RsaPair:
    """The two objects on the board, and the key that they were made of."""

    public: int
    private: int
    key: rsa.RSAPrivateKey


@pytest.fixture
def rsa_pair(token: Token, console: ConsoleLink) -> RsaPair:
    """An RSA key, brought to the board as two objects of the session."""
    key = rsa.generate_private_key(EXPONENT, BITS)
    private = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return RsaPair(
        _create(token, console, "public", public), _create(token, console, "private", private), key
    )


def _create(token: Token, console: ConsoleLink, kind: str, der: bytes) -> int:
    """A key of which no ``data`` is given is the one that came piece by piece, as a certificate does."""
    bring(console, der)
    return token.good("create", session=token.session, kind=kind, label=LABEL).integer("object")


def _signature(token: Token, private: int) -> bytes:
    token.good("sign", call="init", session=token.session, object=private, mechanism=Ckm.RSA_PKCS)
    return token.long("sign", call="sign", session=token.session, data=DIGEST_INFO.hex())


@pytest.mark.requirement("PKCS11", "RSA_Capabilities")
def test_rsa_is_told_of(token: Token) -> None:
    said = token.good("mechanism", slot=token.slot, type=Ckm.RSA_PKCS)
    assert said.integer("flags") & SIGN
    assert said.integer("min") <= BITS <= said.integer("max")


@pytest.mark.requirement("PKCS11", "RSA_CreateObject")
def test_rsa_objects_are_created(token: Token, console: ConsoleLink, rsa_pair: RsaPair) -> None:
    assert rsa_pair.public != rsa_pair.private
    bring(console, b"\x30\x03\x02\x01\x00")  # a version, and no key behind it
    for kind in ("public", "private"):
        refused = token.rv("create", session=token.session, kind=kind, label=LABEL)
        assert refused == Rv.ATTRIBUTE_VALUE_INVALID, kind


@pytest.mark.requirement("PKCS11", "RSA_FindObject")
def test_rsa_objects_are_found(token: Token, rsa_pair: RsaPair) -> None:
    assert token.find(label=LABEL, kind="private") == [rsa_pair.private]
    assert token.find(label=LABEL, kind="public") == [rsa_pair.public]
    assert token.find(label="nobody") == []


@pytest.mark.requirement("PKCS11", "RSA_GetAttributeValue")
def test_rsa_attributes(token: Token, rsa_pair: RsaPair) -> None:
    numbers = rsa_pair.key.public_key().public_numbers()

    def number(kind: Cka) -> int:
        asked = {"session": token.session, "object": rsa_pair.public, "type": kind}
        return int.from_bytes(token.long("attribute", **asked), "big")

    assert (number(Cka.MODULUS), number(Cka.PUBLIC_EXPONENT)) == (numbers.n, numbers.e)
    secret = token.attribute(rsa_pair.private, Cka.PRIVATE_EXPONENT)
    assert (secret.integer("rv"), secret["length"], "data" in secret) == (Rv.ATTRIBUTE_SENSITIVE, "-1", False)


@pytest.mark.requirement("PKCS11", "RSA_Sign")
def test_rsa_signatures_hold(token: Token, rsa_pair: RsaPair) -> None:
    signature = _signature(token, rsa_pair.private)
    assert len(signature) == BITS // 8
    key = rsa_pair.key.public_key()
    try:
        key.verify(signature, TEXT, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        pytest.fail(f"the board's signature does not hold: {signature.hex()}")
    session = token.session
    wrong = {"object": rsa_pair.public, "mechanism": Ckm.RSA_PKCS}
    assert token.rv("sign", call="init", session=session, **wrong) == Rv.KEY_TYPE_INCONSISTENT
    wrong = {"object": rsa_pair.private, "mechanism": Ckm.ECDSA}
    assert token.rv("sign", call="init", session=session, **wrong) == Rv.KEY_TYPE_INCONSISTENT


@pytest.mark.requirement("PKCS11", "RSA_DestroyObject")
def test_destroyed_rsa_objects_are_gone(token: Token, rsa_pair: RsaPair) -> None:
    for handle in (rsa_pair.public, rsa_pair.private):
        token.good("destroy", session=token.session, object=handle)
        assert token.rv("destroy", session=token.session, object=handle) == Rv.OBJECT_HANDLE_INVALID
    assert token.find(label=LABEL) == []
