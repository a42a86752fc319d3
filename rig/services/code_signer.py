# SPDX-License-Identifier: MIT
"""Who signs the files of jobs, where a board is to know him: a key, and his certificate.

Owns the certificate; the signature itself is ``ota_signing.py``'s. The images' own signature is another's.
"""

from __future__ import annotations

import base64
import datetime

from rig.services.ota_signing import new_key, signature

_NAME = "code signer"
_VALID = datetime.timedelta(days=1)


class CodeSigner:
    """A signer for as long as the process lives; the key stays in it."""

    def __init__(self) -> None:
        self._key = new_key()
        self.certificate = self._certified()
        """DER; valid a day before and after it was made."""

    def _certified(self) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = serialization.load_pem_private_key(self._key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - _VALID)
            .not_valid_after(now + _VALID)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    def sign(self, content: bytes) -> str:
        """The signature over a file, DER in base64, as a job carries it."""
        return signature(self._key, content)


def rsa_signature(content: bytes) -> str:
    """A signature by another algorithm, RSA of 2,048 bits with SHA-256, in base64. The key is lost."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), hashes.SHA256())).decode()
