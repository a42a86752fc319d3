# SPDX-License-Identifier: MIT
"""The board's PKCS #11 token, by its console commands (``pkcs11.*``): the fixtures ``token`` and ``pair``.

Owns the words of those commands, the standard's numbers, and how a public key and a signature of the board
are checked here: by another implementation than the board's. Judges nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import pytest

from rig.deadline import Deadline

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from rig.bench.session import BoardSession
    from rig.links.console_link import ConsoleLink
    from rig.links.fields import Fields

REPLY_S: Final = 300.0  # four threads that sign, on a busy host
LABEL: Final = "suite"
DIGEST: Final = hashlib.sha256(b"what is signed").digest()
MOST_OBJECTS: Final = 1000
"""More than any board keeps: one that finds more repeats itself."""
POINT_HEADER: Final = bytes((0x04, 0x41))  # an OCTET STRING of 65 bytes


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
    MODULUS = 0x120
    PUBLIC_EXPONENT = 0x122
    PRIVATE_EXPONENT = 0x123
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

    def long(self, command: str, **args: str | int) -> bytes:
        """What a function that must succeed wrote. Of more than one line holds, in data lines, in order."""
        reply = self._console.request(f"pkcs11.{command}", args, deadline=Deadline.after(REPLY_S))
        assert reply.fields.integer("rv") == Rv.OK, f"{command}: rv {reply.fields.integer('rv'):#x}"
        data = b"".join(part.octets("data") for part in reply.rows or (reply.fields,))
        assert len(data) == reply.fields.integer("length"), f"{command}: {len(data)} bytes came"
        return data

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


def public_key(token: Token, public: int) -> EllipticCurvePublicKey:
    """The key that the board tells of."""
    from cryptography.hazmat.primitives.asymmetric import ec

    point = token.attribute(public, Cka.EC_POINT).octets("data")
    assert point[:2] == POINT_HEADER
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[2:])
    except ValueError as error:
        pytest.fail(f"the board's public key is no point of the curve: {error}; {point.hex()}")


def holds(key: EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether the signature is the key's, of that digest."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

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
