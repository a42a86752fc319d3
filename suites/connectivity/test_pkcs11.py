# SPDX-License-Identifier: MIT
"""PKCS #11 on the board, function by function: core, and EC keys that are made on board.

Each command calls one function and says what it returned. Digests and signatures are checked here, by
another implementation than the board's. RSA and the import of a device's private key are not offered: a key
is made on the board.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from rig.deadline import Deadline

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields
    from rig.services.service_set import ServiceSet

pytestmark = [pytest.mark.board_feature("pkcs11"), pytest.mark.arrangement(clock="free")]

REPLY_S = 300.0  # four threads that sign, on a busy host
LABEL = "suite"
DIGEST = hashlib.sha256(b"what is signed").digest()
MOST_OBJECTS = 1000
"""More than any board keeps: one that finds more repeats itself."""
POINT_HEADER = bytes((0x04, 0x41))  # an OCTET STRING of 65 bytes
P256_OID = bytes.fromhex("06082A8648CE3D030107")

# RFC 6979, A.2.5: a published key, and so no secret of any board.
PUBLISHED_KEY = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")


class Rv(IntEnum):
    """Return values of the standard (PKCS #11 2.40, appendix B)."""

    OK = 0x000
    SLOT_ID_INVALID = 0x003
    ARGUMENTS_BAD = 0x007
    ATTRIBUTE_SENSITIVE = 0x011
    ATTRIBUTE_TYPE_INVALID = 0x012
    ATTRIBUTE_VALUE_INVALID = 0x013
    DATA_LEN_RANGE = 0x021
    KEY_HANDLE_INVALID = 0x060
    KEY_TYPE_INCONSISTENT = 0x063
    MECHANISM_INVALID = 0x070
    OBJECT_HANDLE_INVALID = 0x082
    OPERATION_ACTIVE = 0x090
    OPERATION_NOT_INITIALIZED = 0x091
    SESSION_COUNT = 0x0B1
    SESSION_HANDLE_INVALID = 0x0B3
    SESSION_PARALLEL_NOT_SUPPORTED = 0x0B4
    SESSION_READ_ONLY = 0x0B5
    SIGNATURE_INVALID = 0x0C0
    SIGNATURE_LEN_RANGE = 0x0C1
    BUFFER_TOO_SMALL = 0x150
    CRYPTOKI_NOT_INITIALIZED = 0x190
    CRYPTOKI_ALREADY_INITIALIZED = 0x191


class Cka(IntEnum):
    """Attributes."""

    CLASS = 0x000
    TOKEN = 0x001
    LABEL = 0x003
    VALUE = 0x011
    KEY_TYPE = 0x100
    SENSITIVE = 0x103
    EXTRACTABLE = 0x162
    NEVER_EXTRACTABLE = 0x164
    EC_PARAMS = 0x180
    EC_POINT = 0x181


class Ckm(IntEnum):
    """Mechanisms."""

    RSA_PKCS = 0x0001
    SHA_1 = 0x0220
    SHA256 = 0x0250
    EC_KEY_PAIR_GEN = 0x1040
    ECDSA = 0x1041


SERIAL, READ_WRITE = 4, 2
SIGN, VERIFY, DIGESTS, GENERATES = 0x0800, 0x2000, 0x0400, 0x10000


class Token:
    """The board's token through its console. ``session`` is one that the case may use."""

    def __init__(self, console: ConsoleLink) -> None:
        self._console = console
        self.slot = 0
        self.session = 0

    def __call__(self, command: str, **args: str | int) -> Fields:
        """Calls a function; its return value is in ``rv``."""
        return self._console.request(f"pkcs11.{command}", args, deadline=Deadline.after(REPLY_S)).fields

    def rv(self, command: str, **args: str | int) -> int:
        """What the function returned."""
        return self(command, **args).integer("rv")

    def good(self, command: str, **args: str | int) -> Fields:
        """Calls a function that must succeed."""
        fields = self(command, **args)
        assert fields.integer("rv") == Rv.OK, f"{command} {args}: rv {fields.integer('rv'):#x}"
        return fields

    def open(self, flags: int = SERIAL | READ_WRITE) -> int:
        """A new session."""
        return self.good("session", call="open", slot=self.slot, flags=flags).integer("session")

    def attribute(self, handle: int, kind: int, **args: int) -> Fields:
        """Reads one attribute of an object."""
        return self("attribute", session=self.session, object=handle, type=kind, **args)

    def find(self, **what: str) -> list[int]:
        """The first objects that match."""
        self.good("find", call="init", session=self.session, **what)
        found = []
        while (step := self.good("find", call="next", session=self.session)).integer("count"):
            found.append(step.integer("object"))
            assert len(found) <= MOST_OBJECTS, f"finding {what} never ends: {found[-3:]}"
        self.good("find", call="final", session=self.session)
        return found


@pytest.fixture
def token(board: BoardSession, console: ConsoleLink) -> Iterator[Token]:
    """The token, initialised, with one session; finalised when the case ends, with all its sessions."""
    del board
    it = Token(console)
    it("call", call="finalize")  # another case may have failed before it did so
    it.good("call", call="initialize")
    it.slot = it.good("slots", room=1).integer("slot")
    it.session = it.open()
    yield it
    it("call", call="finalize")


@pytest.fixture
def pair(token: Token) -> tuple[int, int]:
    """(public, private) of a new key pair that lives as long as the session."""
    made = token.good("keypair", session=token.session, label=LABEL)
    return made.integer("public"), made.integer("private")


def public_key(token: Token, public: int) -> ec.EllipticCurvePublicKey:
    """The key that the board tells of."""
    point = token.attribute(public, Cka.EC_POINT).octets("data")
    assert point[:2] == POINT_HEADER
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[2:])
    except ValueError as error:
        pytest.fail(f"the board's public key is no point of the curve: {error}; {point.hex()}")


