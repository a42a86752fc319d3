# SPDX-License-Identifier: MIT
"""PKCS #11 on the board, function by function: EC keys, made on board or published ones.

Signatures are checked here, by another implementation than the board's.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from rig.pytest_plugin.board_pkcs11 import (
    DIGEST,
    LABEL,
    POINT_HEADER,
    SERIAL,
    Cka,
    Ckm,
    Rv,
    Token,
    holds,
    public_key,
    sign,
)

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.services.service_set import ServiceSet

pytestmark = [pytest.mark.board_feature("pkcs11"), pytest.mark.arrangement(clock="free")]

P256_OID = bytes.fromhex("06082A8648CE3D030107")

# RFC 6979, A.2.5: a published key, and so no secret of any board.
PUBLISHED_KEY = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")


@pytest.mark.requirement("PKCS11", "EC_GenerateKeyPair")
def test_key_pair_made_on_board(token: Token, pair: tuple[int, int]) -> None:
    public, private = pair
    public_key(token, public)  # a point of the curve
    truths = {
        kind: token.attribute(private, kind)["data"]
        for kind in (Cka.SENSITIVE, Cka.EXTRACTABLE, Cka.NEVER_EXTRACTABLE)
    }
    assert truths == {Cka.SENSITIVE: "01", Cka.EXTRACTABLE: "00", Cka.NEVER_EXTRACTABLE: "01"}
    other = token.good("keypair", session=token.session, label=LABEL)
    assert token.attribute(other.integer("public"), Cka.EC_POINT) != token.attribute(public, Cka.EC_POINT)
    assert token.rv("keypair", session=token.session, label=LABEL, mechanism=Ckm.ECDSA) == (
        Rv.MECHANISM_INVALID
    )


@pytest.mark.requirement("PKCS11", "EC_CreateObject")
def test_objects_are_created(token: Token, services: ServiceSet, console: ConsoleLink) -> None:
    """A published key pair and the lab's root, for as long as the session lives."""
    from rig.pytest_plugin.provisioning import bring, certificates_of

    der = certificates_of(services.ca)[0]
    key = ec.derive_private_key(int.from_bytes(PUBLISHED_KEY, "big"), ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = POINT_HEADER + b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    made = {
        "private": token.good(
            "create", session=token.session, kind="private", label=LABEL, data=PUBLISHED_KEY.hex()
        ).integer("object"),
        "public": token.good(
            "create", session=token.session, kind="public", label=LABEL, data=point.hex()
        ).integer("object"),
    }
    bring(console, der)
    stored = token.good("create", session=token.session, kind="certificate", label=LABEL)
    certificate = stored.integer("object")
    assert len({*made.values(), certificate}) == 3
    assert holds(key.public_key(), sign(token, made["private"]), DIGEST)
    assert token.attribute(certificate, Cka.VALUE).integer("length") == len(der)
    off_curve = point[:-1] + bytes((point[-1] ^ 1,))
    for kind, wrong in (
        ("public", off_curve), ("public", point[:-1]), ("public", b"\x05" + point[1:]),
        ("private", bytes(32)), ("private", b"\xff" * 32), ("private", PUBLISHED_KEY[1:]),
    ):  # fmt: skip
        refused = token.rv("create", session=token.session, kind=kind, label=LABEL, data=wrong.hex())
        assert refused == Rv.ATTRIBUTE_VALUE_INVALID, (kind, wrong.hex())
    bring(console, der[:-1])
    refused = token.rv("create", session=token.session, kind="certificate", label=LABEL)
    assert refused == Rv.ATTRIBUTE_VALUE_INVALID


@pytest.mark.requirement("PKCS11", "EC_FindObject")
def test_objects_are_found(token: Token, pair: tuple[int, int]) -> None:
    public, private = pair
    assert token.find(label=LABEL) == sorted(pair)
    assert (token.find(label=LABEL, kind="public"), token.find(label=LABEL, kind="private")) == (
        [public], [private],
    )  # fmt: skip
    assert token.find(label="nobody") == token.find(label=LABEL[:-1]) == []
    assert token.rv("find", call="next", session=token.session) == Rv.OPERATION_NOT_INITIALIZED
    token.good("find", call="init", session=token.session)
    assert token.rv("find", call="init", session=token.session) == Rv.OPERATION_ACTIVE
    assert token.rv("find", call="next", session=token.session, room=0) == Rv.ARGUMENTS_BAD
    token.good("find", call="final", session=token.session)
    assert token.rv("find", call="final", session=token.session) == Rv.OPERATION_NOT_INITIALIZED


@pytest.mark.requirement("PKCS11", "EC_GetAttributeValue")
def test_attributes(token: Token, pair: tuple[int, int]) -> None:
    public, private = pair
    kinds = (Cka.LABEL, Cka.EC_PARAMS, Cka.TOKEN)
    read = {kind: token.attribute(public, kind).octets("data") for kind in kinds}
    assert read == {Cka.LABEL: LABEL.encode(), Cka.EC_PARAMS: P256_OID, Cka.TOKEN: b"\0"}
    asked = token.attribute(public, Cka.EC_POINT, room=0)
    assert (asked["rv"], asked["length"]) == (str(int(Rv.OK)), "67")
    small = token.attribute(public, Cka.EC_POINT, room=66)
    assert (small.integer("rv"), small["length"]) == (Rv.BUFFER_TOO_SMALL, "-1")
    value = token.attribute(private, Cka.VALUE)
    assert (value.integer("rv"), value["length"], "data" in value) == (Rv.ATTRIBUTE_SENSITIVE, "-1", False)
    assert token.attribute(public, Cka.VALUE).integer("rv") == Rv.ATTRIBUTE_TYPE_INVALID
    assert token.attribute(0, Cka.CLASS).integer("rv") == Rv.OBJECT_HANDLE_INVALID


@pytest.mark.requirement("PKCS11", "EC_GetAttributeValueMultiThread")
def test_attributes_of_four_threads(token: Token, pair: tuple[int, int]) -> None:
    said = token("threads", work="attribute", threads=4, rounds=32, public=pair[0])
    assert (said["done"], said["failed"]) == ("128", "0")


@pytest.mark.requirement("PKCS11", "EC_FindObjectMultiThread")
def test_searches_of_four_threads(token: Token, pair: tuple[int, int]) -> None:
    said = token("threads", work="find", threads=4, rounds=32, public=pair[0])
    assert (said["done"], said["failed"]) == ("128", "0")


@pytest.mark.requirement("PKCS11", "EC_Sign")
def test_signatures_hold(token: Token, pair: tuple[int, int]) -> None:
    public, private = pair
    key = public_key(token, public)
    for text in (b"", b"a", b"another"):
        digest = hashlib.sha256(text).digest()
        signature = sign(token, private, digest)
        assert holds(key, signature, digest)
        assert not holds(key, signature, DIGEST)
    session = token.session
    assert token.rv("sign", call="sign", session=session, data="00") == Rv.OPERATION_NOT_INITIALIZED
    assert token.rv("sign", call="init", session=session, object=public) == Rv.KEY_TYPE_INCONSISTENT
    assert token.rv("sign", call="init", session=session, object=0) == Rv.KEY_HANDLE_INVALID
    assert token.rv("sign", call="init", session=session, object=private, mechanism=Ckm.RSA_PKCS) == (
        Rv.MECHANISM_INVALID
    )
    token.good("sign", call="init", session=session, object=private)
    assert token.rv("sign", call="init", session=session, object=private) == Rv.OPERATION_ACTIVE
    assert token.good("sign", call="sign", session=session, data=DIGEST.hex(), room=0)["length"] == "64"
    assert token.rv("sign", call="sign", session=session, data=DIGEST.hex(), room=63) == Rv.BUFFER_TOO_SMALL
    assert token.rv("sign", call="sign", session=session, data="00" * 65) == Rv.DATA_LEN_RANGE


@pytest.mark.requirement("PKCS11", "EC_Verify")
def test_foreign_signatures_are_judged(token: Token) -> None:
    """Made here with the published key, whose public half the board is given."""
    key = ec.derive_private_key(int.from_bytes(PUBLISHED_KEY, "big"), ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = POINT_HEADER + b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    public = token.good("create", session=token.session, kind="public", label=LABEL, data=point.hex())
    r, s = utils.decode_dss_signature(key.sign(DIGEST, ec.ECDSA(utils.Prehashed(SHA256()))))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def verdict(digest: bytes, given: bytes) -> int:
        token.good("verify", call="init", session=token.session, object=public["object"])
        arguments = {"data": digest.hex(), "signature": given.hex()}
        return token.rv("verify", call="verify", session=token.session, **arguments)

    assert verdict(DIGEST, signature) == Rv.OK
    assert verdict(hashlib.sha256(b"else").digest(), signature) == Rv.SIGNATURE_INVALID
    for at in (0, 31, 32, 63):
        damaged = bytearray(signature)
        damaged[at] ^= 1
        assert verdict(DIGEST, bytes(damaged)) == Rv.SIGNATURE_INVALID
    assert verdict(DIGEST, bytes(64)) == Rv.SIGNATURE_INVALID
    assert verdict(DIGEST, signature[:-1]) == Rv.SIGNATURE_LEN_RANGE


@pytest.mark.requirement("PKCS11", "EC_SignVerifyMultiThread")
def test_signatures_of_four_threads(token: Token, pair: tuple[int, int]) -> None:
    said = token("threads", work="sign", threads=4, rounds=1, public=pair[0], private=pair[1])
    assert (said["done"], said["failed"]) == ("4", "0")


@pytest.mark.requirement("PKCS11", "EC_DestroyObject")
def test_destroyed_objects_are_gone(token: Token, pair: tuple[int, int]) -> None:
    for handle in pair:
        token.good("destroy", session=token.session, object=handle)
        assert token.rv("destroy", session=token.session, object=handle) == Rv.OBJECT_HANDLE_INVALID
        assert token.attribute(handle, Cka.CLASS).integer("rv") == Rv.OBJECT_HANDLE_INVALID
    assert token.find(label=LABEL) == []
    again = token.good("keypair", session=token.session, label=LABEL)
    made = {again.integer("public"), again.integer("private")}
    assert made.isdisjoint(pair)  # an old handle is no new object


# --- what is kept


@pytest.mark.requirement("PKCS11", "EC_GenerateKeyPair")
def test_kept_keys_survive_power_and_others_do_not(token: Token, board: BoardSession) -> None:
    if board.board.power.driver == "none":
        pytest.skip("the inventory names no switch for the board's power")
    kept = token.good("keypair", session=token.session, label=LABEL, token=1)
    key = public_key(token, kept.integer("public"))
    token.good("keypair", session=token.session, label="of the session")
    try:
        board.power_cycle()
        token.good("call", call="initialize")
        token.session = token.open()
        assert token.find(label="of the session") == []
        found = token.find(label=LABEL, kind="private")
        assert len(found) == 1
        assert holds(key, sign(token, found[0]), DIGEST)
    finally:
        for handle in token.find(label=LABEL):
            token.good("destroy", session=token.session, object=handle)


@pytest.mark.requirement("PKCS11", "OpenSessionCloseSession")
def test_a_session_that_only_reads_changes_nothing_that_is_kept(token: Token) -> None:
    kept = token.good("keypair", session=token.session, label=LABEL, token=1)
    reader = token.open(SERIAL)
    assert token.rv("keypair", session=reader, label=LABEL, token=1) == Rv.SESSION_READ_ONLY
    for handle in (kept["public"], kept["private"]):
        assert token.rv("destroy", session=reader, object=handle) == Rv.SESSION_READ_ONLY
        token.good("destroy", session=token.session, object=handle)
    token.good("keypair", session=reader, label=LABEL)  # one that is not kept
    token.good("session", call="close", session=reader)
    assert token.find(label=LABEL) == []
