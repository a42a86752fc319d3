# SPDX-License-Identifier: MIT
"""Keys that images are signed with, named by reference: ``file:PATH`` or ``env:NAME``; never by value.

Owns reading them and what an error may say: the reference, never a part of the key. Keys are PEM.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.errors import UsageFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_FORMS = "expected file:PATH or env:NAME"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A P-256 key that signatures are checked with; ``sha256`` is over its SubjectPublicKeyInfo."""

    sha256: bytes
    point: bytes
    _key: EllipticCurvePublicKey = field(repr=False)

    def holds(self, signature: bytes, digest: bytes) -> bool:
        """Whether an ECDSA signature in DER over a SHA-256 digest is this key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            self._key.verify(signature, digest, ECDSA(Prehashed(SHA256())))
        except (InvalidSignature, ValueError):
            return False
        return True

    def keep(self, folder: Path) -> Path:
        """A PEM file of it, for builds; named by the key, so that another key is another file."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        path = folder / f"{self.sha256.hex()[:16]}.pub.pem"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return path


def read_pem(reference: str, environ: Mapping[str, str] = os.environ) -> bytes:
    """The PEM text that a reference means. Raises UsageFault: no such form, file or variable."""
    kind, _, name = reference.partition(":")
    if kind == "file" and name:
        try:
            return Path(name).expanduser().read_bytes()
        except OSError as error:
            raise UsageFault(f"key {reference}: cannot be read: {error.strerror}") from error
    if kind == "env" and name:
        if name not in environ:
            raise UsageFault(f"key {reference}: the environment has no variable {name}")
        return environ[name].encode()
    raise UsageFault(
        f"key {_shown(reference)}: {_FORMS}", hint="A key itself is never given on the command line"
    )


def _shown(reference: str) -> str:
    """A reference that is none may be a key that was pasted."""
    return repr(reference) if len(reference) < 60 and "PRIVATE" not in reference else "(not shown)"


def load_private(reference: str, environ: Mapping[str, str] = os.environ) -> Any:
    """A private key as ``cryptography`` has it, of any kind. Raises UsageFault."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = read_pem(reference, environ)
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageFault(f"key {reference}: it is encrypted: expected a PEM without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageFault(f"key {reference}: not a private key in PEM") from error


def load_public(reference: str, environ: Mapping[str, str] = os.environ) -> PublicKey:
    """The key that signatures are checked with, from a public or a private one. Raises UsageFault."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    pem = read_pem(reference, environ)
    if b"PRIVATE KEY" in pem:
        return public_of(load_private(reference, environ).public_key(), reference)
    try:
        return public_of(load_pem_public_key(pem), reference)
    except ValueError as error:
        raise UsageFault(f"key {reference}: not a public or private key in PEM") from error


def public_of(key: Any, reference: str = "(given)") -> PublicKey:
    """The same, of a key of ``cryptography``. Raises UsageFault unless it is on P-256."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise UsageFault(f"key {reference}: expected one on the curve P-256, which is what bootloaders check")
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return PublicKey(hashlib.sha256(spki).digest(), point, key)


def lab_key(folder: Path) -> tuple[Path, Path]:
    """(private, public): PEM files of a key of this lab alone, made in ``folder`` where there is none.

    For emulated boards and tests; the folder belongs to builds, never to the tree.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )

    private, public = folder / "image-key.pem", folder / "image-key.pub.pem"
    if not private.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        made = generate_private_key(SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        new = private.with_suffix(f".{os.getpid()}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        if not private.exists():
            new.replace(private)
        new.unlink(missing_ok=True)
    key = load_pem_private_key(private.read_bytes(), password=None).public_key()
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not public.is_file() or public.read_bytes() != text:
        public.write_bytes(text)
    return private, public
