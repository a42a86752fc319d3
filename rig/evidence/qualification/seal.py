# SPDX-License-Identifier: MIT
"""The seal of a pack: the list of its files with their hashes, and an Ed25519 signature over that list.

Owns the form of both and what a broken seal is called. How the files lie in an archive is ``archive.py``'s.
Keys are PEM; a private one is only ever given as bytes that the caller has read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rig.errors import UsageFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEAL, SIGNATURE, KEY = "SEAL.json", "SEAL.sig", "SEAL.pub.pem"
OF_THE_SEAL: Final = (SEAL, SIGNATURE, KEY)
FORMAT: Final = 1
_MADE_BY: Final = "freertos-rig"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a pack: ``altered``, ``missing``, ``added`` … and the file it is of."""

    what: str
    name: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.name}" + (f" ({self.said})" if self.said else "")


def seal(files: Mapping[str, bytes], private_pem: bytes, facts: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of the seal: the list, its signature, and the public key as a hint. Raises UsageFault."""
    key = private_key(private_pem)
    rows = [{"name": n, "bytes": len(c), "sha256": _sha256(c)} for n, c in sorted(files.items())]
    document = {
        "format": FORMAT,
        "made_by": _MADE_BY,
        "key": fingerprint(key.public_key()),
        **facts,
        "files": rows,
    }
    text = (json.dumps(document, indent=1, ensure_ascii=True) + "\n").encode()
    return {SEAL: text, SIGNATURE: key.sign(text), KEY: _public_pem(key.public_key())}


def examine(files: Mapping[str, bytes], public_pem: bytes | None) -> tuple[list[Finding], dict[str, Any]]:
    """What is wrong with a sealed pack, and what its seal says. No finding: it is as it was signed.

    Without a key of the caller's the one inside is used, which says nothing of who signed. Raises UsageFault
    for a key that is none.
    """
    lacking = [Finding("missing", name, "a pack is sealed") for name in OF_THE_SEAL[:2] if name not in files]
    if public_pem is None and KEY not in files:
        lacking.append(Finding("missing", KEY, "and no key was given"))
    if lacking:
        return lacking, {}
    key, mine = _key_of(files, public_pem)
    if key is None:
        return [Finding("altered", KEY, "it is no Ed25519 public key")], {}
    text = files[SEAL]
    said = _document(text)
    if not _holds(key, files[SIGNATURE], text):
        return [_not_signed(key, said, mine)], said
    if not said:
        return [Finding("altered", SEAL, f"it is no list of format {FORMAT}")], {}
    own = _own_key(files, key)
    return [*own, *_differences(files, said)], said


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 over the key's SubjectPublicKeyInfo: how people tell keys apart."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def public_key(pem: bytes) -> Ed25519PublicKey:
    """An Ed25519 key that signatures are checked with, from a public or a private one. Raises UsageFault."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY" in pem:
        return private_key(pem).public_key()
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageFault("the key is no public or private key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageFault("the key is of another kind: packs are signed with Ed25519")
    return key


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """An Ed25519 key that packs are signed with, without a password. Raises UsageFault."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageFault("the key is encrypted: expected a PEM without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageFault("the key is no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        hint = "openssl genpkey -algorithm ed25519 -out key.pem makes one"
        raise UsageFault("the key is of another kind: packs are signed with Ed25519", hint=hint)
    return key


def _public_pem(key: Ed25519PublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _key_of(files: Mapping[str, bytes], public_pem: bytes | None) -> tuple[Ed25519PublicKey | None, bool]:
    """The key to check with, and whether it is the caller's."""
    if public_pem is not None:
        return public_key(public_pem), True
    try:
        return public_key(files[KEY]), False
    except UsageFault:
        return None, False


def _holds(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _not_signed(key: Ed25519PublicKey, said: Mapping[str, Any], mine: bool) -> Finding:
    """The wrong key is told from an altered list by the key that the list names."""
    own, named = fingerprint(key), str(said.get("key", ""))
    if mine and named and named != own:
        return Finding("wrong key", SIGNATURE, f"signed with {named[:16]}…, the key given is {own[:16]}…")
    return Finding("altered", SEAL, "its signature does not fit")


def _own_key(files: Mapping[str, bytes], key: Ed25519PublicKey) -> Iterator[Finding]:
    """The key inside is no part of the list: it must be the one that signed."""
    if KEY not in files:
        yield Finding("missing", KEY)
    elif files[KEY] != _public_pem(key):
        yield Finding("altered", KEY, "it is not the key that signed")


def _differences(files: Mapping[str, bytes], said: Mapping[str, Any]) -> Iterator[Finding]:
    listed = {row["name"]: row for row in said["files"]}
    for name, row in listed.items():
        if name not in files:
            yield Finding("missing", name)
        elif _sha256(files[name]) != row["sha256"]:
            yield Finding("altered", name, f"{len(files[name])} bytes, {row['bytes']} were signed")
    for name in files:
        if name not in listed and name not in OF_THE_SEAL:
            yield Finding("added", name)


def _document(text: bytes) -> dict[str, Any]:
    """The list, or nothing if it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return {}
    rows = document.get("files")
    whole = isinstance(rows, list) and all(_is_row(row) for row in rows)
    return document if whole and isinstance(document.get("key"), str) else {}


def _is_row(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    return all(
        isinstance(row.get(key), kind) for key, kind in (("name", str), ("bytes", int), ("sha256", str))
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
