# SPDX-License-Identifier: MIT
"""The signature that a job carries over a whole file: ECDSA with SHA-256 over P-256. Nothing of images' own.

Source: FreeRTOS OTA, ``sig-sha256-ecdsa``: base64 of the DER signature. A key is a PEM file, known by its
path; what is read of it stays in the call.
"""

from __future__ import annotations

import base64

from rig.errors import UsageFault


def new_key() -> bytes:
    """A private key, PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_key(private_key: bytes) -> bytes:
    """Its public key, PEM."""
    from cryptography.hazmat.primitives import serialization

    return (
        serialization.load_pem_private_key(private_key, None)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def signature(private_key: bytes, content: bytes) -> str:
    """The signature over a file. Raises UsageFault for what is no key on P-256."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(private_key, None)
    except (ValueError, TypeError) as error:
        raise UsageFault(f"no private key in PEM without a password: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageFault("a private key on P-256 is wanted, for ECDSA with SHA-256")
    return base64.b64encode(key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()