def holds(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether the signature is the key's, of that digest."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def sign(token: Token, private: int, digest: bytes = DIGEST) -> bytes:
    """The board's signature."""
    token.good("sign", call="init", session=token.session, object=private)
    return token.good("sign", call="sign", session=token.session, data=digest.hex()).octets("data")


# --- core


@pytest.mark.requirement("PKCS11", "StartFinish")
def test_a_library_that_was_finished_answers_nothing(token: Token) -> None:
    session = token.session
    token.good("call", call="finalize")
    for command, args in (
        ("slots", {}),
        ("token", {"slot": token.slot}),
        ("mechanism", {"slot": token.slot, "type": Ckm.SHA256}),
        ("session", {"call": "open", "slot": token.slot}),
        ("session", {"call": "close", "session": session}),
        ("random", {"session": session, "count": 8}),
        ("find", {"call": "init", "session": session}),
    ):
        assert token.rv(command, **args) == Rv.CRYPTOKI_NOT_INITIALIZED, command
    token.good("call", call="initialize")


@pytest.mark.requirement("PKCS11", "GetFunctionList")
def test_function_list(token: Token) -> None:
    said = token.good("call", call="functions")
    assert (said["major"], said["minor"]) == ("2", "40")
    assert token.rv("call", call="functions.null") == Rv.ARGUMENTS_BAD


@pytest.mark.requirement("PKCS11", "InitializeFinalize")
def test_initialize_and_finalize(token: Token) -> None:
    assert token.rv("call", call="initialize") == Rv.CRYPTOKI_ALREADY_INITIALIZED
    assert token.rv("call", call="finalize.argument") == Rv.ARGUMENTS_BAD
    token.good("call", call="finalize")
    assert token.rv("call", call="finalize") == Rv.CRYPTOKI_NOT_INITIALIZED
    for _ in range(10):
        token.good("call", call="initialize")
        token.good("call", call="finalize")
    token.good("call", call="initialize")


@pytest.mark.requirement("PKCS11", "GetSlotList")
def test_slot_list(token: Token) -> None:
    asked = token.good("slots")
    assert (asked["count"], asked["slot"]) == ("1", "0")  # asked for the count alone
    assert token.good("slots", room=5)["count"] == "1"
    assert token.rv("slots", room=0) == Rv.BUFFER_TOO_SMALL


@pytest.mark.requirement("PKCS11", "GetTokenInfo")
def test_token_tells_of_itself(token: Token, board: BoardSession) -> None:
    said = token.good("token", slot=token.slot)
    if board.serial is not None:
        assert board.serial.startswith(said["serial"])
    assert said.integer("sessions") == 1
    assert said.integer("memory") >= said.integer("memory_free") > 0
    assert token.rv("token", slot=token.slot + 1) == Rv.SLOT_ID_INVALID


@pytest.mark.requirement("PKCS11", "OpenSessionCloseSession")
def test_sessions(token: Token) -> None:
    assert token.rv("session", call="open", slot=token.slot, flags=READ_WRITE) == (
        Rv.SESSION_PARALLEL_NOT_SUPPORTED
    )
    assert token.rv("session", call="open", slot=token.slot + 1) == Rv.SLOT_ID_INVALID
    assert token.rv("session", call="open.null", slot=token.slot) == Rv.ARGUMENTS_BAD
    most = token.good("token", slot=token.slot).integer("sessions_max")
    opened = [token.open() for _ in range(most - 1)]
    assert len({token.session, *opened}) == most
    assert token.rv("session", call="open", slot=token.slot) == Rv.SESSION_COUNT
    for session in opened:
        token.good("session", call="close", session=session)
    for session in (opened[0], 0, most + 1):
        assert token.rv("session", call="close", session=session) == Rv.SESSION_HANDLE_INVALID
    token.good("session", call="login", session=token.session)


@pytest.mark.requirement("PKCS11", "Capabilities")
def test_capabilities(token: Token) -> None:
    flags = {}
    for kind in (Ckm.SHA256, Ckm.EC_KEY_PAIR_GEN, Ckm.ECDSA):
        said = token.good("mechanism", slot=token.slot, type=kind)
        flags[kind] = said.integer("flags")
        assert kind == Ckm.SHA256 or (said["min"], said["max"]) == ("256", "256")
    assert flags[Ckm.SHA256] & DIGESTS
    assert flags[Ckm.EC_KEY_PAIR_GEN] & GENERATES
    assert flags[Ckm.ECDSA] & (SIGN | VERIFY) == SIGN | VERIFY
    assert token.rv("mechanism", slot=token.slot, type=Ckm.RSA_PKCS) == Rv.MECHANISM_INVALID


@pytest.mark.requirement("PKCS11", "Digest")
@pytest.mark.parametrize("lengths", [(0,), (1,), (55, 1), (64, 64, 128), (63, 1, 0, 65)], ids=str)
def test_digest(token: Token, lengths: tuple[int, ...]) -> None:
    pieces = [bytes((at + length) % 256 for at in range(length)) for length in lengths]
    token.good("digest", call="init", session=token.session)
    for piece in pieces:
        token.good("digest", call="update", session=token.session, data=piece.hex())
    assert token.good("digest", call="final", session=token.session, room=0)["length"] == "32"
    said = token.good("digest", call="final", session=token.session)
    assert said.octets("data") == hashlib.sha256(b"".join(pieces)).digest()


@pytest.mark.requirement("PKCS11", "Digest_ErrorConditions")
def test_digest_refuses_what_is_wrong(token: Token) -> None:
    session = token.session
    assert token.rv("digest", call="update", session=session, data="00") == Rv.OPERATION_NOT_INITIALIZED
    assert token.rv("digest", call="final", session=session) == Rv.OPERATION_NOT_INITIALIZED
    assert token.rv("digest", call="init.null", session=session) == Rv.ARGUMENTS_BAD
    assert token.rv("digest", call="init", session=session, mechanism=Ckm.SHA_1) == Rv.MECHANISM_INVALID
    assert token.rv("digest", call="init", session=session + 1) == Rv.SESSION_HANDLE_INVALID
    token.good("digest", call="init", session=session)
    assert token.rv("digest", call="init", session=session) == Rv.OPERATION_ACTIVE
    token.good("digest", call="update", session=session, data="616263")
    assert token.rv("digest", call="final", session=session, room=31) == Rv.BUFFER_TOO_SMALL
    said = token.good("digest", call="final", session=session)  # a buffer too small ended nothing
    assert said.octets("data") == hashlib.sha256(b"abc").digest()
    token.good("digest", call="init", session=session)
    assert token.rv("digest", call="update", session=session) == Rv.ARGUMENTS_BAD
    assert token.rv("digest", call="final", session=session) == Rv.OPERATION_NOT_INITIALIZED


@pytest.mark.requirement("PKCS11", "GenerateRandom")
def test_random_numbers(token: Token) -> None:
    blocks = [token.good("random", session=token.session, count=128).octets("data") for _ in range(8)]
    assert len(set(blocks)) == len(blocks)
    assert {len(block) for block in blocks} == {128}
    ones = sum(int.from_bytes(block, "big").bit_count() for block in blocks)
    bits = 8 * 128 * len(blocks)
    assert abs(ones - bits / 2) < 6 * (bits / 4) ** 0.5  # six standard deviations
    assert token.rv("random", session=token.session, count=0) == Rv.ARGUMENTS_BAD


@pytest.mark.requirement("PKCS11", "GenerateRandomMultiThread")
def test_random_numbers_of_four_threads(token: Token) -> None:
    said = token("threads", work="random", threads=4, rounds=32)
    assert (said["done"], said["failed"], said["repeats"]) == ("128", "0", "0")


# --- EC keys


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
