# SPDX-License-Identifier: MIT
"""A console behind which a PKCS #11 token is: RSA keys brought to it, and an EC key that it came with.

Owns as much of ``pkcs11.*`` as the cases of ``pkcs11-rsa`` and ``pkcs11-preprovisioned`` ask for, by another
implementation than any board's. ``flaw`` names one thing that it does wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from rig.deadline import Deadline
from rig.links.fields import Fields
from rig.links.interfaces import Reply
from rig.pytest_plugin.board_pkcs11 import POINT_HEADER, READ_WRITE, SERIAL, SIGN, Cka, Ckm, Rv

_LINE = 128
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. ``numbers``: modulus and exponent of an RSA key; ``key``: what a private one signs with."""

    kind: str
    label: str
    numbers: tuple[int, int] | None = None
    key: Key | None = None
    point: bytes = b""
    kept: bool = False


def _identity() -> dict[int, Stored]:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = POINT_HEADER + b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return {
        1: Stored("public", "device", point=point, kept=True),
        2: Stored("private", "device", key=key, kept=True),
        3: Stored("certificate", "device", kept=True),
    }


class TokenConsole:
    """Answers requests. ``board`` is its name in errors."""

    board = "fake"

    def __init__(self, flaw: str = "") -> None:
        self.flaw = flaw
        self._objects = _identity()
        self._sessions: dict[int, int] = {}
        self._brought = b""
        self._found: list[int] = []
        self._signer: Stored | None = None
        self._next = 10

    def request(
        self, command: str, args: Mapping[str, str | int] | None = None, *, deadline: Deadline
    ) -> Reply:
        """Blocks for nothing."""
        del deadline
        deed: Callable[[Mapping[str, str | int]], Reply] = getattr(self, "_" + command.rpartition(".")[2])
        return deed(args or {})

    def _call(self, args: Mapping[str, str | int]) -> Reply:
        del args
        return _said(Rv.OK)

    def _slots(self, args: Mapping[str, str | int]) -> Reply:
        del args
        return _said(Rv.OK, count=1, slot=0)

    def _session(self, args: Mapping[str, str | int]) -> Reply:
        if args["call"] == "open":
            self._next += 1
            self._sessions[self._next] = int(args.get("flags", SERIAL | READ_WRITE))
        return _said(Rv.OK, session=self._next)

    def _mechanism(self, args: Mapping[str, str | int]) -> Reply:
        del args
        most = 1024 if self.flaw == "short keys" else 4096
        return _said(Rv.OK, min=1024, max=most, flags=SIGN)

    def _certificate(self, args: Mapping[str, str | int]) -> Reply:
        offset = int(args["offset"])
        self._brought = self._brought[:offset] + bytes.fromhex(str(args["data"]))
        return Reply(Fields(), ())

    def _create(self, args: Mapping[str, str | int]) -> Reply:
        try:
            made = self._made(str(args["kind"]), str(args["label"]))
        except ValueError:
            if self.flaw != "takes anything":
                return _said(Rv.ATTRIBUTE_VALUE_INVALID)
            made = Stored(str(args["kind"]), str(args["label"]))
        self._next += 1
        self._objects[self._next] = made
        return _said(Rv.OK, object=self._next)

    def _made(self, kind: str, label: str) -> Stored:
        if kind == "private":
            key = load_der_private_key(self._brought, None)
            assert isinstance(key, rsa.RSAPrivateKey)
            return Stored(kind, label, key=key)
        modulus, exponent = _integers(self._brought)
        return Stored(kind, label, numbers=(modulus, exponent))

    def _find(self, args: Mapping[str, str | int]) -> Reply:
        if args["call"] == "init":
            wanted = {key: args[key] for key in ("kind", "label") if key in args}
            self._found = [
                handle
                for handle, it in self._objects.items()
                if all(getattr(it, key) == value for key, value in wanted.items())
            ]
        if args["call"] != "next" or not self._found:
            return _said(Rv.OK, count=0)
        return _said(Rv.OK, count=1, object=self._found.pop(0))

    def _attribute(self, args: Mapping[str, str | int]) -> Reply:
        it, kind = self._objects.get(int(args["object"])), int(args["type"])
        if it is None:
            return _said(Rv.OBJECT_HANDLE_INVALID, length=-1)
        secret = kind in (Cka.VALUE, Cka.PRIVATE_EXPONENT) and it.kind == "private"
        if secret and self.flaw != "tells its secret":
            return _said(Rv.ATTRIBUTE_SENSITIVE, length=-1)
        truth = {Cka.TOKEN: it.kept, Cka.SENSITIVE: True, Cka.EXTRACTABLE: self.flaw == "extractable"}
        if kind in truth:
            return _written(bytes([truth[Cka(kind)]]))
        if it.numbers is not None and kind in (Cka.MODULUS, Cka.PUBLIC_EXPONENT):
            number = it.numbers[kind == Cka.PUBLIC_EXPONENT]
            return _written(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        return _written(it.point or bytes(400))

    def _sign(self, args: Mapping[str, str | int]) -> Reply:
        if args["call"] == "init":
            it = self._objects.get(int(args["object"]))
            fits = Ckm.RSA_PKCS if it is not None and isinstance(it.key, rsa.RSAPrivateKey) else Ckm.ECDSA
            if it is None or it.key is None or int(args.get("mechanism", Ckm.ECDSA)) != fits:
                return _said(Rv.KEY_TYPE_INCONSISTENT)
            self._signer = it
            return _said(Rv.OK)
        assert self._signer is not None
        digest = bytes.fromhex(str(args["data"]))[-32:]
        digest = bytes(32) if self.flaw == "signs something else" else digest
        return _written(_signature(self._signer.key, digest))

    def _threads(self, args: Mapping[str, str | int]) -> Reply:
        there = self._objects[int(args["private"])].key is not None and self.flaw != "signs something else"
        return Reply(Fields(done="4" if there else "3", failed="0" if there else "1"), ())

    def _destroy(self, args: Mapping[str, str | int]) -> Reply:
        handle = int(args["object"])
        if handle not in self._objects:
            return _said(Rv.OBJECT_HANDLE_INVALID)
        reads_only = not self._sessions[int(args["session"])] & READ_WRITE
        if reads_only and self._objects[handle].kept and self.flaw != "gives its key away":
            return _said(Rv.SESSION_READ_ONLY)
        if self.flaw != "destroys nothing":
            del self._objects[handle]
        return _said(Rv.OK)


def _signature(key: Key | None, digest: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))
    assert key is not None
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _integers(der: bytes) -> tuple[int, int]:
    """The two INTEGERs of a PKCS #1 public key (RFC 8017, A.1.1). Raises ValueError."""
    body, rest = _element(der, 0x30)
    first, behind = _element(body, 0x02)
    second, end = _element(behind, 0x02)
    if rest or end:
        raise ValueError("bytes behind the key")
    return int.from_bytes(first, "big"), int.from_bytes(second, "big")


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """(content, what is behind it) of the DER element that ``der`` begins with."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("not the element that was expected")
    size, at = der[1], 2
    if size & 0x80:
        at = 2 + (size & 0x7F)
        size = int.from_bytes(der[2:at], "big")
    return der[at : at + size], der[at + size :]


def _said(rv: Rv, **fields: int) -> Reply:
    return Reply(Fields({"rv": str(int(rv)), **{key: str(value) for key, value in fields.items()}}), ())


def _written(data: bytes) -> Reply:
    """Of at most one line in the reply itself, else in data lines."""
    fields = Fields(rv="0", length=str(len(data)))
    if len(data) <= _LINE:
        return Reply(Fields(fields, data=data.hex()), ())
    pieces = (data[at : at + _LINE] for at in range(0, len(data), _LINE))
    return Reply(fields, tuple(Fields(data=piece.hex()) for piece in pieces))
